"""Settings of a judgement: guard, blocks, folds; the defaults of a sweep that says nothing about them."""

from dataclasses import dataclass, field

from bot.errors import FieldError, FieldErrors

MONEY_OBJECTIVES = frozenset({"net_pnl", "total_return", "annualized_return", "final_equity"})
"""Objectives that order days by what they earned; any other orders them by their Sharpe ratio."""

_BLOCKS = range(6, 17)


@dataclass(frozen=True, slots=True)
class WalkForwardSettings:
    """Windows of a walk-forward in calendar days; `anchored` ones train on all days from the first."""

    train_days: int = 365
    test_days: int = 90
    anchored: bool = False
    gap_days: int = 0


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """Guard (fewest trades and settlements of a winner), blocks of equal length, and folds."""

    min_trades: int = 5
    min_settlements: int = 90
    blocks: int = 12
    test_blocks: int = 2
    purge_days: int = 7
    embargo_days: int = 7
    walk_forward: WalkForwardSettings = field(default_factory=WalkForwardSettings)

    def check(self, name: str = "validation") -> None:
        """Do nothing if every setting can be used; raises InvalidInputError that names each that cannot."""
        errors = FieldErrors()
        errors.add(*self._refused(name))
        errors.raise_if_any()

    def _refused(self, name: str) -> list[FieldError]:
        folds = self.walk_forward
        refused = [
            _least(f"{name}.{one}", value, least)
            for one, value, least in (
                ("min_trades", self.min_trades, 0),
                ("min_settlements", self.min_settlements, 0),
                ("purge_days", self.purge_days, 0),
                ("embargo_days", self.embargo_days, 0),
                ("walk_forward.train_days", folds.train_days, 2),
                ("walk_forward.test_days", folds.test_days, 2),
                ("walk_forward.gap_days", folds.gap_days, 0),
            )
        ]
        if self.blocks not in _BLOCKS or self.blocks % 2:
            refused.append(FieldError(f"{name}.blocks", f"{self.blocks} is not an even number from 6 to 16"))
        elif not 1 <= self.test_blocks < self.blocks:
            limits = f"1 to {self.blocks - 1}, one less than the blocks"
            refused.append(FieldError(f"{name}.test_blocks", f"{self.test_blocks} is not from {limits}"))
        return [one for one in refused if one]


def _least(name: str, value: int, least: int) -> FieldError | None:
    return None if value >= least else FieldError(name, f"{value} is less than {least}")
