"""Hostile files, made by code, each with what it tries; and that it does not get it."""
