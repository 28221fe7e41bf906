"""The settlements of one pair as columns, so that a decision is taken at all of them at once."""

from collections.abc import Sequence

import numpy as np

from bot.market.history import PairSeries
from bot.memo import Memo
from bot.models import FundingRate, SettlementView
from bot.numbers.thresholds import ThresholdColumn

_MAX_DERIVED = 2_000


class DecisionColumns:
    """Columns a strategy may know at each settlement of one pair, oldest first.

    `past` are the settlements before the window. Whatever is derived from the columns with `derive` is
    remembered, so that trials with the same parameters share it.
    """

    def __init__(
        self, past: Sequence[FundingRate], views: Sequence[SettlementView], series: PairSeries
    ) -> None:
        self.past = past
        self.views = views
        self.fresh = series.fresh
        self.rates = ThresholdColumn(series.rate)
        self.rates_8h = ThresholdColumn(series.rate_8h)
        self.volumes_24h = ThresholdColumn(series.volume_24h)
        self.spot_active = np.array([view.instrument.spot_active for view in views], dtype=np.bool_)
        self.derive = Memo(_MAX_DERIVED).get
