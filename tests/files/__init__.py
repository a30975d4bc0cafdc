"""Tests of `recio.files`: merge, split, shuffle, verify, repair, checksums."""
