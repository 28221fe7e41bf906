"""The table of trials: headings wrap in narrow places, numbers are whole everywhere."""

import pytest

from carrygrid.cli.sweep.trial_table import print_trials, wrapped

HEADINGS = ["trial", "min_funding_rate", "max_simultaneous_positions", "Annualized return", *"abcdefgh"]
ROW = ["123456", "0.000123456789", "3", "1,234.56 %", *["1,234,567.89"] * 8]


@pytest.mark.parametrize("columns", ["40", "80", "100", "400"])
def test_no_number_and_no_part_of_a_heading_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    print_trials("Best trials of sweep 1", HEADINGS, [ROW])
    out = capsys.readouterr().out
    assert "…" not in out
    assert all(cell in out for cell in ROW)
    assert all(piece in out for piece in ("funding_", "simultaneous_", "positions", "Annualized", "return"))


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (1, "max_\nsimultaneous_\npositions"),
        (17, "max_simultaneous_\npositions"),
        (99, "max_simultaneous_positions"),
    ],
)
def test_heading_breaks_after_underscores_only_where_it_has_to(width: int, lines: str) -> None:
    assert wrapped("max_simultaneous_positions", width) == lines


def test_heading_of_words_breaks_at_spaces() -> None:
    assert wrapped("Max drawdown, %", 9) == "Max\ndrawdown,\n%"


def test_bracketed_values_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_trials("Best [bold]", ["name"], [["[red]x[/red]"]])
    assert "[red]x[/red]" in capsys.readouterr().out
