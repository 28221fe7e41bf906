"""A second, slow and plain implementation of docs/domain.md, sharing no code with the product."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.reference.naive_capital import HedgeFigures
from tests.reference.naive_config import Parameters, fill_in
from tests.reference.naive_fees import Fees
from tests.reference.naive_market import Symbol
from tests.reference.naive_metrics import metrics_of
from tests.reference.naive_numbers import book, divide, plain
from tests.reference.naive_signals import Candidate, Composite, Simple, Strategy
from tests.reference.naive_trades import Position, Trade


class NoEventsError(ValueError):
    """Say that no symbol settles inside the window."""


def run(
    market: Mapping[str, Any], config: Mapping[str, Any], fee_rows: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return metrics, trades and equity of one run, in the shape of the result document.

    Raises: NoEventsError if the window holds no settlement.
    """
    parameters = fill_in(config)
    override = config.get("instrument") or {}
    symbols = {name: Symbol(name, market[name], override) for name in parameters.symbols}
    replay = _Replay(parameters, symbols, fee_rows=fee_rows)
    replay.play()
    document = replay.document()
    document["metrics"] |= replay.hedges.metrics(replay.capital, replay.trades)
    return document


def run_stitched(
    market: Mapping[str, Any], start: int, seams: Sequence[tuple[int, Mapping[str, Any]]]
) -> dict[str, Any]:
    """Return one run from `start` whose parameters change at the first event from the moment of each seam on.

    The account is cash before the first seam, and its positions go on over all others.
    Raises: NoEventsError if the days hold no settlement.
    """
    changes = [(moment, fill_in({**config, "start": start})) for moment, config in seams]
    names = dict.fromkeys(name for _, parameters in changes for name in parameters.symbols)
    symbols = {name: Symbol(name, market[name], {}) for name in names}
    replay = _Replay(changes[0][1], symbols)
    events = replay.events()
    at_events = {
        next((t for t in events if t >= moment), events[-1]): parameters for moment, parameters in changes
    }
    replay = _Replay(next(iter(at_events.values())), symbols, at_events)
    replay.play()
    return replay.document()


