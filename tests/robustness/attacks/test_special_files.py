"""Names behind which there is no file: pipes that nobody writes to, devices without end, folders, links to themselves.

Whoever opens a pipe to read it waits for its writer, in the kernel, where Ctrl-C does not reach; so it must not be
opened. A device has no length, and must not be taken for an empty file.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.faces import write_face_set
from tests.support.processes import python
from tests.support.records import write_tiny

if TYPE_CHECKING:
    from pathlib import Path

WAITS = 15.0
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
FILES = {
    **READERS,
    "image": "from recio.image import imread; imread(settings['odd'])",
    "mean image": "from recio.io import ImageRecordIter; "
    "ImageRecordIter(path_imgrec=settings['rec'], data_shape=(3, 8, 8), batch_size=1, mean_img=settings['odd'])",
    "csv": "from recio.io import CSVIter; CSVIter(data_csv=settings['odd'], data_shape=(2,), batch_size=1).next()",
    "libsvm": "from recio.io import LibSVMIter; "
    "LibSVMIter(data_libsvm=settings['odd'], data_shape=(2,), batch_size=1).next()",
    "mnist": "from recio.io import MNISTIter; MNISTIter(image=settings['odd'], label=settings['odd'], batch_size=1)",
    "label cache": "from recio.datasets import RecordDataset; "
    "RecordDataset(settings['rec'], cache=settings['odd']).labels()",
    "record cache": "from recio.io import ImageRecordIter; "
    "ImageRecordIter(path_imgrec=settings['rec'] + '#' + settings['odd'], data_shape=(3, 8, 8), batch_size=1)",
    "verify": "import recio; recio.files.verify(settings['odd'])",
    "index of verify": "import recio; recio.files.verify(settings['rec'], idx=settings['odd'])",
    "merge": "import recio; recio.files.merge([settings['odd']], settings['rec'] + '.new.rec')",
}
WRITERS = {
    "rec": "from recio.recordio import MXRecordIO; MXRecordIO(settings['odd'], 'w')",
    "idx": "from recio.recordio import MXIndexedRecordIO; "
    "MXIndexedRecordIO(settings['odd'], settings['rec'] + '.new', 'w')",
    "error log": "from recio.io import ImageRecordIter; list(ImageRecordIter(path_imgrec=settings['damaged'], "
    "data_shape=(3, 8, 8), batch_size=1, on_error='skip', error_log=settings['odd']))",
}
SIDECARS = {
    ".rsum": ["rec", "rec of batches", "rec of a data set", "merge", "verify"],
    ".idx": ["rec of a data set", "verify", "merge"],
}
TRY = """
try:
    {}
except (OSError, ValueError) as error:
    print("refused:", error)
"""


def tried(action: str, **paths: Path) -> str:
    """Return the output of a process that reads or writes it."""
    script = python(TRY.format(action), {name: str(path) for name, path in paths.items()})
    return subprocess.run(script, capture_output=True, text=True, check=False, timeout=WAITS).stdout


@pytest.mark.parametrize("reader", FILES)
def test_pipe_without_writer_is_refused(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    os.mkfifo(odd)
    assert tried(FILES[reader], odd=odd, rec=write_tiny(tmp_path, 1).rec).startswith("refused:")


def test_face_properties_are_no_pipe(tmp_path: Path) -> None:
    faces = write_face_set(tmp_path)
    (faces.root / "property").unlink()
    os.mkfifo(faces.root / "property")
    action = "from recio.datasets import FaceRecordDataset; FaceRecordDataset(settings['odd'])"
    assert "named pipe" in tried(action, odd=faces.root)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize(("suffix", "reader"), [(suffix, name) for suffix, names in SIDECARS.items() for name in names])
def test_sidecar_that_is_no_file_is_refused(suffix: str, reader: str, kind: str, tmp_path: Path) -> None:
    """Sidecars are opened unasked."""
    file = write_tiny(tmp_path, 1)
    odd = file.rec.with_suffix(suffix)
    odd.unlink(missing_ok=True)
    make_special(odd, kind)
    output = tried(FILES[reader], odd=file.rec, rec=file.rec)
    assert output.startswith("refused:")
    assert f"{odd}: a " in output
    assert "not a regular file" in output


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("writer", WRITERS)
def test_pipe_without_reader_is_not_written(writer: str, kind: str, tmp_path: Path) -> None:
    file, damaged = write_tiny(tmp_path, 3), write_tiny(tmp_path, 3, "damaged")
    with damaged.rec.open("r+b") as rec:
        rec.seek(damaged.offsets[1])
        rec.write(bytes(4))
    odd = tmp_path / "odd"
    make_special(odd, kind)
    output = tried(WRITERS[writer], odd=odd, rec=file.rec, damaged=damaged.rec)
    assert output.startswith("refused:") or writer == "error log"


def test_pipe_named_like_a_leftover_does_not_hang_a_writer(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 1)
    os.mkfifo(tmp_path / ".new.rec.1234Ab.tmp")
    action = "import recio; recio.files.merge([settings['rec']], settings['new']); print('written')"
    assert tried(action, rec=file.rec, new=tmp_path / "new.rec") == "written\n"


def make_special(path: Path, kind: str) -> None:
    """Create a pipe, a socket or a link to a device without end."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        # A socket's path has at most 107 bytes.
        with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("reader", READERS)
def test_folder_is_refused(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    odd.mkdir()
    assert tried(FILES[reader], odd=odd, rec=write_tiny(tmp_path, 1).rec).startswith("refused:")


@pytest.mark.parametrize("reader", READERS)
def test_link_to_itself_is_refused(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    odd.symlink_to(odd.name)
    assert tried(FILES[reader], odd=odd, rec=write_tiny(tmp_path, 1).rec).startswith("refused:")


@pytest.mark.parametrize("reader", ["rec", "rec of a data set"])
def test_device_is_not_an_empty_record_file(reader: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lst"
    odd.symlink_to("/dev/zero")
    assert tried(FILES[reader], odd=odd, rec=write_tiny(tmp_path, 1).rec).startswith("refused:")
