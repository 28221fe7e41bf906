"""The HTTP service: API and dashboard."""

from bot.numbers.blas_threads import use_one_thread

use_one_thread()
