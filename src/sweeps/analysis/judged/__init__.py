"""Figures of trials and panels from the stored reports on selections."""
