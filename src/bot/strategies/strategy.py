"""Strategy interface: entries and exits decided from as-of views, nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, NamedTuple

from bot.accounting.trading_costs import TradingCosts
from bot.models import FundingRate, SettlementView
from bot.numbers.money import ONE
from bot.strategies.gates import Gate

_SHORTCUTS = {"entries": ("entry_floor", "may_enter"), "wants_exit": ("exit_floor",)}
"""Members that save calls of a decision; each describes the one defined in the same class, no other."""


class Entry(NamedTuple):
    """A pair to enter, and the share of a slot to enter with."""

    view: SettlementView
    fraction: Decimal = ONE


class Strategy(ABC):
    """Decides at settlements. It is handed views as of now and can see nothing later.

    One that learns from past settlements says so with `remembers`, and is shown each of them once. Otherwise
    an answer follows from the views alone: settlements may be asked about more than once, or ahead.
    """

    remembers: ClassVar[bool] = False
    past_settlements: int = 0
    """Number of a pair's newest settlements that an answer follows from: a live session reads as many before
    it begins, or those of 30 days if these are more."""
    past_candles: int = 0
    """Number of a perp's newest hourly candles that an answer follows from; likewise."""
    entry_floor: Decimal | None = None
    """A rate per 8 hours below which no pair is ever worth entering, so that none need be shown; None if any
    rate may be. A class that decides `entries` anew gives its own; one set on an instance stands for it."""

    def __init_subclass__(cls, **options: object) -> None:
        """Have a class that decides anew asked about all it decides, whatever its bases could leave out."""
        super().__init_subclass__(**options)
        for decision, shortcuts in _SHORTCUTS.items():
            for shortcut in shortcuts:
                if _place(cls, decision) < _place(cls, shortcut):
                    setattr(cls, shortcut, getattr(Strategy, shortcut))

    @property
    def exit_floor(self) -> Decimal | None:
        """Rate per 8 hours from which on no position is ever to be closed, so that none need be asked about.

        None if one may be at any rate. It stands for the `wants_exit` of its class alone.
        """
        return None

    def observe(self, funding: FundingRate) -> None:  # noqa: B027 - most need no memory
        """Take in a settlement of a pair; those before the window come first."""

    def forget(self, symbol: str) -> None:  # noqa: B027 - most have nothing to forget
        """Drop what past settlements of a pair have left: another contract begins under its name."""

    @abstractmethod
    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        """Return the pairs worth entering, best first, among those that settle now with fresh prices."""

    def at_costs(self, costs: TradingCosts) -> None:  # noqa: ARG002
        """Decide at the costs of an account from now on; a strategy that does not look at them ignores it."""
        return

    def blocking_gate(self, view: SettlementView) -> Gate | None:  # noqa: ARG002
        """Return the first condition that keeps the pair out now, None if none does.

        It explains runs without trades; a strategy that cannot say returns None.
        """
        return None

    def figures(self, view: SettlementView) -> Mapping[str, Decimal | bool]:  # noqa: ARG002
        """Return by name what the strategy makes of a settlement with fresh prices: what it decides on.

        It explains decisions; a strategy that looks at the market alone has nothing to add.
        """
        return {}

    def may_enter(self, view: SettlementView) -> bool:  # noqa: ARG002
        """Return False for a pair that `entries` leaves out now, so that it need not be shown.

        It stands for the `entries` of its class alone.
        """
        return True

    @abstractmethod
    def wants_exit(self, view: SettlementView) -> bool:
        """Return whether an open position of the settling pair should be closed."""


def _place(strategy: type[Strategy], name: str) -> int:
    """Return the place among the bases of a class, itself first, of the one that defines `name`."""
    return next(place for place, base in enumerate(strategy.__mro__) if name in vars(base))
