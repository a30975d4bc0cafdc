"""Notices about data sets, logged once when they are opened."""

from __future__ import annotations

import logging

_log = logging.getLogger("recio")


def indexes_beside_used(name: str, count: int) -> None:
    """Log that the records are those of indexes beside the record files, which the caller did not name."""
    files = "record file" if count == 1 else f"{count} record files"
    _log.info("%s: used the index beside the %s instead of reading all headers", name, files)


def identity_records_skipped(name: str, count: int) -> None:
    """Log that a face data set has records that are no samples."""
    _log.warning("%s: a face data set: skipped its %d identity records, which have no image", name, count)
