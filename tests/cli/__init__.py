"""Tests of the command ``recio``."""
