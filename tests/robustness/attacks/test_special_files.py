"""Names behind which there is no file: pipes that nobody writes to, devices without end, folders, links to themselves.

Whoever opens a pipe to read it waits for its writer, in the kernel, where Ctrl-C does not reach; so it must not be
opened. A device has no length, and must not be taken for an empty file.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import python
from tests.support.records import write_tiny

if TYPE_CHECKING:
    from pathlib import Path

WAITS = 3.0
"""Seconds after which nobody is to be waiting any more: many times what it takes to say no."""

READERS = {
    "rec": "from recio.recordio import MXRecordIO; MXRecordIO(settings['odd'], 'r').read()",
    "rec of batches": "from recio.io import ImageRecordIter; "
    "ImageRecordIter(path_imgrec=settings['odd'], data_shape=(3, 8, 8), batch_size=1)",
    "rec of a data set": "from recio.datasets import RecordDataset; RecordDataset(settings['odd'])",
    "idx": "from recio.recordio import MXIndexedRecordIO; MXIndexedRecordIO(settings['odd'], settings['rec'], 'r')",
    "idx of text": "from recio.recordio import MXIndexedRecordIO; "
    "MXIndexedRecordIO(settings['odd'], settings['rec'], 'r', str)",
    "lst": "from recio.im2rec import pack; pack(settings['odd'], '.')",
    "lst of labels": "from recio.io import ImageRecordIter; "
    "ImageRecordIter(path_imgrec=settings['rec'], path_imglist=settings['odd'], data_shape=(3, 8, 8), batch_size=1)",
    "lst of images": "from recio.image import ImageIter; ImageIter(1, (3, 8, 8), path_imglist=settings['odd'])",
    "bin": "from recio.datasets import read_bin; read_bin(settings['odd'])",
}
TRY = """
try:
    {}
except (OSError, ValueError) as error:
    print("refused:", error)
"""


def tried(reader: str, odd: Path, rec: Path) -> str:
    """Return the output of a process that reads it."""
    script = python(TRY.format(READERS[reader]), {"odd": str(odd), "rec": str(rec)})
    return subprocess.run(script, capture_output=True, text=True, check=False, timeout=WAITS).stdout


@pytest.mark.parametrize("reader", READERS)
def test_pipe_without_writer_is_refused(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    os.mkfifo(odd)
    assert tried(reader, odd, write_tiny(tmp_path, 1).rec).startswith("refused:")


@pytest.mark.parametrize("reader", READERS)
def test_folder_is_refused(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    odd.mkdir()
    assert tried(reader, odd, write_tiny(tmp_path, 1).rec).startswith("refused:")


@pytest.mark.parametrize("reader", READERS)
def test_link_to_itself_is_refused(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    odd.symlink_to(odd.name)
    assert tried(reader, odd, write_tiny(tmp_path, 1).rec).startswith("refused:")


@pytest.mark.parametrize("reader", ["rec", "rec of a data set"])
def test_device_is_not_an_empty_record_file(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    odd.symlink_to("/dev/zero")
    assert tried(reader, odd, write_tiny(tmp_path, 1).rec).startswith("refused:")
