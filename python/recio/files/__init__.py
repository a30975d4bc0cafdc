"""Functions on record files: verify, repair, summarize, merge, split and shuffle; sets of many files (shards).

Output files are complete or not written at all, and damaged records are never copied.
"""

from recio._manifest import Manifest, Shard, read_manifest, write_manifest
from recio.files._info import info
from recio.files._merge import merge
from recio.files._repair import repair
from recio.files._results import CopyReport, Info, Problem, RepairReport, SkippedRegion, VerifyReport
from recio.files._shard_writer import ShardWriter
from recio.files._shuffle import shuffle
from recio.files._split import split
from recio.files._verify import verify

__all__ = [
    "CopyReport",
    "Info",
    "Manifest",
    "Problem",
    "RepairReport",
    "Shard",
    "ShardWriter",
    "SkippedRegion",
    "VerifyReport",
    "info",
    "merge",
    "read_manifest",
    "repair",
    "shuffle",
    "split",
    "verify",
    "write_manifest",
]
