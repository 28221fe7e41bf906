"""Figures that a strategy decided on at a settlement, as text with their thresholds."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from api.presentation.formats import percent, shown
from bot.backtest.decision_trace import DecisionSnapshot
from bot.config.run_config import RunConfig
from bot.config.strategy_declaration import Figure
from bot.config.strategy_registry import strategy_plugin
from bot.numbers.money import exact, plain
from bot.signals.basis import basis

_PLACES = Decimal("0.00000001")
_LONGEST = 16
_LEGS = {
    "spot_perp": ("Spot", "Perp"),
    "reverse": ("Long perp", "Borrowed spot"),
    "perp_perp": ("Long perp", "Short perp"),
    "inverse": ("Spot", "Inverse perp"),
}
"""Titles of the long and the short leg of each structure."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A figure with its value as text, and the threshold it was compared with, if any."""

    name: str
    title: str
    value: str
    against: str = ""


def decision_rows(snapshot: DecisionSnapshot, config: RunConfig) -> list[DecisionRow]:
    """Return the figures of a settlement: the market's, then the strategy's own."""
    funding, ticker = snapshot.view.funding, snapshot.view.ticker
    shown_as = strategy_plugin(config.strategy_mode).figures
    rate, volume = shown_as.get("rate_8h", Figure()), shown_as.get("volume_24h", Figure())
    long, short = _LEGS[config.structure]
    rows = [
        DecisionRow("rate", "Rate", f"{percent(funding.rate)} per {funding.interval_hours} h"),
        DecisionRow("rate_8h", "Rate per 8 h", _percent(funding.rate_8h), _against(rate, config, percent)),
        DecisionRow("spot", long, shown(ticker.spot, "price")),
        DecisionRow("perp", short, shown(ticker.perp, "price")),
        DecisionRow("basis", "Basis", _basis(ticker.spot, ticker.perp)),
        DecisionRow("volume_24h", "Volume 24 h", _count(ticker.volume_24h), _against(volume, config, _count)),
        DecisionRow("fresh", "Prices fresh", "yes" if ticker.fresh else "no, nothing is decided"),
    ]
    return rows + [
        _figure(name, value, shown_as.get(name, Figure()), config) for name, value in snapshot.figures.items()
    ]


def _figure(name: str, value: Decimal | bool, figure: Figure, config: RunConfig) -> DecisionRow:
    title = figure.title or name.replace("_", " ").capitalize()
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif figure.share:
        text = _percent(value)
    else:
        text = plain(value)
        text = text if len(text) <= _LONGEST else shown(value, "quantity")
    against = _against(figure, config, percent if figure.share else plain)
    return DecisionRow(f"own_{name}", title, text, against)


def _against(figure: Figure, config: RunConfig, write: Callable[[Decimal], str]) -> str:
    """Return in words the parameters that a figure is compared with; a bare minimum of 0 is none."""
    enter, leave = (
        None if name is None else Decimal(getattr(config, name)) for name in (figure.enter, figure.leave)
    )
    if leave is None:
        return f"at least {write(enter)}" if enter else figure.note
    entered = "" if enter is None else f"enter at {write(enter)}, "
    return f"{entered}exit below {write(leave)}"


def _count(value: Decimal) -> str:
    return shown(value, "count")


def _basis(spot: Decimal | None, perp: Decimal | None) -> str:
    if spot is None or perp is None:
        return shown(None, "share")
    with exact():
        return _percent(basis(spot, perp))


def _percent(share: Decimal) -> str:
    return percent(share.quantize(_PLACES))
