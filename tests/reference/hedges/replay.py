"""Runs of hedges, event by event."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tests.reference.hedges.account import Account
from tests.reference.hedges.decisions import Decisions
from tests.reference.hedges.desk import Desk
from tests.reference.hedges.fees import Orders
from tests.reference.hedges.files import Files
from tests.reference.hedges.hedge import hedges_of
from tests.reference.hedges.interruptions import Interruptions
from tests.reference.hedges.margins import MarginRules
from tests.reference.hedges.metrics import Notes, metrics_of
from tests.reference.hedges.parameters import Parameters
from tests.reference.hedges.signals import Signals
from tests.reference.hedges.sizing import Sizing
from tests.reference.naive_numbers import plain


class NoEventsError(ValueError):
    """Say that no hedge settles inside the window."""


def run(files: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics, trades and equity of one run, in the shape of the result document.

    `files` are texts by name, `exchange/STEM-kind.csv` or `.json`, and `exchange/fees.json`; `config` holds
    `exchange`, `symbols`, `start` and `end` in ms, and any parameters. Coverage is not judged.
    Raises: NoEventsError if the window holds no settlement, ValueError if markets do not fit the structure.
    """
    replay = Replay(Parameters(config), Files(files))
    replay.play()
    return replay.document()


class Replay:
    """One run."""

    def __init__(self, parameters: Parameters, files: Files) -> None:
        self.parameters = parameters
        self.hedges = hedges_of(parameters, files)
        legs = [leg for hedge in self.hedges for leg in hedge.legs]
        self.account = Account(parameters, self.hedges)
        self.orders = Orders(
            parameters, {leg.exchange: files.document(f"{leg.exchange}/fees.json") for leg in legs}
        )
        self.margins = MarginRules(
            parameters,
            {
                (leg.exchange, leg.stem): files.document(f"{leg.exchange}/{leg.stem}-brackets.json")
                for leg in legs
            },
        )
        self.signals = Signals(parameters, self.orders)
        self.sizing = Sizing(parameters, self.account, self.orders, self.margins)
        self.desk = Desk(parameters, self.account, self.orders, self.margins, self.signals, self.sizing)
        self.notes = Notes()
        self.interruptions = Interruptions(self.desk, self.notes, self.hedges)
        self.decisions = Decisions(self.hedges, self.desk, self.notes)

    def document(self) -> dict[str, Any]:
        """Return metrics, trades and equity, money as plain text."""
        metrics = metrics_of(self.parameters["initial_capital"], self.notes, self.desk.trades)
        return {
            "metrics": {
                name: plain(value) if isinstance(value, Fraction) else value
                for name, value in metrics.items()
            },
            "trades": [trade.document() for trade in self.desk.trades],
            "equity": [[t, plain(equity)] for t, equity in self.notes.curve],
        }

    def events(self) -> list[int]:
        """Return the settlement times inside the window.

        Raises: NoEventsError if there are none.
        """
        times = {t for hedge in self.hedges for t in hedge.settlements()}
        inside = sorted(t for t in times if self.parameters.start <= t <= self.parameters.end)
        if not inside:
            raise NoEventsError(f"no settlement between {self.parameters.start} and {self.parameters.end}")
        return inside

    def play(self) -> None:
        """Replay all events."""
        events = self.events()
        previous = events[0]
        for t in events:
            listed = len(self.desk.trades)
            if previous < t:
                self.interruptions.pass_time(previous, t)
            self.settle_funding(t)
            if t == events[-1]:
                self.desk.list_ended()
                self.close_everything(t)
            else:
                self.interruptions.fill_due(t)
                self.desk.list_ended()
                self.decisions.decide(t, listed)
            self.desk.list_ended()
            self.notes.after_event(t, self.account)
            previous = t

    def settle_funding(self, t: int) -> None:
        """Book the funding of all perp legs that settle at `t`."""
        for held in self.account.held:
            for leg in held.open_legs:
                if t in leg.contract.settled_at and leg.leg.is_perp:
                    contracts = (held.long.contract, held.short.contract)
                    carry = self.signals.carry(held.hedge, contracts, t, however_old=True)
                    assert carry is not None
                    payment = self.desk.fund(held, leg, t)
                    self.notes.paid(payment, 8 * carry, self.parameters["regime_high"])

    def close_everything(self, t: int) -> None:
        """End the run: close what is open, let waiting entries lapse and transfers arrive."""
        self.account.waiting.clear()
        for transfer in self.account.transfers:
            self.account.cash[transfer.exchange] += transfer.amount
        self.account.transfers.clear()
        for held in list(self.account.held):
            if held.is_whole:
                self.desk.close(held, t, held.close_reason or "end")
            else:
                for leg in held.open_legs:
                    self.desk.close_leg(held, leg, t, made=False)
                self.desk.finish(held, t)
