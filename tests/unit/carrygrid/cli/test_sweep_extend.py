"""`carrygrid sweep extend`: what it refuses is told in terms of its options."""

import json
from pathlib import Path

import pytest
from commanding import run
from webservice import sweep_body

GRID = "sweep 1 is a grid of 20 trials, which is extended by --add NAME=VALUE,... or --to"
SAMPLE = "sweep 1 is a random sample of 5 trials, which is extended by --samples"


@pytest.mark.parametrize(
    ("sampler", "options", "said"),
    [
        ({"kind": "grid"}, ("--samples", 50), f"--samples: 50 trials asked for, but {GRID}"),
        (
            {"kind": "random", "n": 5},
            ("--add", "perp_leverage=2"),
            f"--add, --to: values asked for, but {SAMPLE}",
        ),
        ({"kind": "random", "n": 5}, ("--to", "2024-06-01"), f"--add, --to: values asked for, but {SAMPLE}"),
        (
            {"kind": "random", "n": 5},
            ("--samples", 5),
            "--samples: 5 is not more than the 5 asked for already",
        ),
        (
            {"kind": "random", "n": 20},
            ("--samples", 30),
            "--samples: 30 would add no trial: its sampler finds 20 different trials and no more",
        ),
        (
            {"kind": "grid"},
            ("--add", "perp_leverage=2,x", "--to", "soon"),
            (
                '--add perp_leverage[1]: "x" is not a decimal number; --to: "soon" is no time: write '
                "2024-01-31, 2024-01-31T16:00:00Z, or milliseconds since 1970 such as 1706716800000"
            ),
        ),
    ],
    ids=[
        *("samples of a grid", "values of a sample", "end of a sample", "no more samples"),
        *("samples beyond all combinations", "values that are none"),
    ],
)
def test_growth_of_another_kind_is_refused_in_terms_of_the_options(
    address: str,
    spec: Path,
    capsys: pytest.CaptureFixture[str],
    sampler: dict[str, object],
    options: tuple[object, ...],
    said: str,
) -> None:
    spec.write_text(json.dumps(sweep_body(sampler=sampler)))
    assert run("sweep", "submit", spec) == 0
    capsys.readouterr()
    assert run("sweep", "extend", 1, *options) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


def test_values_to_add_are_refused_without_a_name(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sweep", "extend", 1, "--add", "4,5") == 2
    assert capsys.readouterr().err == 'error: --add: "4,5" is not NAME=VALUE,VALUE\n'
