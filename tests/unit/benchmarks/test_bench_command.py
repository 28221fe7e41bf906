"""Options of `./run bench`, and its end without a trace."""

import json
from pathlib import Path

import pytest
from benchmarks import __main__ as bench


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, ...]:
    monkeypatch.setattr("sys.argv", ["bench", *words])
    return bench.sizes(bench.arguments())


def test_the_largest_sweep_follows_the_effort_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "--quick") == (10, 100, 1_000, 10_000)
    assert asked(monkeypatch)[-1] == 100_000
    assert asked(monkeypatch, "--all")[-1] == 1_000_000


def test_sections_are_written_as_they_are_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"months": 3, "settlements": 273, "ms_per_trial": {"plain": 0.5}}]

    def measured(_asked: object, folder: Path) -> object:
        assert folder.is_dir()
        yield "settlements", rows
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measured", measured)
    target = tmp_path / "figures.json"
    monkeypatch.setattr("sys.argv", ["bench", "--json", str(target)])
    with pytest.raises(KeyboardInterrupt):
        bench.main()
    assert json.loads(target.read_text())["settlements"] == rows


def test_tables_are_printed_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"months": 3, "settlements": 273, "ms_per_trial": {"plain": 0.5}}]
    monkeypatch.setattr(bench, "measured", lambda *_: iter([("settlements", rows)]))
    page = tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["bench", "--markdown", str(page)])
    bench.main()
    assert "| 3 months | 273 | 0.5 |" in page.read_text()
    assert "3 months" in capsys.readouterr().out
