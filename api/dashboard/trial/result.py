"""Values for the top of the page of a run with a result; everything else arrives in parts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.dashboard import rows
from api.presentation.metric_catalogue import HEADLINE, beside_labels, groups, labels
from api.presentation.presenters import reads_generated, without_nulls
from bot.backtest.findings import RunFinding
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.hedges.runs import names_of
from bot.market_names import quote_of
from bot.statistics.trial_metrics import KNOWN_OF_HEDGES


def result_context(
    base: str,
    config: RunConfig | None,
    figures: Mapping[str, Any] | None,
    run_key: str | None,
    varied: frozenset[str],
    findings: Sequence[RunFinding],
) -> dict[str, Any]:
    """Return the values of `trial_result.html`: `figures` are metrics by name, `varied` is set in bold.

    `config` is None for parameters that contradict each other, `figures` for a run without a result.
    """
    return {
        "base": base,
        "config": config,
        "figures": figures,
        "run_key": run_key,
        "varied": varied,
        "findings": findings,
        "unit": "quote" if config is None else quote_of(config.symbols),
        "names": () if config is None else names_of(config),
        "of_hedges": config is not None and needs_hedge_engine(config),
        "synthetic": config is not None and reads_generated(config),
        "headline": labels(HEADLINE),
        "metric_groups": groups(with_hedges=figures is not None and figures.get(KNOWN_OF_HEDGES) is not None),
        "beside": beside_labels(),
        "config_rows": rows.ConfigRows([]) if config is None else rows.config_rows(config),
        "config_text": "" if config is None else json.dumps(file_of(config), indent=2, ensure_ascii=False),
    }


def file_of(config: RunConfig) -> dict[str, Any]:
    """Return every parameter that is set, as the configuration file that `backtest` and `paper` take."""
    return {name: without_nulls(value) for name, value in config.document().items() if value is not None}
