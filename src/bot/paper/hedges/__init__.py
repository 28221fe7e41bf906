"""Paper trading of hedges of two legs: the event loop of their replay, from one saved state to the next."""
