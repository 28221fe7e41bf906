"""The carry of one pair by loops of their own, the measure of what a replay may cost.

They follow docs/domain.md as far as one pair at leverage 1 goes, without margin calls, liquidation,
booking to 8 places and daily statistics. One loop runs on Decimals, on floats and on scaled whole numbers.
This module knows nothing of the project, so that any interpreter can run it.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

CAPITAL = 10_000
BUDGET = 9_000
PRICE_PLACES, RATE_PLACES, QUANTITY_PLACES = 2, 8, 3
BASIS_POINTS, SLIPPAGE_BPS = 10**4, 5
FEE_UNITS, SPOT_TAKER, PERP_TAKER = 10**5, 100, 55
COIN_PLACES = PRICE_PLACES + 4 + 5
"""Every amount for one coin below is exact at so many places: a price, slipped, times a fee."""
SETTLEMENTS_PER_YEAR = 1_095

Trial = tuple[int, int]
"""Entry and exit threshold, as whole numbers of RATE_PLACES."""


class Series(NamedTuple):
    """Figures at each settlement, oldest first, as whole numbers of PRICE_PLACES and RATE_PLACES."""

    rates: list[int]
    spots: list[int]
    perps: list[int]
    marks: list[int]


class Outcome(NamedTuple):
    """Result of a trial, quote currency; `sharpe` over settlements, of returns on the initial capital."""

    net: Any
    fees: Any
    funding: Any
    drawdown: Any
    trades: int
    wins: int
    sharpe: float | None


class Tables(NamedTuple):
    """Amounts for one coin at each settlement, and the quantity that is bought there."""

    rates: list[Any]
    quantities: list[Any]
    paid: list[Any]
    changes: list[Any]
    entry_fees: list[Any]
    exit_fees: list[Any]
    slippages: list[Any]


def scaled_tables(series: Series) -> Tables:
    """Return the tables as whole numbers of RATE_PLACES, QUANTITY_PLACES, and COIN_PLACES for the amounts."""
    rates, spots, perps, marks = series
    up, down = BASIS_POINTS + SLIPPAGE_BPS, BASIS_POINTS - SLIPPAGE_BPS
    spot_cost, perp_cost = up * (FEE_UNITS + SPOT_TAKER), down * (FEE_UNITS + PERP_TAKER)
    budget = BUDGET * 10 ** (COIN_PLACES + QUANTITY_PLACES)
    price, payment = 10 ** (COIN_PLACES - PRICE_PLACES), 10 ** (COIN_PLACES - PRICE_PLACES - RATE_PLACES)
    slipped = SLIPPAGE_BPS * price // BASIS_POINTS
    legs = list(zip(spots, perps, strict=True))
    paid = [mark * rate * payment for mark, rate in zip(marks, rates, strict=True)]
    basis = [(spot - perp) * price for spot, perp in legs]
    moves = [0, *(now - before for before, now in itertools.pairwise(basis))]
    return Tables(
        rates,
        [budget // (spot * spot_cost + perp * perp_cost) for spot, perp in legs],
        paid,
        [move + funding for move, funding in zip(moves, paid, strict=True)],
        [spot * up * SPOT_TAKER + perp * down * PERP_TAKER for spot, perp in legs],
        [spot * down * SPOT_TAKER + perp * up * PERP_TAKER for spot, perp in legs],
        [(spot + perp) * slipped for spot, perp in legs],
    )


def in_units(scaled: Tables, make: Callable[[int, int], Any]) -> Tables:
    """Return the tables in natural units; `make` writes a whole number of so many places."""
    places = (RATE_PLACES, QUANTITY_PLACES, *[COIN_PLACES] * 5)
    return Tables(
        *([make(one, count) for one in column] for column, count in zip(scaled, places, strict=True))
    )


def decimal_of(whole: int, places: int) -> Decimal:
    """Return a whole number of so many places as a Decimal."""
    return Decimal(whole).scaleb(-places)


def float_of(whole: int, places: int) -> float:
    """Return a whole number of so many places as the nearest float."""
    return float(whole / 10**places)


def follow(tables: Tables, entry: Any, leave: Any, zero: Any) -> Outcome:
    """Return what one trial came to, settlement by settlement; amounts in the units of the tables."""
    _, quantities, _, _, entry_fees, exit_fees, slippages = tables
    last = len(quantities) - 1
    held = None
    value = before = peak = drawdown = fees = funding = squares = zero
    trades = wins = 0
    equity = []
    for at, (rate, paid, change) in enumerate(zip(tables.rates, tables.paid, tables.changes, strict=True)):
        if held is not None:
            step = held * change
            funding += held * paid
            if rate < leave or at == last:
                fee = held * exit_fees[at]
                fees += fee
                step -= held * slippages[at] + fee
                trades += 1
                wins += value + step > before
                held = None
        elif rate >= entry and at != last:
            held, before = quantities[at], value
            fee = held * entry_fees[at]
            fees += fee
            step = -held * slippages[at] - fee
        else:
            equity.append(value)
            continue
        value += step
        squares += step * step
        if value > peak:
            peak = value
        elif peak - value > drawdown:
            drawdown = peak - value
        equity.append(value)
    sharpe = additive_sharpe(value, squares, len(equity))
    return Outcome(value, fees, funding, drawdown, trades, wins, sharpe)


def additive_sharpe(net: Any, squares: Any, count: int) -> float | None:
    """Return the annualized ratio of mean and deviation of `count` steps that sum up to `net`."""
    spread = count * squares - net * net
    if count < 2 or spread <= 0:
        return None
    return float(net) / math.sqrt(float(spread)) * math.sqrt(SETTLEMENTS_PER_YEAR * (count - 1))


def tight_decimal(series: Series, trials: Sequence[Trial]) -> list[Outcome]:
    """Return the outcome of each trial; Decimals, everything that trials share computed once."""
    tables = in_units(scaled_tables(series), decimal_of)
    bounds = [(decimal_of(entry, RATE_PLACES), decimal_of(leave, RATE_PLACES)) for entry, leave in trials]
    return [follow(tables, entry, leave, Decimal(0)) for entry, leave in bounds]


def floats(series: Series, trials: Sequence[Trial]) -> list[Outcome]:
    """Return the outcome of each trial in float64, with its errors of rounding."""
    tables = in_units(scaled_tables(series), float_of)
    bounds = [(float_of(entry, RATE_PLACES), float_of(leave, RATE_PLACES)) for entry, leave in trials]
    return [follow(tables, entry, leave, 0.0) for entry, leave in bounds]


def whole_numbers(series: Series, trials: Sequence[Trial]) -> list[Outcome]:
    """Return the outcome of each trial in whole numbers, exact; the amounts as Decimals at the end."""
    tables = scaled_tables(series)
    found = (follow(tables, entry, leave, 0) for entry, leave in trials)
    places = COIN_PLACES + QUANTITY_PLACES
    return [Outcome(*(decimal_of(amount, places) for amount in one[:4]), *one[4:]) for one in found]


def plain_decimal(series: Series, trials: Sequence[Trial]) -> list[Outcome]:
    """Return the outcome of each trial as one writes it at first: Decimals, fills and fees at every trade."""
    places = (RATE_PLACES, PRICE_PLACES, PRICE_PLACES, PRICE_PLACES)
    columns = (
        [decimal_of(one, count) for one in column] for column, count in zip(series, places, strict=True)
    )
    rows = list(zip(*columns, strict=True))
    return [
        _plainly(rows, decimal_of(entry, RATE_PLACES), decimal_of(leave, RATE_PLACES))
        for entry, leave in trials
    ]


def _plainly(rows: list[tuple[Decimal, ...]], entry: Decimal, leave: Decimal) -> Outcome:
    slippage = Decimal(SLIPPAGE_BPS) / BASIS_POINTS
    spot_taker, perp_taker = Decimal(SPOT_TAKER) / FEE_UNITS, Decimal(PERP_TAKER) / FEE_UNITS
    step, budget = decimal_of(1, QUANTITY_PLACES), Decimal(BUDGET)
    cash = started = Decimal(CAPITAL)
    held = spot_entry = perp_entry = fees = funding = Decimal(0)
    trades = wins = 0
    equity = []
    for at, (rate, spot, perp, mark) in enumerate(rows):
        if held:
            cash += held * mark * rate
            funding += held * mark * rate
            if rate < leave or at == len(rows) - 1:
                spot_exit, perp_exit = spot * (1 - slippage), perp * (1 + slippage)
                fee = held * spot_exit * spot_taker + held * perp_exit * perp_taker
                cash += held * (spot_exit - spot_entry) + held * (perp_entry - perp_exit) - fee
                fees += fee
                trades += 1
                wins += cash > started
                held = Decimal(0)
        elif rate >= entry and at < len(rows) - 1:
            started, spot_entry, perp_entry = cash, spot * (1 + slippage), perp * (1 - slippage)
            held = budget / (spot_entry * (1 + spot_taker) + perp_entry * (1 + perp_taker)) // step * step
            fee = held * spot_entry * spot_taker + held * perp_entry * perp_taker
            cash -= fee
            fees += fee
        equity.append(cash + held * (spot - spot_entry) + held * (perp_entry - perp))
    return _measured(equity, fees, funding, trades, wins)


def _measured(equity: list[Decimal], fees: Decimal, funding: Decimal, trades: int, wins: int) -> Outcome:
    peak = before = Decimal(CAPITAL)
    drawdown = squares = Decimal(0)
    for value in equity:
        peak = max(peak, value)
        drawdown = max(drawdown, peak - value)
        squares += (value - before) ** 2
        before = value
    net = equity[-1] - CAPITAL
    return Outcome(net, fees, funding, drawdown, trades, wins, additive_sharpe(net, squares, len(equity)))
