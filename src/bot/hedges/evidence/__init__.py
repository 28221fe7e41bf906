"""Evidence on runs of hedges: one account whose parameters change at seams."""
