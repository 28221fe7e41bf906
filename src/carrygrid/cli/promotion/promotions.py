"""Promotions of the service, in a shell."""

import json
from collections.abc import Mapping
from typing import Any

from api.presentation.later_days import later_days
from carrygrid.cli.client import service
from carrygrid.cli.printing import showable


def show(*, as_json: bool) -> None:
    """Print every promotion."""
    with service() as client:
        promotions = client.promotions()
    if as_json:
        print(json.dumps({"promotions": promotions}))
        return
    if not promotions:
        print("nothing has been promoted; carrygrid sweep promote SWEEP TRIAL does it")
    for one in promotions:
        print(_line(one))


def judge(promotion_id: int, *, as_json: bool) -> None:
    """Have the days after a promotion judged, and print it."""
    with service() as client:
        found = client.decay(promotion_id)
    print(json.dumps(found) if as_json else _line(found))


def _line(promotion: Mapping[str, Any]) -> str:
    decay = promotion["decay"]
    since = "days after it not judged yet" if decay is None else later_days(decay["from"], decay)
    market = showable(f"{promotion['exchange']} {', '.join(promotion['symbols'])}")
    return (
        f"promotion {promotion['id']}: trial {promotion['trial']} of sweep {promotion['sweep']}, {market}, "
        f"{promotion['promoted_at']}: {since}"
    )
