"""`carrygrid sweep verdict` tells the verdict that the client reads."""

import json

import pytest
from commanding import run
from studying import Study


def test_verdict_is_printed_as_sentence_badges_years_and_funnel_or_as_the_document(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", study.address)
    found = study.sweep.verdict()
    assert run("sweep", "verdict", study.sweep.id) == 0
    text = capsys.readouterr().out
    assert text.startswith(found["sentence"])
    for badge in found["candidate"]["badges"]:
        assert f"{badge['title']}: {badge['detail']}. {badge['rule']}" in text
    assert f"Trial {found['candidate']['trial']['number']} by year" in text
    assert "trials 20 > completed 20 > distinct" in text
    assert run("sweep", "verdict", study.sweep.id, "--json") == 0
    assert json.loads(capsys.readouterr().out) == found


def test_verdict_on_a_sweep_that_is_not_there_ends_with_one_line(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", study.address)
    assert run("sweep", "verdict", 999) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
