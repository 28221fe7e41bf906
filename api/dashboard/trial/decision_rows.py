"""What a strategy saw at a settlement, in words: figures with their thresholds, and the verdict."""

from dataclasses import dataclass
from decimal import Decimal

from api.presentation.formats import percent, shown
from bot.backtest.decision_trace import Sight
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
class SeenRow:
    """A figure with its value as text, and what the run compared it with, if it did."""

    name: str
    title: str
    value: str
    against: str = ""


def seen_rows(sight: Sight, config: RunConfig) -> list[SeenRow]:
    """Return the figures of a settlement: the market's, then the strategy's own."""
    funding, ticker = sight.view.funding, sight.view.ticker
    rows = [
        SeenRow("rate", "Rate", f"{percent(funding.rate)} per {funding.interval_hours} h"),
        SeenRow("rate_8h", "Rate per 8 h", _percent(funding.rate_8h), _rate_against(config)),
        SeenRow("spot", "Spot", shown(ticker.spot, "price")),
        SeenRow("perp", "Perp", shown(ticker.perp, "price")),
        SeenRow("basis", "Basis", _basis(ticker.spot, ticker.perp)),
        SeenRow("volume_24h", "Volume 24 h", shown(ticker.volume_24h, "count"), _volume_against(config)),
        SeenRow("fresh", "Prices fresh", "yes" if ticker.fresh else "no, nothing is decided"),
    ]
    return rows + [_figure(f"own_{name}", name, value, config) for name, value in sight.figures.items()]


def _figure(key: str, name: str, value: Decimal | bool, config: RunConfig) -> SeenRow:
    title = _TITLES.get(name) or name.replace("_", " ").capitalize()
    if isinstance(value, bool):
        return SeenRow(key, title, "yes" if value else "no")
    if name == "net_yield":
        return SeenRow(key, title, _percent(value), "above 0 to enter")
    against = ""
    if name == "score" and config.strategy_mode == _SCORE_STRATEGY:
        against = f"enter at {plain(config.entry_threshold)}, exit below {plain(config.exit_threshold)}"
    text = plain(value)
    return SeenRow(key, title, text if len(text) <= _LONGEST else shown(value, "quantity"), against)


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
