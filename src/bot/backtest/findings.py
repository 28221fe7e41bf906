"""Findings of a run: what is odd about the data of its window, and how much of its P&L comes from that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Self

from bot.data.coverage import Coverage
from bot.data.jumps import JumpMoment
from bot.data.quality import NO_RETURN, Finding
from bot.models import DAY_MS, HOUR_MS, Trade
from bot.money import ZERO, exact, plain
from bot.pnl import formulas
from bot.wording import counted

SHOWN_SHARE = 0.05
SHOWN_CANDLES = 24
"""Quiet or flat candles are shown with a run where they are so many and so much of a leg, or where"""
SHOWN_STRETCH_MS = DAY_MS
"""a stretch of them lasts so long."""
WARNED_MISSES = Decimal("0.01")
"""Settlements that are not in the data are a warning from this share of those that fell due on."""
VOLUME_CANDLES = 24
"""The candles that `volume_24h` counts, whatever their length."""
_MOST_JUMPS = 100
"""Past so many a series is broken throughout, and no amount is worked out."""
_STRETCHES = frozenset({"zero_volume", "flat"})
SERIOUS = frozenset({"price_jump", "legs_apart", "dead_contract"})
"""Names of findings of which P&L may come that nobody could have earned."""
_ALWAYS = frozenset({"legs_apart", "dead_contract", "record_ends"})
_MARKET_ENDED = "nobody could have earned that; set end_dead_markets to true to close there"
_WHEN = {"price_jump": "across it", "pnl_after_market_end": "after the contract had ended"}


@dataclass(frozen=True, slots=True)
class WindowFinding:
    """One oddity of a pair within a window, whatever a run does there.

    `leg` is None where it is about the pair; times are ms UTC. `jumps` are the moments of a price jump,
    none where there are too many to follow.
    """

    symbol: str
    leg: str | None
    name: str
    count: int
    from_ms: int
    to_ms: int
    detail: str
    jumps: tuple[JumpMoment, ...] = ()

    @property
    def serious(self) -> bool:
        """Whether P&L may come of it that nobody could have earned."""
        return self.name in SERIOUS

    @property
    def title(self) -> str:
        """The finding's place and name: `BTC/USDT:USDT perp: zero volume`."""
        return _title(self.symbol, self.leg, self.name)

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON values, so that `of` gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"jumps": [jump.document() for jump in self.jumps]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the finding of a document."""
        return cls(**{**document, "jumps": tuple(map(JumpMoment.of, document["jumps"]))})


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
        return _title(self.symbol, self.leg, self.name)

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
    """A run's figures that findings ask for; the last three are None in results of before there were any."""

    net_pnl: Decimal
    total_trades: int
    funding_payments: int | None = None
    missed_settlements: int | None = None
    pnl_after_market_end: Decimal | None = None


def words(name: str) -> str:
    """Return the name of a finding as people write it."""
    return name.replace("_", " ").replace("pnl", "P&L")


def _title(symbol: str | None, leg: str | None, name: str) -> str:
    place = " ".join(part for part in (symbol, leg) if part)
    return f"{place}: {words(name)}" if place else words(name)


def window_findings(covered: Mapping[str, Coverage]) -> tuple[WindowFinding, ...]:
    """Return what is worth knowing about the data of a window, pair by pair."""
    return tuple(found for symbol, one in covered.items() for found in _of_pair(symbol, one))


def run_findings(
    found: Sequence[WindowFinding], booked: Booked, trades: Sequence[Trade] | None
) -> tuple[RunFinding, ...]:
    """Return the findings of a run, warnings first: those of its window about the pairs that it traded.

    All pairs count where nothing was traded, and where the round trips are not known (`trades` None).
    """
    traded = {trade.symbol for trade in trades or ()}
    mine = [one for one in found if not traded or one.symbol in traded]
    with exact():
        all_found = [*_booked_findings(mine, booked), *(_in_run(one, booked, trades) for one in mine)]
    return tuple(sorted(all_found, key=lambda one: (not one.warning, not one.mainly)))


