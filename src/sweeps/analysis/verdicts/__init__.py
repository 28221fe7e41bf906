"""Verdict on a sweep: its candidate, the settings behind it, and the words."""
