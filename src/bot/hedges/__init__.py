"""Hedges of two legs of four kinds over several exchanges: edition 2 of docs/domain.md as one event loop."""
