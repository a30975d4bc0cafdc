"""Tests of `recio.compat` and of the differences from MXNet."""
