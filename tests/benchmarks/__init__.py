"""Measurements of `./run bench`."""
