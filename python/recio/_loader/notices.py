"""Notices about data sets, logged once when they are opened."""

from __future__ import annotations

import logging

_log = logging.getLogger("recio")


def identity_records_skipped(name: str, count: int) -> None:
    """Log that a face data set has records that are no samples."""
    _log.warning("%s: a face data set: skipped its %d identity records, which have no image", name, count)
