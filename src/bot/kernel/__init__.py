"""Compiled replay of many trials, equal in every bit to the plain replay.

`source/` holds it in C; everything here prepares its columns, calls it, and reads its results. It is never
authoritative: whatever does not fit goes to the plain replay, and so do samples of what does.
"""
