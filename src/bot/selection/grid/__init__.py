"""Grids of trials: their places, neighbours and plateaus."""
