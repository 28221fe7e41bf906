"""Worker processes of the sweep service; `celery -A workers worker` starts here."""

from bot.numbers.blas_threads import use_one_thread
from workers.loading import left_at_once

with left_at_once():
    use_one_thread()
    from workers.app import app

__all__ = ["app"]
