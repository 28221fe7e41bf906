"""Track records of trials: their daily returns as moments, and what they prove."""
