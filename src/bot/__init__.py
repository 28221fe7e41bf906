"""The trading domain: exact money, market history, positions, profit and loss, replay."""

ENGINE_VERSION = "1.0.0"
"""Semantic version of every number the engine prints; part of each run's identity."""
