"""Row R20: numbers that float32 cannot hold, that are no numbers, and ids that are larger than either.

``test_face_dataset.py`` has InsightFace's record 0 at every border that rounding moves; ``test_index.py`` and
``robustness/attacks/`` the keys and ids that are refused. Here is what must come through exactly, and a set of the real
size.
"""

from __future__ import annotations

import math
import struct
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recio.datasets import FaceRecordDataset
from recio.im2rec import pack as pack_list
from recio.image import ImageIter
from recio.recordio import IRHeader, MXIndexedRecordIO, pack, rec2idx, unpack
from tests.support.faces import write_keyed
from tests.support.framing import encode
from tests.support.records import RecordFile, labels, noise, open_iter, png, write_records
from tests.support.sparse import write_sparse

if TYPE_CHECKING:
    from pathlib import Path

EXACT = 1 << 24
"""The last of the whole numbers of which float32 has all."""
IDS = [
    0,
    EXACT - 1,
    EXACT + 1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    (1 << 53) + 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
]
IMAGE = png(noise(8, 8))
WEBFACE = 42_474_557
"""The images of WebFace42M."""


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    """Write records with these ids, indexed by them."""
    file = write_records(tmp_path, [pack(IRHeader(0, n, id_, id_), IMAGE) for n, id_ in enumerate(IDS)])
    assert rec2idx(file.rec, file.idx) == "ids"
    return file


def test_64_bit_ids_as_keys(file: RecordFile) -> None:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert reader.keys == IDS
        headers = [unpack(reader.read_idx(key))[0] for key in IDS]
    assert [(header.id, header.id2) for header in headers] == [(id_, id_) for id_ in IDS]


@pytest.mark.parametrize("indexed", [False, True])
def test_64_bit_ids_in_the_index_of_a_batch(file: RecordFile, indexed: bool) -> None:
    batches = open_iter(file, path_imgidx=file.idx if indexed else None, batch_size=len(IDS))
    index = batches.next().index
    assert index is not None
    assert index.dtype == np.dtype(np.uint64)
    assert index.tolist() == IDS


def test_64_bit_ids_find_labels_in_a_list(file: RecordFile, tmp_path: Path) -> None:
    lst = tmp_path / "other.lst"
    lst.write_text("".join(f"{id_}\t{n + 0.5}\tx\n" for n, id_ in reversed(list(enumerate(IDS)))))
    batch = open_iter(file, path_imglist=lst, batch_size=len(IDS)).next()
    assert labels(batch) == [n + 0.5 for n in range(len(IDS))]


def test_64_bit_ids_are_packed_from_a_list(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(IMAGE)
    lst = tmp_path / "a.lst"
    lst.write_text("".join(f"{id_}\t0\ta.png\n" for id_ in IDS))
    packed = pack_list(lst, tmp_path, pass_through=True)
    with MXIndexedRecordIO(packed.idx, packed.rec, "r") as reader:
        assert [unpack(reader.read_idx(key))[0].id for key in IDS] == IDS


@pytest.mark.parametrize("label", [math.nan, math.inf, -math.inf, -0.0, 5e-45, 3.4e38, float(EXACT), -float(EXACT)])
def test_label_in_a_batch_is_bit_exact(tmp_path: Path, label: float) -> None:
    file = write_records(tmp_path, [pack(IRHeader(0, label, 0, 0), IMAGE)])
    (tmp_path / "a.png").write_bytes(IMAGE)
    lst = tmp_path / "a.lst"
    lst.write_text(f"0\t{label!r}\ta.png\n")
    listed = ImageIter(1, (3, 8, 8), path_imglist=lst, path_root=tmp_path)
    for batches in (open_iter(file, batch_size=1), open_iter(file, path_imglist=lst, batch_size=1), listed):
        (found,) = labels(batches.next())
        assert struct.pack("<f", found) == struct.pack("<f", label)


@pytest.mark.parametrize("label", [EXACT + 1, (1 << 25) - 1, WEBFACE + 1])
def test_integer_label_that_float32_cannot_hold_warns_and_is_rounded(tmp_path: Path, label: int) -> None:
    nearest = float(np.float32(label))
    assert nearest != label
    with pytest.warns(UserWarning, match=f"the label {label} is stored as {nearest:.0f}: labels are float32"):
        record = pack(IRHeader(0, label, 0, 0), b"")
    assert unpack(record)[0].label == nearest
    with pytest.warns(UserWarning, match=f"the label {label} is stored as {nearest:.0f}"):
        file = write_records(tmp_path, [pack(IRHeader(0, [1, label], 0, 0), IMAGE)])
    assert labels(open_iter(file, batch_size=1, label_width=2).next()) == [[1, nearest]]


@pytest.mark.parametrize(
    "label", [EXACT, EXACT + 2, -EXACT, 0.1, math.nan, math.inf, -math.inf, 3.5e10 // 2**12 * 2**12]
)
@pytest.mark.parametrize("many", [False, True])
def test_other_labels_do_not_warn(label: float, many: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pack(IRHeader(0, [label, 1] if many else label, 0, 0), b"")


@pytest.mark.filterwarnings("ignore:the label")
@pytest.mark.parametrize("images", [EXACT, EXACT + 1, (1 << 25) + 3, WEBFACE])
def test_face_data_set_has_all_images_past_2_to_the_24(tmp_path: Path, images: int) -> None:
    """Record 0 says where the images end, in float32; the records about there say it exactly."""
    border = images + 1
    about = [(key, 0, IMAGE) for key in range(border - 5, border)]
    identities = [(border + n, (1, border), b"") for n in range(5)]
    write_keyed(tmp_path, [*about, *identities, (0, (border, border + 5), b"")])
    ids = FaceRecordDataset(tmp_path).ids().tolist()
    assert (ids[0], ids[-1]) == (images - 4, images)


@pytest.mark.filterwarnings("ignore:the label")
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_index_of_42_million_faces_is_complete(tmp_path: Path) -> None:
    """Takes 900 MB on the disk and 2 GB of memory.

    The index is whole; of the records, which take no room, those that are asked for are there.
    """
    border, stride = WEBFACE + 1, 64
    face, identity = encode(pack(IRHeader(0, 7, 1, 0), b"\xff\xd8 image")), encode(pack(IRHeader(0, [1, 2], 1, 0), b""))
    end = encode(pack(IRHeader(0, [border, border + 9], 0, 0), b""))
    # Float32 is within two of the border; the records on both sides are there.
    near = {(key - 1) * stride: face if key < border else identity for key in range(border - 9, border + 9)}
    last = (border + 8) * stride
    write_sparse(tmp_path / "train.rec", last + len(end), {**near, last: end})
    with (tmp_path / "train.idx").open("w") as index:
        index.writelines(f"{key}\t{(key - 1) * stride}\n" for key in range(1, border + 9))
        index.write(f"0\t{last}\n")
    dataset = FaceRecordDataset(tmp_path)
    print(f"R20: {len(dataset)} images of {WEBFACE}")  # noqa: T201 the figure is the point
    assert len(dataset) == WEBFACE
    assert dataset.subset([WEBFACE - 1]).ids().tolist() == [1], "the id that the faces here have"
