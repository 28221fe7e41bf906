"""Kinds of legs, a module each; `table` has them all."""
