"""Folders of images to record files: MXNet's ``im2rec.py``, as a command and as functions.

Two steps, with a text file between them that can be looked at and edited::

    im2rec --list --recursive train photos/     # photos/ -> train.lst
    im2rec --resize 256 train photos/           # train.lst -> train.rec, train.idx
    im2rec --masks masks/ train photos/         # and masks/ -> train_mask.rec, train_mask.idx

``im2rec`` is also ``python -m recio.im2rec``. From a program, `make_list` and `pack` are the
two steps.

========== ================================================================
_lists     a folder to lists of its images; which lists belong to a prefix
_pack      a list to a record file, by way of recio-core
_command   the command: arguments, summary, exit code
========== ================================================================
"""

from recio.im2rec._command import main
from recio.im2rec._lists import ListReport, find_lists, make_list
from recio.im2rec._pack import PackReport, SkippedLine, pack

__all__ = ["ListReport", "PackReport", "SkippedLine", "find_lists", "main", "make_list", "pack"]
