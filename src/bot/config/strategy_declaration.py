"""Declaration of a strategy by a package: the one object through which everything else knows it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.errors import InvalidInputError
from bot.notation import quoted

if TYPE_CHECKING:
    from bot.config.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that a strategy decides on, as pages show it: its title, and what it is compared with.

    `enter` and `leave` name parameters: it enters from the one on, and leaves below the other. `note` says
    what no parameter does. A `share` is shown in percent. Without a title the name serves as one.
    """

    title: str = ""
    share: bool = False
    enter: str | None = None
    leave: str | None = None
    note: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that it is compared with."""
        return tuple(name for name in (self.enter, self.leave) if name is not None)


@dataclass(frozen=True, slots=True)
class GateAdvice:
    """Sentence on an entry gate: what to change so that the nearest miss gets in.

    `{gate}`, `{needed}` and `{nearest}` in it stand for the gate's name, for what it asked and what it saw.
    `reads_volume` says that it judges the volume of candles, so that their time has to be read along.
    """

    text: str
    reads_volume: bool = False


@dataclass(frozen=True, slots=True)
class StrategyPlugin:
    """Declaration of a strategy by a package.

    The fields of `parameters` become parameters of a run under their own names;
    `build` gets the whole run, typed as that model and the account's parameters together, and returns a
    `Strategy`. `decide_columns` gets the run and the `DecisionColumns` of a window, and returns the
    `ColumnDecisions` that are the same decisions at all settlements at once: with it, sweeps replay many
    trials at a time; without it, or where it raises, each alone. `decided_by` names the parameters that
    `decide_columns` reads, but for those that its `Threshold`s name: trials that agree in them share what it
    returns. Without it each combination of parameters is decided anew.
    `version` is part of the identity of every run: change it with every change of a decision.
    `default_grid` is what a first sweep varies; `presets` are sets of parameters by name. Both as they stand
    in a sweep. `suggest` gets the `WindowFigures` of a window and returns the `Suggestion` that fits them, so
    that a first run trades. (These types rank above configuration, so no field's type names them.)
    `figures` says by name how pages show what the strategy's `figures` return. `rate_8h` and `volume_24h` are
    the market's, and may be named as well; charts draw the thresholds of the rate. `gates` gives advice on
    the conditions that the strategy's `blocking_gate` names. Strategies that have a `compare_place` are
    compared side by side, in the order of these.
    """

    name: str
    version: str
    title: str
    parameters: "type[Parameters]"
    build: Callable[[Any], Any]
    default_grid: Mapping[str, object] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    suggest: Callable[[Any], Any] | None = None
    decide_columns: Callable[[Any, Any], Any] | None = None
    decided_by: Collection[str] | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    gates: Mapping[str, GateAdvice] = field(default_factory=dict)
    compare_place: int | None = None

    def check(self) -> None:
        """Check what pages are told, so that none of them fails on it later.

        Raises: InvalidInputError naming `strategy_mode`.
        """
        for name, figure in self.figures.items():
            for parameter in figure.parameters:
                if parameter not in self.parameters.model_fields:
                    raise InvalidInputError.of(
                        "strategy_mode",
                        f"{quoted(self.name)}: its figure {quoted(name)} names {quoted(parameter)}, "
                        "none of its parameters",
                    )
        for name, advice in self.gates.items():
            try:
                advice.text.format(gate="", needed="", nearest="")
            except (LookupError, ValueError):
                raise InvalidInputError.of(
                    "strategy_mode",
                    f"{quoted(self.name)}: its advice on {quoted(name)}, {quoted(advice.text)}, "
                    "has other braces than {gate}, {needed} and {nearest}",
                ) from None
