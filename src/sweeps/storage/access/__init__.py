"""Tokens, sessions and scopes of callers in the database."""
