"""Figures that a strategy decided on at a settlement, as text with their thresholds."""

from dataclasses import dataclass
from decimal import Decimal

from api.presentation.formats import percent, shown
from bot.backtest.decision_trace import DecisionSnapshot
from bot.config.run_config import RunConfig
from bot.numbers.money import exact, plain
from bot.signals.basis import basis

_RATE_STRATEGY, _SCORE_STRATEGY = "simple", "composite"
_TITLES = {
    "net_yield": "Net yield per interval",
    "volume_holds": "Volume holds up",
    "score": "Composite score",
    "rate_level": "Score of the rate level",
    "trend": "Score of the trend",
    "persistence": "Score of persistence",
    "basis": "Score of the basis",
}
_PLACES = Decimal("0.00000001")
_LONGEST = 16


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
    rows = [
        DecisionRow("rate", "Rate", f"{percent(funding.rate)} per {funding.interval_hours} h"),
        DecisionRow("rate_8h", "Rate per 8 h", _percent(funding.rate_8h), _rate_against(config)),
        DecisionRow("spot", "Spot", shown(ticker.spot, "price")),
        DecisionRow("perp", "Perp", shown(ticker.perp, "price")),
        DecisionRow("basis", "Basis", _basis(ticker.spot, ticker.perp)),
        DecisionRow("volume_24h", "Volume 24 h", shown(ticker.volume_24h, "count"), _volume_against(config)),
        DecisionRow("fresh", "Prices fresh", "yes" if ticker.fresh else "no, nothing is decided"),
    ]
    return rows + [_figure(f"own_{name}", name, value, config) for name, value in snapshot.figures.items()]


def _figure(key: str, name: str, value: Decimal | bool, config: RunConfig) -> DecisionRow:
    title = _TITLES.get(name) or name.replace("_", " ").capitalize()
    if isinstance(value, bool):
        return DecisionRow(key, title, "yes" if value else "no")
    if name == "net_yield":
        return DecisionRow(key, title, _percent(value), "above 0 to enter")
    against = ""
    if name == "score" and config.strategy_mode == _SCORE_STRATEGY:
        against = f"enter at {plain(config.entry_threshold)}, exit below {plain(config.exit_threshold)}"
    text = plain(value)
    return DecisionRow(key, title, text if len(text) <= _LONGEST else shown(value, "quantity"), against)


def _rate_against(config: RunConfig) -> str:
    if config.strategy_mode != _RATE_STRATEGY:
        return ""
    return f"enter at {percent(config.min_funding_rate)}, exit below {percent(config.exit_funding_rate)}"


def _volume_against(config: RunConfig) -> str:
    if config.strategy_mode != _RATE_STRATEGY or not config.min_volume_24h:
        return ""
    return f"at least {shown(config.min_volume_24h, 'count')}"


def _basis(spot: Decimal | None, perp: Decimal | None) -> str:
    if spot is None or perp is None:
        return shown(None, "share")
    with exact():
        return _percent(basis(spot, perp))


def _percent(share: Decimal) -> str:
    return percent(share.quantize(_PLACES))
