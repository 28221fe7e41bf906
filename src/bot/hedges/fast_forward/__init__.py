"""Stretches of events at which an account of hedges only waits: where they end, and what they book."""
