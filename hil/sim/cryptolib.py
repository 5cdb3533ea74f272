"""Stands in for a firmware that has this module under its old name only."""

raise ImportError("no module named 'cryptolib'")
