"""Sums and reports as they are stored, every bit of them."""
