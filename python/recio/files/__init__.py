"""Whole record files: merged, split, shuffled.

What is written is there whole or not at all, and nothing that is damaged is copied.
"""

from recio.files._copied import Copied
from recio.files._merge import merge
from recio.files._shuffle import shuffle
from recio.files._split import split

__all__ = ["Copied", "merge", "shuffle", "split"]
