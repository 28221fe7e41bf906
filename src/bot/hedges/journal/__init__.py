"""Journal of a run of hedges: every booking of its account, leg by leg, for pages and ledgers."""
