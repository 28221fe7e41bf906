"""What is checked before a sweep is accepted: that the store can feed it."""

from bot.backtest import check_window
from bot.config import RunConfig
from bot.data.series import MarketData
from bot.data.store import HistoricalDataStore
from bot.errors import FieldError, InsufficientDataError, InvalidInputError
from bot.timestamps import iso
from sweeps.growing import as_change
from sweeps.result_range import refuse_unstorable_capital
from sweeps.spec import SweepSpec

_DECIDES_DATA = frozenset({"exchange", "symbols", "start", "end", "min_coverage"})


def admit(spec: SweepSpec, store: HistoricalDataStore) -> SweepSpec:
    """Return `spec` with its data set named, once the store is known to hold what it reads.

    Raises: InvalidInputError (unknown exchange or symbol, too little data) with the paths of the spec.
    """
    refuse_unstorable_capital(spec)
    try:
        if spec.exchanges() == (None,):
            spec = spec.on_exchange(store.resolve_exchange(None))
        for exchange in spec.exchanges():
            _check_extents(spec, store.load(exchange, spec.symbols(), 0))
        if not _DECIDES_DATA & {axis.name for axis in spec.axes}:
            _check_window(spec, store)
    except InvalidInputError as error:
        raise type(error)([_in_spec(spec, item) for item in error.errors]) from None
    return spec


def admit_growth(before: SweepSpec, grown: SweepSpec, store: HistoricalDataStore) -> SweepSpec:
    """Return what a sweep is to become as `admit` does; raises with the paths of the change."""
    try:
        return admit(grown, store)
    except InvalidInputError as error:
        raise as_change(error, before) from None


def admit_run(config: RunConfig, store: HistoricalDataStore) -> RunConfig:
    """Return `config` with its data set named, once the store is known to hold what it reads.

    Raises: InvalidInputError (unknown exchange or symbol, too little data).
    """
    config = config.varied({"exchange": store.resolve_exchange(config.exchange)})
    check_window(config, store.load(config.exchange, config.symbols, config.end, config.start))
    return config


def _check_extents(spec: SweepSpec, data: MarketData) -> None:
    """Refuse windows that end before a symbol's first settlement or start after its last."""
    start_ms, end_ms = spec.window()
    for item in data.symbols:
        funding = [held for held in item.held if held.kind == "funding"]
        if not any(held.first_ms <= end_ms and held.last_ms >= start_ms for held in funding):
            held = ", ".join(f"{iso(one.first_ms)} to {iso(one.last_ms)}" for one in funding) or "nothing"
            raise InsufficientDataError.of(
                "symbols",
                f"{item.symbol}: no settlement is held from {iso(start_ms)} to {iso(end_ms)}; held: {held}",
            )


def _check_window(spec: SweepSpec, store: HistoricalDataStore) -> None:
    """Check the window that all trials share, which raises what every one of them would."""
    config = _first_config(spec)
    check_window(config, store.load(config.exchange, config.symbols, config.end, config.start))


def _first_config(spec: SweepSpec) -> RunConfig:
    for number in range(spec.trial_count - 1):
        try:
            return spec.config(number)
        except InvalidInputError:
            continue
    return spec.config(spec.trial_count - 1)


def _in_spec(spec: SweepSpec, item: FieldError) -> FieldError:
    place = "grid" if item.field in {axis.name for axis in spec.axes} else "base"
    return FieldError(f"{place}.{item.field}", item.message)
