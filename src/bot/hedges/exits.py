"""Exits of whole hedges: the first rule that holds at an event, with the patience of signals.

Source: docs/domain.md, sections 5 and 6.
"""

from decimal import Decimal
from fractions import Fraction

from bot.config.run_config import RunConfig
from bot.hedges.costs import OrderCosts
from bot.hedges.maintenance import is_wiped_out, takes_up
from bot.hedges.positions import OpenHedge, OpenLeg
from bot.hedges.settlements import Settlement
from bot.hedges.views import Decisions
from bot.models import HOUR_MS, CloseReason
from bot.numbers.money import ONE, ZERO


class ExitRules:
    """Rules by which an account leaves hedges. Call inside `exact_products()`."""

    def __init__(self, config: RunConfig, costs: OrderCosts, decisions: Decisions) -> None:
        self._config = config
        self._costs = costs
        self._decisions = decisions

    def reason(self, hedge: OpenHedge, t_ms: int, settled: Settlement | None) -> CloseReason | None:
        """Return why a hedge is left at an event, None if it stays.

        `settled` is its settlement if it decides then: an exit signal is counted whatever else holds.
        """
        config = self._config
        wants = settled is not None and self._signals(hedge, settled)
        margined = [leg for leg in hedge.legs if leg.market.kind.is_margined]
        ratio, distance = config.margin_exit_ratio, config.exit_liquidation_distance
        if any(is_taken_up(leg, t_ms, ratio) for leg in margined):
            return CloseReason.MARGIN
        if distance is not None and any(_is_near(leg, t_ms, distance) for leg in margined):
            return CloseReason.DISTANCE
        if config.basis_exit is not None and _basis_grown(hedge, t_ms) >= config.basis_exit:
            return CloseReason.BASIS
        if config.exit_on_announcement and any(leg.contract.end_announced(t_ms) for leg in hedge.legs):
            return CloseReason.DELISTING
        return CloseReason.SIGNAL if wants else None

    def _signals(self, hedge: OpenHedge, settled: Settlement) -> bool:
        """Count an exit signal at a settlement, and return whether it closes the hedge."""
        config, t_ms = self._config, settled.t_ms
        wants = self._decisions.wants_exit(settled)
        if wants and config.exit_loss_horizon_hours is not None and settled.carry is not None:
            leaving = sum((self._costs.leaving(leg, t_ms) for leg in hedge.market.legs), ZERO)
            wants = settled.carry.costs_more(config.exit_loss_horizon_hours, leaving)
        hedge.signals = hedge.signals + 1 if wants else 0
        held_long = t_ms - hedge.opened_ms >= config.min_hold_hours * HOUR_MS
        return wants and held_long and hedge.signals >= config.exit_confirmations


def is_taken_up(leg: OpenLeg, t_ms: int, share: Decimal) -> bool:
    """Return whether maintenance takes up a share of a leg's balance at the mark, or none of it is left."""
    brackets = leg.market.maintenance.at(t_ms)
    return takes_up(leg.market.kind, leg, leg.contract.known_mark(t_ms), brackets, share)


def _is_near(leg: OpenLeg, t_ms: int, distance: Decimal) -> bool:
    """Return whether a leg would be wiped out at a mark moved against it by a share."""
    mark = leg.contract.known_mark(t_ms) * (ONE - leg.side * distance)
    if mark <= 0:
        return False
    return is_wiped_out(leg.market.kind, leg, mark, leg.market.maintenance.at(t_ms))


def _basis_grown(hedge: OpenHedge, t_ms: int) -> Fraction:
    """Return by how much the premium of the short leg has grown since the opening."""
    long, short = (leg.contract.known_price(t_ms) for leg in hedge.legs)
    then_long, then_short = hedge.prices
    return _premium(long, short) - _premium(then_long, then_short)


def _premium(long: Decimal, short: Decimal) -> Fraction:
    return Fraction(short - long) / Fraction(long)
