"""`carrygrid sweep trial` shows the evidence that the client reads."""

import json

import pytest
from commanding import run
from studying import Study


def test_a_trial_is_shown_with_its_bands_random_entries_and_regimes(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", study.address)
    number, sweep_id = study.sweep.top(1)[0].number, study.sweep.id
    assert run("sweep", "trial", sweep_id, number) == 0
    text = capsys.readouterr().out
    for heading in ("bands:", "random entries:", "regimes:", "years:"):
        assert f"\n{heading}" in text
    assert run("sweep", "trial", sweep_id, number, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "bands": study.sweep.bands(number),
        "random_entries": study.sweep.random_entries(number),
        "regimes": study.sweep.regimes(number),
        "years": study.sweep.years(number),
    }


def test_a_trial_that_is_not_there_ends_the_command_with_one_line(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", study.address)
    assert run("sweep", "trial", study.sweep.id, 999) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
