"""Packing folders of images into record files: MXNet's ``im2rec.py`` as a command and as functions.

Packing has two steps, with a text file between them that you can inspect and edit::

    im2rec --list --recursive train photos/     # photos/ -> train.lst
    im2rec --resize 256 train photos/           # train.lst -> train.rec, train.idx
    im2rec --masks masks/ train photos/         # and masks/ -> train_mask.rec, train_mask.idx

``im2rec`` is also ``python -m recio.im2rec``. In Python, `make_list` and `pack` are the two steps.

============ ==============================================================
_lists       writes the lists of a folder; finds the lists of a prefix
_pack        packs a list: checks of the arguments
_list_packer packs a list into one file or into shards, by recio-core
_report      what was packed, and what was skipped
_command     the command: arguments, summary, exit code
============ ==============================================================
"""

from recio.im2rec._command import main
from recio.im2rec._lists import ListReport, find_lists, make_list
from recio.im2rec._pack import pack
from recio.im2rec._report import PackReport, SkippedLine

__all__ = ["ListReport", "PackReport", "SkippedLine", "find_lists", "main", "make_list", "pack"]
