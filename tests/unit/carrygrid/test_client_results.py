"""Client reads exactly the values that the service wrote: exact in records, typed in frames."""

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import polars as pl
import pytest
from studying import Study

from carrygrid import ServiceError, connection


def read(study: Study, path: str) -> Any:
    return httpx2.get(f"{study.address}/sweeps/{study.sweep.id}{path}").json()


def as_text(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value


def test_trials_are_those_of_the_service_to_the_last_digit(study: Study) -> None:
    documents = read(study, "/trials?limit=100")["trials"]
    trials = study.sweep.trials()
    assert len(trials) == 20
    assert [{name: as_text(value) for name, value in trial.metrics.items()} for trial in trials] == [
        document["metrics"] for document in documents
    ]
    assert [{name: as_text(value) for name, value in trial.params.items()} for trial in trials] == [
        document["params"] for document in documents
    ]
    assert [(trial.number, trial.run_key) for trial in trials] == [
        (document["number"], document["run_key"]) for document in documents
    ]


def test_small_pages_give_every_trial_once_in_the_same_order(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [trial.number for trial in study.sweep.trials(sort="-net_pnl")]
    monkeypatch.setattr(connection, "PAGE_ROWS", 7)
    assert [trial.number for trial in study.sweep.trials(sort="-net_pnl")] == whole
    assert [trial.number for trial in study.sweep.trials(sort="-net_pnl", limit=9)] == whole[:9]
    assert sorted(whole) == list(range(20))


def test_trials_are_narrowed_to_a_value_of_an_axis_and_a_state(study: Study) -> None:
    found = study.sweep.trials(where={"perp_leverage": 5, "exit_funding_rate": Decimal("0.00005")})
    assert {(trial.params["perp_leverage"], trial.params["exit_funding_rate"]) for trial in found} == {
        (Decimal(5), Decimal("0.00005"))
    }
    assert len(found) == 5
    assert len(study.sweep.trials(state="failed")) == 0
    with pytest.raises(ServiceError, match="luck") as refused:
        study.sweep.trials(where={"luck": 7})
    assert (refused.value.status, refused.value.errors[0].field) == (422, "luck")


def test_top_is_best_first_by_the_objective_or_in_the_order_asked_for(study: Study) -> None:
    best = study.sweep.document["best_trial"]
    assert [trial.number for trial in study.sweep.top(1)] == [best["number"]]
    fees = [trial.metrics["total_fees"] for trial in study.sweep.top(5, sort="total_fees")]
    assert fees == sorted(fees)
    assert len(study.sweep.top()) == 10


def test_pandas_frame_keeps_amounts_exact_unless_floats_are_asked_for(study: Study) -> None:
    trials = study.sweep.trials()
    frame = trials.pandas()
    assert list(frame["net_pnl"]) == [trial.metrics["net_pnl"] for trial in trials]
    assert type(frame["min_funding_rate"].sum()) is Decimal
    assert str(frame["total_trades"].dtype) == "Int64"
    assert frame["profit_factor"].isna().sum() == sum(
        trial.metrics["profit_factor"] is None for trial in trials
    )
    floats = trials.pandas(exact=False)
    assert str(floats["net_pnl"].dtype) == "float64"
    assert list(floats["net_pnl"]) == [float(trial.metrics["net_pnl"]) for trial in trials]


def test_polars_frame_keeps_amounts_exact_unless_floats_are_asked_for(study: Study) -> None:
    trials = study.sweep.trials()
    frame = trials.polars()
    assert frame["net_pnl"].to_list() == [trial.metrics["net_pnl"] for trial in trials]
    assert frame["min_funding_rate"].sum() == sum(trial.params["min_funding_rate"] for trial in trials)
    assert frame["profit_factor"].to_list() == [trial.metrics["profit_factor"] for trial in trials]
    assert frame.schema["total_trades"] == pl.Int64
    assert trials.polars(exact=False).schema["net_pnl"] == pl.Float64


def test_frame_of_no_trials_has_all_columns(study: Study) -> None:
    nothing = study.sweep.trials(state="failed")
    assert list(nothing.pandas().columns) == list(study.sweep.trials().pandas().columns)
    assert nothing.polars().shape == (0, len(nothing.columns))


@pytest.mark.parametrize("agg", ["best", "mean", "median", "worst"])
@pytest.mark.parametrize("metric", ["net_pnl", "sharpe", "total_trades"])
def test_heatmap_frames_hold_the_matrix_of_the_service(study: Study, metric: str, agg: Any) -> None:
    query = f"/heatmap?x=min_funding_rate&y=perp_leverage&metric={metric}&agg={agg}"
    document = read(study, query)
    heatmap = study.sweep.heatmap("min_funding_rate", "perp_leverage", metric, agg)
    assert [[as_text(cell) for cell in row] for row in heatmap.cells] == document["cells"]
    assert heatmap.trials == document["trials"]
    frame = heatmap.pandas(exact=False)
    assert frame.shape == (2, 5)
    assert frame.index.name == "perp_leverage"
    assert frame.loc[Decimal(5), Decimal("0.0001")] == float(heatmap.cells[1][4])
    assert heatmap.polars("counts").rows() == [("1", 2, 2, 2, 2, 2), ("5", 2, 2, 2, 2, 2)]


def test_heatmap_is_of_the_objective_at_fixed_values_of_other_axes(study: Study) -> None:
    heatmap = study.sweep.heatmap("min_funding_rate", "perp_leverage", where={"exit_funding_rate": "0"})
    assert heatmap.metric == study.sweep.document["spec"]["objective"]["metric"]
    assert heatmap.counts == [[1] * 5] * 2


def test_curve_and_round_trips_of_a_trial_are_exact(study: Study) -> None:
    best = study.sweep.top(1)[0]
    equity, trades = study.sweep.equity(best.number), study.sweep.trades(best.number)
    written = read(study, f"/trials/{best.number}/equity")["equity"]
    assert [[round(time.timestamp() * 1000), f"{value:f}"] for time, value in equity] == written
    assert equity[-1].equity == best.metrics["final_equity"]
    assert sum(trade.net_pnl for trade in trades) == best.metrics["net_pnl"]
    assert str(equity.pandas()["time"].dtype) == "datetime64[ms, UTC]"
    assert trades.polars()["funding_payments"].sum() == best.metrics["funding_payments"]


@pytest.mark.parametrize("name", ["trials.csv", "trials.jsonl", "trials.PARQUET"])
def test_export_is_written_whole_with_its_manifest_beside_it(study: Study, tmp_path: Path, name: str) -> None:
    path = study.sweep.export(tmp_path / name)
    manifest = json.loads((tmp_path / f"{name}.manifest.json").read_text())
    assert manifest["spec_digest"] == study.sweep.manifest()["spec_digest"]
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted([name, f"{name}.manifest.json"])
    trials = study.sweep.trials(sort="number")
    exact = [f"{trial.metrics['net_pnl']:f}" for trial in trials]
    if path.suffix == ".csv":
        assert [row["net_pnl"] for row in csv.DictReader(path.read_text().splitlines())] == exact
    elif path.suffix == ".jsonl":
        rows = map(json.loads, path.read_text().splitlines())
        assert [row["metrics"]["net_pnl"] for row in rows] == exact
    else:
        assert pl.read_parquet(path)["net_pnl"].to_list() == trials.polars()["net_pnl"].to_list()


def test_export_to_a_suffix_that_names_no_format_needs_one(study: Study, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="trials.xls: its suffix names no format"):
        study.sweep.export(tmp_path / "trials.xls")
    assert study.sweep.export(tmp_path / "trials.xls", "csv").read_text().startswith("number,")


def test_listing_coverage_plan_and_strategies_are_those_of_the_service(study: Study) -> None:
    assert [sweep.id for sweep in study.client.sweeps()] == [study.sweep.id]
    assert study.client.sweeps(state="cancelled") == []
    assert study.client.sweep(study.sweep.id).document["spec"] == study.sweep.document["spec"]
    assert study.client.coverage()[0]["exchange"] == "synthetic"
    assert study.client.plan(study.sweep.document["spec"])["trials"] == 20
    assert {found["name"] for found in study.client.strategies()["strategies"]} >= {"simple", "composite"}


def test_missing_frame_library_is_named_with_the_remedy(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"pip install carrygrid\[polars\]"):
        study.sweep.top(1).polars()
