"""Importers of recorded market data, one module per vendor format, recognised by content."""
