"""Journal of a run of hedges: all that its account booked, leg by leg, for those who explain it."""