def _of_pair(symbol: str, covered: Coverage) -> Iterator[WindowFinding]:
    dead = any(one.name == "dead_contract" for one in covered.findings)
    jumped = [one for one in covered.findings if one.name == "price_jump"]
    if jumped:
        yield _joined(symbol, jumped, covered.jumps)
    for one in covered.findings:
        # Once a contract is dead it does not trade: saying so twice explains nothing.
        told = dead and one.leg == "perp" and one.name in _STRETCHES
        if one.name in _ALWAYS or (_is_long(one) and not told):
            yield WindowFinding(symbol, one.leg, one.name, one.count, one.from_ms, one.to_ms, one.detail)
    yield from _volume_window(symbol, covered)


def _is_long(one: Finding) -> bool:
    if one.name not in _STRETCHES or one.leg == "mark" or one.share is None or one.longest_ms is None:
        return False
    many = one.count >= SHOWN_CANDLES and one.share >= SHOWN_SHARE
    return many or one.longest_ms >= SHOWN_STRETCH_MS


def _joined(symbol: str, jumped: Sequence[Finding], jumps: tuple[JumpMoment, ...]) -> WindowFinding:
    """Return the price jumps of all legs of a pair as one finding: what one leg gains the other may lose."""
    detail = "; ".join(f"{one.leg} {one.detail.removesuffix(NO_RETURN)}" for one in jumped) + NO_RETURN
    followed = jumps if len(jumps) <= _MOST_JUMPS else ()
    first_ms, last_ms = jumps[0].before_ms, jumps[-1].after_ms
    return WindowFinding(symbol, None, "price_jump", len(jumps), first_ms, last_ms, detail, followed)


def _volume_window(symbol: str, covered: Coverage) -> Iterator[WindowFinding]:
    detail, first_ms, last_ms = volume_note(covered), covered.first_ms, covered.last_ms
    if detail and covered.perp.found and first_ms is not None and last_ms is not None:
        yield WindowFinding(symbol, "perp", "volume_window", covered.perp.found, first_ms, last_ms, detail)


def volume_note(covered: Coverage) -> str | None:
    """Return which time `volume_24h` spans, None where that is 24 hours."""
    step_ms = covered.timeframes_ms["perp"]
    if step_ms == HOUR_MS:
        return None
    return (
        f"volume_24h counts the {VOLUME_CANDLES} newest perp candles, here of {_lasting(step_ms)}: it spans "
        f"{_lasting(VOLUME_CANDLES * step_ms)}, so choose min_volume_24h for that"
    )


def _lasting(span_ms: int) -> str:
    if span_ms % DAY_MS == 0:
        return counted(span_ms // DAY_MS, "day")
    return f"{span_ms / HOUR_MS:g} h" if span_ms >= HOUR_MS else f"{span_ms / 60_000:g} min"


def _booked_findings(found: Sequence[WindowFinding], booked: Booked) -> Iterator[RunFinding]:
    late = booked.pnl_after_market_end
    ended = [one for one in found if one.name == "dead_contract"]
    if late and ended:
        symbol = ended[0].symbol if len(ended) == 1 else None
        named = "" if symbol else f"{', '.join(one.symbol for one in ended)}: "
        span = min(one.from_ms for one in ended), max(one.to_ms for one in ended)
        place = symbol, None, "pnl_after_market_end", len(ended), *span, named + _MARKET_ENDED
        yield RunFinding(*place, warning=True, pnl=late, mainly=_mainly(late, booked.net_pnl))
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
    """Return the price P&L of a hedge over a jump. Call inside `bot.money.exact()`."""
    after = _price_pnl(trade, jump.after_ms, jump.spot_after, jump.perp_after)
    return after - _price_pnl(trade, jump.before_ms, jump.spot_before, jump.perp_before)


def _price_pnl(trade: Trade, at_ms: int, spot: Decimal | None, perp: Decimal | None) -> Decimal:
    """Return what prices had made of a hedge by a moment: booked once it is closed."""
    if at_ms >= trade.closed_at_ms:
        return trade.price_pnl
    if at_ms <= trade.opened_at_ms or spot is None or perp is None:
        return ZERO
    value = formulas.hedge_value(trade.quantity, spot, trade.perp_entry, perp)
    return value - formulas.notional(trade.quantity, trade.spot_entry)


def _mainly(part: Decimal, net: Decimal) -> bool:
    """Return whether a part makes up more than half of a net P&L, whatever their signs."""
    return 2 * abs(part) > abs(net)
