"""Tests of `recio.datasets`."""
