"""Flower's one page with figures that asks for no login of its own accord."""

import sys


def guard_metrics() -> None:
    """Let Flower's /metrics ask for the same login as its pages; in other processes do nothing.

    Celery loads Flower, as a command of its own, before the application that it is to watch.
    """
    monitor = sys.modules.get("flower.views.monitor")
    if monitor is not None:
        from tornado.web import authenticated  # noqa: PLC0415 - loaded by Flower, and by nothing else

        monitor.Metrics.get = authenticated(monitor.Metrics.get)
