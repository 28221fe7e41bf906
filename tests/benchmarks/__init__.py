"""Measurements of `./run bench`."""

import os

# As services do (bot.numbers.blas_threads); other interpreters measure from here too, and have no `bot`.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
