"""Checks of the sources: imports, words, the width of comments."""
