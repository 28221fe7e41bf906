"""Track records of trials: moments of their daily returns, and the significance of these."""
