"""Fields of answers: declared once, in the schema; documents, pages and the typed client follow it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hedge_files import hedge_data
from pydantic import BaseModel, create_model
from webservice import Reader

from api.presentation.presenters import SweepCard
from api.responses import json_bytes
from api.schemas.answers import BestTrial, JobDocument, SweepDocument, TrialDocument
from api.schemas.fields import Of, document_of
from api.schemas.runs import TradeDocument
from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.hedges.result import hedge_trade_document, hedge_trade_of
from bot.models import Trade as DomainTrade
from carrygrid import Sweep
from carrygrid.progress import Progress
from carrygrid.records import Trade, trade_table
from sweeps.analysis.progress import BestTrial as BestTrialView
from sweeps.analysis.progress import SweepView, get_sweep
from sweeps.analysis.queries import TrialView
from sweeps.jobs.jobs import JobView

CASES = Path(__file__).parents[1] / "bot" / "hedges" / "cases"
DECLARED: list[tuple[type[BaseModel], type[Any]]] = [
    (SweepDocument, SweepView),
    (BestTrial, BestTrialView),
    (TrialDocument, TrialView),
    (JobDocument, JobView),
]


class Read(Mapping[str, Any]):
    """A document that remembers which of its fields were read."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return self._document[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)


def view_of(reader: Reader) -> SweepView:
    with reader.client.app.state.database.engine.connect() as connection:  # type: ignore[attr-defined]
        return get_sweep(connection, reader.sweep_id)


@pytest.mark.parametrize(("schema", "view"), DECLARED, ids=lambda one: one.__name__)
def test_every_field_is_an_attribute_of_the_view_or_says_what_it_is_of(
    schema: type[BaseModel], view: type[Any]
) -> None:
    known = {field.name for field in fields(view)} | set(dir(view))
    plain = {
        name
        for name, field in schema.model_fields.items()
        if not any(isinstance(mark, Of) for mark in field.metadata)
    }
    assert plain - known == set()
    assert plain


def test_field_that_is_added_to_the_schema_is_in_the_document(reader: Reader) -> None:
    view = view_of(reader)
    larger = create_model("Larger", __base__=SweepDocument, created_ms=(int, ...))
    expected = document_of(SweepDocument, view) | {"created_ms": view.created_ms}
    assert json_bytes(document_of(larger, view)) == json_bytes(expected)


def test_answers_have_the_fields_of_their_schemas_in_order_and_of_their_types(reader: Reader) -> None:
    sweep = reader.client.get(f"/sweeps/{reader.sweep_id}").json()
    trial = reader.client.get(f"/sweeps/{reader.sweep_id}/trials").json()["trials"][0]
    trade = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/0/trades").json()["trades"][0]
    for schema, document in ((SweepDocument, sweep), (TrialDocument, trial), (TradeDocument, trade)):
        assert list(document) == list(schema.model_fields)
        schema.model_validate(document)


def test_client_reads_fields_of_a_sweep_that_are_declared(reader: Reader) -> None:
    read = Read(reader.client.get(f"/sweeps/{reader.sweep_id}").json())
    sweep = Sweep(None, read)  # type: ignore[arg-type]
    assert [sweep.id, sweep.name, sweep.state] == [read["id"], read["name"], read["state"]]
    assert (sweep.outcome, sweep.data_changed) == ("completed", None)
    assert Progress.of(read).done == read["trials_done"]
    assert read.names <= set(SweepDocument.model_fields)
    assert {"id", "name", "state", "outcome", "data_change", "trials_done", "rate", "eta"} <= read.names


def test_trade_has_the_same_fields_in_answers_and_client_and_those_of_the_domain_among_them() -> None:
    domain = {name.removesuffix("_ms") for name in DomainTrade._fields}
    assert domain < set(TradeDocument.model_fields) == set(Trade._fields)


@pytest.mark.parametrize("name", ["03-perp-perp-two-grids", "06-long-leg-liquidated", "20-borrow-liquidated"])
def test_trades_of_hedges_without_a_price_are_declared_and_read_by_the_client(name: str) -> None:
    case = json.loads((CASES / f"{name}.json").read_text())
    data = hedge_data(case["files"], case["config"])
    (trade,) = run_hedges(RunConfig.parse(case["config"]), data).document()["trades"]
    assert list(trade) == list(TradeDocument.model_fields)
    TradeDocument.model_validate(trade)
    (read,) = trade_table([trade])
    assert None in {read.spot_exit, read.long_exit, read.short_exit}
    assert hedge_trade_document(hedge_trade_of(trade)) == trade


def test_page_of_a_sweep_adds_to_its_view_and_repeats_none_of_it(reader: Reader) -> None:
    worded = {"state", "summary"}
    card = SweepCard(view_of(reader))
    assert set(vars(card)) & {field.name for field in fields(SweepView)} == worded
