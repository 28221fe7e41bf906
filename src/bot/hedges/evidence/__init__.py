"""Evidence on runs of hedges: seams of one account, trips at other settlements."""
