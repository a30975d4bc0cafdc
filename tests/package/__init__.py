"""Tests of the package: its import, its code, its dependencies."""