class _Replay:
    def __init__(
        self,
        parameters: Parameters,
        symbols: Mapping[str, Symbol],
        changes: Mapping[int, Parameters] | None = None,
        fee_rows: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.fees = Fees(fee_rows)
        self.symbols = symbols
        self.changes = changes or {}
        self.put_in_force(parameters)
        self.capital = self.cash = parameters["initial_capital"]
        self.positions: list[Position] = []
        self.trades: list[Trade] = []
        self.curve: list[tuple[int, Fraction]] = []
        self.skipped = self.payments = self.events_held = 0
        self.ends = {name: symbol.end(parameters.end) for name, symbol in symbols.items()}
        self.entry_fees: dict[tuple[str, int], Fraction] = {}
        self.hedges = HedgeFigures(parameters["regime_high"])

    def put_in_force(self, parameters: Parameters) -> None:
        composite = parameters.strategy_mode == "composite"
        self.parameters = parameters
        self.strategy: Strategy = (
            Composite(parameters, self.symbols) if composite else Simple(parameters, self.fees)
        )

    def play(self) -> None:
        events = self.events()
        begins = min(self.changes, default=events[0])
        previous = events[0]
        for t in events:
            if t < begins:
                self.curve.append((t, self.cash))
                continue
            if t in self.changes:
                self.put_in_force(self.changes[t])
            trades_before = len(self.trades)
            self.interrupt(previous, t)
            self.settle_funding(t)
            if t == events[-1]:
                self.close_everything(t)
            else:
                self.exit_positions(t)
                self.enter_positions(t, {trade.symbol for trade in self.trades[trades_before:]})
            self.events_held += bool(self.positions)
            self.curve.append((t, self.equity(t)))
            self.hedges.after_event(t, self.positions)
            previous = t

    def events(self) -> list[int]:
        times = {record.t for symbol in self.symbols.values() for record in symbol.records}
        inside = sorted(t for t in times if self.parameters.start <= t <= self.parameters.end)
        if not inside:
            raise NoEventsError(f"no settlement between {self.parameters.start} and {self.parameters.end}")
        return inside

    def equity(self, t: int) -> Fraction:
        return self.cash + sum((position.unrealized(t) for position in self.positions), Fraction(0))

    def interrupt(self, previous: int, t: int) -> None:
        """Do what exchanges did after `previous` up to `t`, moment by moment: liquidate, then delist."""
        held, ended = list(self.positions), len(self.trades)
        for moment in self.moments(previous, t):
            for position in held:
                if position in self.positions and self.is_wiped_out(position, moment):
                    self.end_by_liquidation(position, moment)
            for position in held:
                if position in self.positions and self.contract_end(position.symbol) == moment:
                    self.end_by_delisting(position, moment)
        order = {position.symbol.name: place for place, position in enumerate(held)}
        self.trades[ended:] = sorted(self.trades[ended:], key=lambda trade: order[trade.symbol])

    def moments(self, previous: int, t: int) -> list[int]:
        found = {self.contract_end(position.symbol) for position in self.positions}
        for position in self.positions:
            candles = position.symbol.liquidation_candles
            found |= {*candles.closed_at[candles.visible(previous) : candles.visible(t)]}
        return sorted(moment for moment in found if moment is not None and previous < moment <= t)

    def is_wiped_out(self, position: Position, moment: int) -> bool:
        candles = position.symbol.liquidation_candles
        newest = candles.visible(moment) - 1
        if newest < 0 or candles.closed_at[newest] != moment or moment <= position.opened_at:
            return False
        self.hedges.tested(position, candles.high[newest])
        return position.is_liquidated_by(candles.high[newest])

    def contract_end(self, symbol: Symbol) -> int | None:
        """Return the end of a contract that closes hedges, None if none does."""
        return self.ends[symbol.name] if self.parameters.end_dead_markets else None

    def settle_funding(self, t: int) -> None:
        for position in self.positions:
            symbol = position.symbol
            if not symbol.settles_at(t):
                continue
            mark = symbol.settlement_mark(t)
            assert mark is not None
            record = symbol.records[symbol.record_index(t)]
            payment = book(position.quantity * mark * record.rate)
            self.hedges.paid(payment, record.rate * 8 / record.interval_hours)
            self.cash += payment
            position.funding += payment
            position.funding_payments += 1
            position.settlements.append((t, payment))
            self.payments += 1

    def exit_positions(self, t: int) -> None:
        for position in list(self.positions):
            if not self.is_fresh(position.symbol, t):
                continue
            signal = self.gives_signal(position, t)
            if self.margin_is_short(position, t):
                self.close(position, t, "margin")
            elif self.is_near_liquidation(position, t):
                self.close(position, t, "distance")
            elif self.basis_is_extended(position, t):
                self.close(position, t, "basis")
            elif position.symbol.settles_at(t) and not self.is_traded(position.symbol):
                self.close(position, t, "seam")
            elif signal and self.is_patient_enough(position, t):
                self.close(position, t, "signal")

    def gives_signal(self, position: Position, t: int) -> bool:
        """Tell whether the hedge settles and is to be left, and count such settlements in a row."""
        symbol = position.symbol
        if not symbol.settles_at(t):
            return False
        signal = self.strategy.wants_out(symbol, t) and self.costs_more_than_leaving(symbol, t)
        position.signals_in_a_row = position.signals_in_a_row + 1 if signal else 0
        return signal

    def costs_more_than_leaving(self, symbol: Symbol, t: int) -> bool:
        parameters, record = self.parameters, symbol.records[symbol.record_index(t)]
        if parameters.exit_loss_horizon_hours is None:
            return True
        leaving = sum(
            (
                self.fees.rate(parameters, leg, "signal", t) + parameters.slippage(leg, "signal")
                for leg in ("long", "short")
            ),
            Fraction(0),
        )
        return -record.rate / record.interval_hours * parameters.exit_loss_horizon_hours > leaving

    def is_patient_enough(self, position: Position, t: int) -> bool:
        enough = position.signals_in_a_row >= self.parameters["exit_confirmations"]
        return enough and t >= position.opened_at + self.parameters["min_hold_hours"] * 3_600_000

    def is_near_liquidation(self, position: Position, t: int) -> bool:
        distance, mark = self.parameters.exit_liquidation_distance, position.symbol.margin_price(t)
        assert mark is not None
        return distance is not None and position.is_liquidated_by(mark * (1 + distance))

    def basis_is_extended(self, position: Position, t: int) -> bool:
        if self.parameters.basis_exit is None:
            return False
        grown = self.premium(position.symbol, t) - self.premium(position.symbol, position.opened_at)
        return grown >= self.parameters.basis_exit

    def premium(self, symbol: Symbol, t: int) -> Fraction:
        spot, perp = self.last_prices(symbol, t)
        return (perp - spot) / spot

    def close_everything(self, t: int) -> None:
        for position in list(self.positions):
            self.close(position, t, "end")

    def is_fresh(self, symbol: Symbol, t: int) -> bool:
        return symbol.has_fresh_prices(t, self.parameters.max_price_age_ms)

    def margin_is_short(self, position: Position, t: int) -> bool:
        price = position.symbol.margin_price(t)
        assert price is not None
        balance = position.margin_balance(price)
        if balance <= 0:
            return True
        return divide(position.maintenance(price), balance) >= self.parameters["margin_exit_ratio"]

    def enter_positions(self, t: int, ended: set[str]) -> None:
        for candidate in self.candidates(t, ended):
            if len(self.positions) >= self.parameters.count("max_simultaneous_positions"):
                return
            quantity = self.quantity(candidate, t)
            if self.is_too_small(candidate.symbol, quantity, t):
                self.skipped += 1
            else:
                self.open(candidate.symbol, quantity, t)

    def candidates(self, t: int, ended: set[str]) -> list[Candidate]:
        barred = ended | {position.symbol.name for position in self.positions}
        found = [
            self.strategy.candidate(symbol, t)
            for symbol in self.symbols.values()
            if symbol.name not in barred and symbol.settles_at(t) and self.is_fresh(symbol, t)
            if self.is_traded(symbol) and self.lives(symbol, t) and self.may_return(symbol, t)
        ]
        passed = [candidate for candidate in found if candidate is not None]
        return sorted(passed, key=lambda candidate: (-candidate.rank, candidate.symbol.name))

    def is_traded(self, symbol: Symbol) -> bool:
        return symbol.name in self.parameters.symbols

    def may_return(self, symbol: Symbol, t: int) -> bool:
        closed = [trade.closed_at for trade in self.trades if trade.symbol == symbol.name]
        most = self.parameters.max_round_trips
        if most is not None and len(closed) >= most:
            return False
        return not closed or t >= closed[-1] + self.parameters["cooldown_hours"] * 3_600_000

    def lives(self, symbol: Symbol, t: int) -> bool:
        end = self.contract_end(symbol)
        return end is None or t < end

    def quantity(self, candidate: Candidate, t: int) -> Fraction:
        parameters, symbol = self.parameters, candidate.symbol
        spot, perp = self.last_prices(symbol, t)
        spot_fee, perp_fee = (self.fees.rate(parameters, leg, None, t) for leg in ("long", "short"))
        spot_unit = spot * (1 + parameters.slippage("long", None)) * (1 + spot_fee)
        tied = 1 / parameters["perp_leverage"] + perp_fee
        perp_unit = perp * (1 - parameters.slippage("short", None)) * tied
        if spot_unit + perp_unit <= 0:
            return Fraction(0)
        limits = [self.budget(candidate, t) / (spot_unit + perp_unit)]
        if parameters.max_position_size is not None:
            limits.append(parameters.max_position_size / spot)
        if parameters.max_portfolio_exposure is not None:
            limits.append((parameters.max_portfolio_exposure - self.exposure()) / spot)
        return min(limits) // symbol.qty_step * symbol.qty_step

    def budget(self, candidate: Candidate, t: int) -> Fraction:
        parameters = self.parameters
        base = self.equity(t) if parameters.sizing_base == "equity" else parameters["initial_capital"]
        share = parameters["allocation"] * candidate.budget_fraction
        free_cash = self.cash - sum((position.margin for position in self.positions), Fraction(0))
        return min(base * share / parameters["max_simultaneous_positions"], free_cash)

    def exposure(self) -> Fraction:
        return sum((position.quantity * position.spot_entry for position in self.positions), Fraction(0))

    def is_too_small(self, symbol: Symbol, quantity: Fraction, t: int) -> bool:
        spot, _ = self.last_prices(symbol, t)
        return quantity <= 0 or quantity < symbol.min_qty or quantity * spot < symbol.min_notional

    def last_prices(self, symbol: Symbol, t: int) -> tuple[Fraction, Fraction]:
        spot, perp = symbol.spot.newest_close(t), symbol.perp.newest_close(t)
        assert spot is not None
        assert perp is not None
        return spot, perp

    def open(self, symbol: Symbol, quantity: Fraction, t: int) -> None:
        spot, perp = self.last_prices(symbol, t)
        spot_fill = spot * (1 + self.parameters.slippage("long", None))
        perp_fill = perp * (1 - self.parameters.slippage("short", None))
        fees = self.fee(quantity, spot_fill, "long", None, t)
        fees += self.fee(quantity, perp_fill, "short", None, t)
        margin = book(divide(quantity * perp_fill, self.parameters["perp_leverage"]))
        self.entry_fees[symbol.name, t] = fees
        self.cash -= book(quantity * spot_fill) + fees
        self.positions.append(Position(symbol, t, quantity, spot_fill, perp_fill, margin, fees))

    def fee(self, quantity: Fraction, fill: Fraction, leg: str, reason: str | None, t: int) -> Fraction:
        self.fees.filled(leg, t, quantity, fill)
        return book(quantity * fill * self.fees.rate(self.parameters, leg, reason, t))

    def close(self, position: Position, t: int, reason: str) -> None:
        spot, perp = self.last_prices(position.symbol, t)
        spot_exit = spot * (1 - self.parameters.slippage("long", reason))
        perp_exit = perp * (1 + self.parameters.slippage("short", reason))
        spot_fee = self.fee(position.quantity, spot_exit, "long", reason, t)
        perp_fee = self.fee(position.quantity, perp_exit, "short", reason, t)
        perp_pnl = book(position.quantity * (position.perp_entry - perp_exit))
        self.end_trade(position, t, reason, (spot_exit, perp_exit), perp_pnl, spot_fee + perp_fee)

    def end_by_liquidation(self, position: Position, closed_at: int) -> None:
        spot, _ = self.last_prices(position.symbol, closed_at)
        spot_exit = spot * (1 - self.parameters.slippage("long", "liquidation"))
        fee = self.fee(position.quantity, spot_exit, "long", "liquidation", closed_at)
        self.end_trade(position, closed_at, "liquidation", (spot_exit, None), -position.margin, fee)

    def end_by_delisting(self, position: Position, t: int) -> None:
        spot, _ = self.last_prices(position.symbol, t)
        settled = position.symbol.margin_price(t)
        assert settled is not None
        spot_exit, quantity = spot * (1 - self.parameters.slippage("long", "delisted")), position.quantity
        fees = self.fee(quantity, spot_exit, "long", "delisted", t)
        fees += self.fee(quantity, settled, "short", "delisted", t)
        perp_pnl = book(quantity * (position.perp_entry - settled))
        self.end_trade(position, t, "delisted", (spot_exit, settled), perp_pnl, fees)

    def end_trade(
        self,
        position: Position,
        closed_at: int,
        reason: str,
        exits: tuple[Fraction, Fraction | None],
        perp_pnl: Fraction,
        fees: Fraction,
    ) -> None:
        spot_exit, perp_exit = exits
        proceeds = book(position.quantity * spot_exit)
        self.cash += proceeds + perp_pnl - fees
        self.positions.remove(position)
        trade = Trade(
            symbol=position.symbol.name,
            opened_at=position.opened_at,
            closed_at=closed_at,
            quantity=position.quantity,
            spot_entry=position.spot_entry,
            perp_entry=position.perp_entry,
            spot_exit=spot_exit,
            perp_exit=perp_exit,
            funding=position.funding,
            fees=position.fees + fees,
            price_pnl=proceeds - book(position.quantity * position.spot_entry) + perp_pnl,
            funding_payments=position.funding_payments,
            reason=reason,
            settlements=tuple(position.settlements),
        )
        self.trades.append(trade)

    def missed(self, trade: Trade) -> int:
        symbol, end = self.symbols[trade.symbol], self.ends[trade.symbol]
        until = self.parameters.end if end is None else end
        collects_at_close = trade.reason not in ("liquidation", "delisted")
        return sum(
            trade.opened_at < t < trade.closed_at or (t == trade.closed_at and collects_at_close)
            for t in symbol.missing(until)
        )

    def pnl_after_ends(self) -> Fraction | None:
        """Return what the pairs whose contract ended have made since, valued at its end, None if none did."""
        ended = {name: end for name, end in self.ends.items() if end is not None}
        if not ended:
            return None
        total = Fraction(0)
        for trade in self.trades:
            if trade.symbol in ended and trade.closed_at > ended[trade.symbol]:
                total += trade.net_pnl - self.pnl_at(trade, ended[trade.symbol])
        return total

    def pnl_at(self, trade: Trade, t: int) -> Fraction:
        """Return what an open round trip had made at `t`, at the prices of then."""
        if trade.opened_at > t:
            return Fraction(0)
        spot, perp = self.last_prices(self.symbols[trade.symbol], t)
        paid = self.entry_fees[trade.symbol, trade.opened_at]
        value = book(trade.quantity * spot) + book(trade.quantity * (trade.perp_entry - perp))
        received = sum((amount for at, amount in trade.settlements if at <= t), Fraction(0))
        return value - book(trade.quantity * trade.spot_entry) - paid + received

    def document(self) -> dict[str, Any]:
        metrics = metrics_of(
            self.capital,
            self.curve,
            self.trades,
            skipped=self.skipped,
            payments=self.payments,
            events_held=self.events_held,
        )
        metrics["missed_settlements"] = sum(map(self.missed, self.trades))
        metrics["pnl_after_market_end"] = self.pnl_after_ends()
        return {
            "metrics": {
                name: plain(value) if isinstance(value, Fraction) else value
                for name, value in metrics.items()
            },
            "trades": [trade.document() for trade in self.trades],
            "equity": [[t, plain(equity)] for t, equity in self.curve],
        }
