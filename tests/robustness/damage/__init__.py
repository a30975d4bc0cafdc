"""Damaged files: what is reported and what is still read."""
