"""Tests of `recio.im2rec`."""
