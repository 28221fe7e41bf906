"""Evidence on single trials besides the luck of their search: resampled days, random entries, regimes."""
