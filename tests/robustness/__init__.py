"""Tests of what goes wrong: damage, attacks, failing writes, long runs."""
