"""Settings of a judgement: guard, blocks, folds; the defaults of a sweep that says nothing about them."""

import hashlib
import json
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from bot.validation import WHOLE

MONEY_OBJECTIVES = frozenset({"net_pnl", "total_return", "annualized_return", "final_equity"})
"""Objectives that order days by what they earned; any other orders them by their Sharpe ratio."""

_MOST_DAYS = 100_000
_MOST_COUNT = 2**31 - 1
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)

_Count = Annotated[int, Field(ge=0, le=_MOST_COUNT), WHOLE]
_Days = Annotated[int, Field(ge=0, le=_MOST_DAYS), WHOLE]
_WindowDays = Annotated[int, Field(ge=2, le=_MOST_DAYS), WHOLE]


def _blocks(count: int) -> int:
    if count not in range(6, 17) or count % 2:
        raise ValueError(f"{count} is not an even number from 6 to 16")
    return count


class WalkForwardSettings(BaseModel):
    """Windows of a walk-forward in calendar days; `anchored` ones train on all days from the first."""

    model_config = _STRICT

    train_days: _WindowDays = 365
    test_days: _WindowDays = 90
    anchored: bool = False
    gap_days: _Days = 0


class ValidationSettings(BaseModel):
    """Guard (fewest trades and settlements of a winner), equal blocks, folds, symbols to test on.

    Without the latter each value of `symbols` is tested on in turn.
    """

    model_config = _STRICT

    min_trades: _Count = 5
    min_settlements: _Count = 90
    blocks: Annotated[int, AfterValidator(_blocks), WHOLE] = 12
    test_blocks: Annotated[int, Field(ge=1), WHOLE] = 2
    purge_days: _Days = 7
    embargo_days: _Days = 7
    walk_forward: WalkForwardSettings = WalkForwardSettings()
    test_symbols: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] | None = None

    @field_validator("test_blocks")
    @classmethod
    def _fewer_than_blocks(cls, count: int, found: ValidationInfo) -> int:
        blocks = found.data.get("blocks")
        if blocks is not None and count >= blocks:
            raise ValueError(f"{count} is not from 1 to {blocks - 1}, one less than the blocks")
        return count

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return self.model_dump(mode="json")

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the settings."""
        return _digest(self)


@lru_cache
def _digest(settings: ValidationSettings) -> str:
    text = json.dumps(settings.document(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


USUAL = ValidationSettings()
"""Settings of a sweep that names none."""
