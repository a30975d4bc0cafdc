"""Tests of `recio.recordio`: frames, index files, readers and writers."""
