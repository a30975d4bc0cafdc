"""Functions on record files: verify, repair, summarize, merge, split and shuffle.

Output files are complete or not written at all, and damaged records are never copied.
"""

from recio.files._info import info
from recio.files._merge import merge
from recio.files._repair import repair
from recio.files._results import CopyReport, Info, Problem, RepairReport, SkippedRegion, VerifyReport
from recio.files._shuffle import shuffle
from recio.files._split import split
from recio.files._verify import verify

__all__ = [
    "CopyReport",
    "Info",
    "Problem",
    "RepairReport",
    "SkippedRegion",
    "VerifyReport",
    "info",
    "merge",
    "repair",
    "shuffle",
    "split",
    "verify",
]
