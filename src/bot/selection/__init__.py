"""Judgement of a selection: the chance that the best of many trials is luck; pure, on daily returns."""
