"""Spans of time of a run: months, years, and a year on average."""
