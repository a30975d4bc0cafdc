"""Tests of `recio.io`: the iterators."""
