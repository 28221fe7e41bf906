"""Findings of a run: those of its window that concern it, and how much of its P&L comes from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from bot.accounting import formulas
from bot.backtest.window_findings import WindowFinding, closed_there, title
from bot.market.jumps import JumpMoment
from bot.models import Trade
from bot.numbers.money import ZERO, exact, plain

WARNED_MISSES = Decimal("0.01")
"""Settlements that are not in the data are a warning from this share of those that fell due on."""
_MARKET_ENDED = "nobody could have earned that; set end_dead_markets to true to close there"
_ENDS = frozenset({"dead_contract", "record_ends"})
_WHEN = {"price_jump": "across it", "pnl_after_market_end": "after the contract had ended"}


@dataclass(frozen=True, slots=True)
class RunFinding:
    """One oddity that a reader of a run's numbers has to know.

    `pnl` is the part of its net P&L that was booked across the moment or after the end that the finding is
    about, quote currency, None where there is none or it is not known; `mainly` says that this is more than
    half of the net P&L. A `warning` is about P&L that may never have been there. `symbol` and `leg` are None
    where it is about all of them.
    """

    symbol: str | None
    leg: str | None
    name: str
    count: int
    from_ms: int | None
    to_ms: int | None
    detail: str
    warning: bool
    pnl: Decimal | None = None
    mainly: bool = False

    @property
    def title(self) -> str:
        """The finding's place and name: `BTC/USDT:USDT perp: zero volume`."""
        return title(self.symbol, self.leg, self.name)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.pnl is None:
            return self.detail
        most = ", more than half of it," if self.mainly else ""
        return f"{plain(self.pnl)} of the net P&L{most} was booked {_WHEN[self.name]}: {self.detail}"

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON values, money as canonical text."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"pnl": None if self.pnl is None else plain(self.pnl)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the finding of a document."""
        pnl = document["pnl"]
        return cls(**{**document, "pnl": None if pnl is None else Decimal(pnl)})


@dataclass(frozen=True, slots=True)
class Booked:
    """A run's figures that findings ask for; the last three are None in results that are older than they.

    `ends_dead` says that the run closes at the end of a contract what it holds of it.
    """

    net_pnl: Decimal
    total_trades: int
    ends_dead: bool = False
    funding_payments: int | None = None
    missed_settlements: int | None = None
    pnl_after_market_end: Decimal | None = None


def run_findings(
    found: Sequence[WindowFinding], booked: Booked, trades: Sequence[Trade] | None
) -> tuple[RunFinding, ...]:
    """Return the findings of a run, warnings first: those of its window about the pairs that it traded.

    All pairs count where nothing was traded, and where the trades are not known (`trades` None).
    """
    traded = {trade.symbol for trade in trades or ()}
    mine = [one for one in found if not traded or one.symbol in traded]
    with exact():
        all_found = [*_booked_findings(mine, booked), *(_in_run(one, booked, trades) for one in mine)]
    return tuple(sorted(all_found, key=lambda one: (not one.warning, not one.mainly)))


def _booked_findings(found: Sequence[WindowFinding], booked: Booked) -> Iterator[RunFinding]:
    late = booked.pnl_after_market_end
    if late:
        ended = [one for one in found if one.name in _ENDS]
        symbol = ended[0].symbol if len(ended) == 1 else None
        named = f"{', '.join(one.symbol for one in ended)}: " if len(ended) > 1 else ""
        first_ms = min((one.from_ms for one in ended), default=None)
        last_ms = max((one.to_ms for one in ended), default=None)
        place = symbol, None, "pnl_after_market_end", max(1, len(ended)), first_ms, last_ms
        mainly = _mainly(late, booked.net_pnl)
        yield RunFinding(*place, named + _MARKET_ENDED, warning=True, pnl=late, mainly=mainly)
    missed = booked.missed_settlements
    if missed:
        due = missed + (booked.funding_payments or 0)
        lacks = "is" if missed == 1 else "are"
        detail = (
            f"{missed:,} of {due:,} settlements due while a hedge was held {lacks} not in the data and "
            "nothing was booked there"
        )
        warning = Decimal(missed) >= WARNED_MISSES * due
        yield RunFinding(None, "funding", "missed_settlements", missed, None, None, detail, warning)


def _in_run(one: WindowFinding, booked: Booked, trades: Sequence[Trade] | None) -> RunFinding:
    place = one.symbol, one.leg, one.name, one.count, one.from_ms, one.to_ms, one.detail
    if one.name == "dead_contract" and booked.ends_dead:
        return RunFinding(*place[:-1], closed_there(one.detail), warning=False)
    if one.name == "dead_contract":
        # Of results that say how much was booked later, that is a finding of its own.
        known = booked.pnl_after_market_end is not None
        return RunFinding(*place, warning=not known and bool(booked.total_trades))
    if one.name != "price_jump" or trades is None:
        return RunFinding(*place, warning=one.serious and bool(booked.total_trades))
    across = [
        trade
        for trade in trades
        if trade.symbol == one.symbol and trade.opened_at_ms < one.to_ms and trade.closed_at_ms > one.from_ms
    ]
    held = any(_is_held(trade, jump) for trade in across for jump in one.jumps)
    if not held or not one.jumps:
        return RunFinding(*place, warning=bool(across) and not one.jumps)
    made = sum((_made(trade, jump) for trade in across for jump in one.jumps), ZERO)
    return RunFinding(*place, warning=True, pnl=made, mainly=_mainly(made, booked.net_pnl))


def _is_held(trade: Trade, jump: JumpMoment) -> bool:
    return trade.opened_at_ms < jump.after_ms and trade.closed_at_ms > jump.before_ms


def _made(trade: Trade, jump: JumpMoment) -> Decimal:
    """Return the price P&L of a hedge over a jump. Call inside `exact()`."""
    after = _price_pnl(trade, jump.after_ms, jump.spot_after, jump.perp_after)
    return after - _price_pnl(trade, jump.before_ms, jump.spot_before, jump.perp_before)


def _price_pnl(trade: Trade, at_ms: int, spot: Decimal | None, perp: Decimal | None) -> Decimal:
    """Return the price P&L of a hedge by a moment: booked once it is closed."""
    if at_ms >= trade.closed_at_ms:
        return trade.price_pnl
    if at_ms <= trade.opened_at_ms or spot is None or perp is None:
        return ZERO
    value = formulas.hedge_value(*trade.structure, trade.quantity, spot, trade.perp_entry, perp)
    return value - formulas.notional(trade.quantity * trade.structure.spot, trade.spot_entry)


def _mainly(part: Decimal, net: Decimal) -> bool:
    """Return whether a part makes up more than half of a net P&L, whatever their signs."""
    return 2 * abs(part) > abs(net)
