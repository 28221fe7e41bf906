"""The dashboard: server-rendered pages with small scripts of our own."""
