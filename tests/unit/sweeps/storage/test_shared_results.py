"""Results that trials of a block share are stored once, and read as if each trial had its own."""

import numpy as np
import pytest

from bot.config.run_key import KEY_BYTES
from bot.statistics.trial_columns import MetricColumn, TrialColumns, metric_value
from bot.statistics.trial_metrics import DIGEST_BYTES, USUAL_METRICS, is_real
from sweeps.storage.blocks import NUMBER, RESULT
from sweeps.storage.derived_columns import DERIVED
from sweeps.storage.packing import unpacked
from sweeps.storage.results import CompletedTrials
from sweeps.storage.stored_trials import LEDGER, StoredBlock

RANDOM = np.random.default_rng(1)
DIGESTS = RANDOM.integers(0, 256, (40, DIGEST_BYTES), dtype=np.uint8)


def completed(places: list[int]) -> CompletedTrials:
    """Return trials with the results at these places; net P&L and Sharpe ratio are each trial's own."""
    of = np.array(places)
    metrics: dict[str, MetricColumn] = {}
    for name in USUAL_METRICS:
        real = is_real(name)
        once = RANDOM.normal(size=40) if real else RANDOM.integers(-(10**12), 10**12, 40)
        metrics[name] = once[of]
    metrics["net_pnl"] = np.arange(len(of))
    metrics["sharpe"][::3] = np.nan
    keys = RANDOM.integers(0, 256, (len(of), KEY_BYTES), dtype=np.uint8)
    return CompletedTrials(np.arange(7, 7 + len(of)), keys, TrialColumns(metrics, DIGESTS[of], {}))


def stored(trials: CompletedTrials) -> StoredBlock:
    return StoredBlock(1, {row["name"]: row["data"] for row in trials.blocks(1)})


MANY = [9, 0, 9, 9, 3, 0, 17, 3, 3, 9] * 6
FEW = [9, 0, 9, *range(10, 30)]


@pytest.mark.parametrize("places", [MANY, FEW, [0], [5, 5], list(range(40))])
def test_columns_are_read_as_they_were(places: list[int]) -> None:
    trials = completed(places)
    block = stored(trials)
    assert block.numbers.tolist() == trials.numbers.tolist()
    assert block.key_array is not None
    assert block.ledgers is not None
    assert block.key_array.tobytes() == trials.run_keys.tobytes()
    assert block.ledgers.tobytes() == trials.columns.ledgers.tobytes()
    for name, column in trials.columns.metrics.items():
        assert block.metric(name).tobytes() == column.tobytes()


@pytest.mark.parametrize("places", [MANY, FEW])
def test_single_trials_are_read_as_they_were(places: list[int]) -> None:
    trials = completed(places)
    block = stored(trials)
    for place, row in enumerate(block.rows(range(len(places)))):
        assert row["number"] == trials.numbers[place]
        assert row["run_key"] == trials.run_keys[place].tobytes().hex()
        assert row[LEDGER] == trials.columns.ledgers[place].tobytes()
        assert {name: row[name] for name in trials.columns.metrics} == {
            name: metric_value(name, column[place].item()) for name, column in trials.columns.metrics.items()
        }


def test_only_what_trials_of_one_result_have_in_common_stands_once() -> None:
    block = stored(completed(MANY))
    counts = {name: len(unpacked([block.blobs[name]], real=is_real(name))) for name in USUAL_METRICS}
    assert unpacked([block.blobs[RESULT]], real=False).tolist() == [0, 1, 0, 0, 2, 1, 3, 2, 2, 0] * 6
    own = {"net_pnl", "sharpe", *(name for name, formula in DERIVED.items() if "net_pnl" in formula.inputs)}
    assert counts == dict.fromkeys(USUAL_METRICS, 4) | dict.fromkeys(own, 60)
    assert len(block.blobs[LEDGER]) == 4 + 4 * DIGEST_BYTES


def test_trials_that_mostly_differ_have_their_results_each() -> None:
    assert RESULT not in stored(completed(FEW)).blobs
    assert {NUMBER, LEDGER} <= stored(completed(FEW)).blobs.keys()
