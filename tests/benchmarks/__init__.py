"""Measurements of `./run bench`."""

from bot.numbers.blas_threads import use_one_thread

use_one_thread()
