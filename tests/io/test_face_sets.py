"""Record files of InsightFace in the iterators: only images are samples, in each variant of the layout."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError
from recio.datasets import RecordDataset
from recio.image import ImageIter
from recio.io import ImageDetRecordIter, ImageRecordIter
from recio.recordio import IRHeader, MXIndexedRecordIO, pack, rec2idx
from tests.support.faces import FaceSet, write_face_set
from tests.support.records import noise, png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Records = list[tuple[int, Any, bytes]]

SHAPE = (3, 8, 8)
COUNTS = (3, 1, 4)
LABELS = [0, 0, 0, 1, 2, 2, 2, 2]


def images() -> list[bytes]:
    """Return an image for each label."""
    return [png(noise(8, 8, seed=seed)) for seed in range(len(LABELS))]


def records(**change: Any) -> Records:  # noqa: ANN401 labels of any type
    """Return keys, labels and images in the layout of InsightFace's ``face2rec2.py``.

    The images come first, then record 0, then the identity records.
    """
    label: Callable[[int], Any] = change.get("label", float)
    rows = [(key, label(value), image) for key, (value, image) in enumerate(zip(LABELS, images(), strict=True), 1)]
    return [*rows, (0, (9, 12), b""), (9, (1, 4), b""), (10, (4, 5), b""), (11, (5, 9), b"")]


def write(folder: Path, rows: Records, ids: Callable[[int], int] = int, *, checksum: bool = False) -> Path:
    """Write records with an index in the same order."""
    with MXIndexedRecordIO(folder / "train.idx", folder / "train.rec", "w", checksum=checksum) as writer:
        for key, label, image in rows:
            writer.write_idx(key, pack(IRHeader(0, label, ids(key), 0), image))
    return folder / "train.rec"


def header_first(rows: Records) -> Records:
    """Move the header record to the beginning, where some tools write it."""
    return sorted(rows)


def without_identity_records(rows: Records) -> Records:
    """Return the images and a header record of which no identity records follow."""
    return [row for row in rows if row[0] < 9]


VARIANTS = {
    "as face2rec2": records(),
    "header first": header_first(records()),
    "reversed": records()[::-1],
    "labels with a second number": records(label=lambda value: (float(value), 1.0)),
    "labels with landmarks": records(label=lambda value: (float(value), *range(10))),
    "no identity records": without_identity_records(records()),
    "no header record": [row for row in records() if row[0]],
    "range of no identities": [*without_identity_records(records())[:-1], (0, (9, 9), b"")],
}


def index_or_none(index: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the keywords of an iterator with an index, and without one."""
    return [index, {}]


def read(batches: Iterable[Any]) -> tuple[list[float], set[bytes]]:
    """Return the labels of an epoch, and the images."""
    labels: list[float] = []
    pixels: set[bytes] = set()
    for batch in batches:
        size = len(batch.data[0]) - batch.pad
        labels += np.atleast_2d(batch.label[0][:size].T)[0].tolist()
        pixels |= {image.astype(np.uint8).tobytes() for image in batch.data[0][:size]}
    return labels, pixels


@pytest.mark.parametrize("index", ["beside", "none", "rsum"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_only_images_are_samples(tmp_path: Path, variant: str, index: str) -> None:
    rec = write(tmp_path, VARIANTS[variant], checksum=index == "rsum")
    idx: Any = {"path_imgidx": rec.with_suffix(".idx")} if index == "beside" else {}
    width = -1 if variant.startswith("labels") else 1
    settings: Any = {"path_imgrec": rec, "data_shape": SHAPE, "batch_size": 3, "label_width": width, **idx}
    with ImageRecordIter(**settings, dtype="uint8") as batches:
        labels, pixels = read(batches)
    assert sorted(labels) == LABELS
    assert len(pixels) == len(LABELS)
    if width == 1:
        assert sorted(read(ImageIter(3, SHAPE, path_imgrec=rec, aug_list=[], **idx))[0]) == LABELS
    assert sorted(RecordDataset(rec).labels().reshape(len(LABELS), -1)[:, 0].tolist()) == LABELS
    assert [np.size(label) for _, label in RecordDataset(rec)] == [RecordDataset(rec).labels()[0].size] * len(LABELS)


def test_records_without_unique_ids_are_numbered_by_the_layout(tmp_path: Path) -> None:
    """Some tools write the id 0 everywhere; without an index, the layout determines the keys."""
    for rows in (records(), header_first(records())):
        rec = write(tmp_path, rows, ids=lambda _: 0)
        for idx in index_or_none({"path_imgidx": tmp_path / "train.idx"}):
            batches = ImageRecordIter(path_imgrec=rec, data_shape=SHAPE, batch_size=3, **idx)
            assert sorted(read(batches)[0]) == LABELS
        original = (tmp_path / "train.idx").read_text().split("\n")
        assert rec2idx(rec, tmp_path / "new.idx") == "ordinals"
        assert sorted((tmp_path / "new.idx").read_text().split("\n")) == sorted(original)


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    """Write a data set of three identities."""
    return write_face_set(tmp_path, COUNTS, images())


def open_faces(faces: FaceSet, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 they are of many types
    """Open the set with batches of 2."""
    defaults: dict[str, Any] = {"path_imgrec": faces.root / "train.rec", "path_imgidx": faces.root / "train.idx"}
    return ImageRecordIter(**defaults, **{"data_shape": SHAPE, "batch_size": 2, **settings})


def test_the_number_of_identity_records_is_logged_once(faces: FaceSet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "recio")
    with open_faces(faces) as batches:
        for _ in range(3):
            list(batches)
            batches.reset()
    assert len(caplog.messages) == 1
    assert "skipped its 3 identity records" in caplog.messages[0]


def test_shuffled_epochs_and_shards_have_each_image_once(faces: FaceSet) -> None:
    with open_faces(faces, shuffle=True, seed=3) as batches:
        assert (len(batches), sorted(read(batches)[0])) == (4, LABELS)
    shards = [open_faces(faces, num_parts=2, part_index=part) for part in range(2)]
    assert [label for shard in shards for label in read(shard)[0]] == LABELS


def test_a_state_continues_with_the_next_image(faces: FaceSet) -> None:
    whole, resumed = [open_faces(faces, shuffle=True, seed=5) for _ in range(2)]
    next(whole)
    state = whole.state_dict()
    resumed.load_state_dict(state)
    assert state["settings"]["records"] == len(LABELS)
    assert read(resumed) == read(whole)


def test_several_sets_follow_one_another(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in "ab"]
    for root in roots:
        root.mkdir()
        write_face_set(root, COUNTS, images())
    recs, idxs = ([root / f"train.{suffix}" for root in roots] for suffix in ("rec", "idx"))
    for idx in index_or_none({"path_imgidx": idxs}):
        with ImageRecordIter(path_imgrec=recs, data_shape=SHAPE, batch_size=4, **idx) as batches:
            assert read(batches)[0] == LABELS * 2
    assert RecordDataset(recs).labels().tolist() == LABELS * 2


def test_errors_count_all_listed_records(tmp_path: Path) -> None:
    rec = write(tmp_path, header_first([(3, 0.0, b"no image") if row[0] == 3 else row for row in records()]))
    for settings in index_or_none({"path_imgidx": rec.with_suffix(".idx")}):
        with pytest.raises(DecodeError) as caught:
            list(ImageRecordIter(path_imgrec=rec, data_shape=SHAPE, batch_size=8, **settings))
        assert (caught.value.record, caught.value.id) == (3, 3)
    with pytest.raises(DecodeError) as caught:
        RecordDataset(rec)[2]
    assert (caught.value.record, caught.value.id) == (3, 3)


@pytest.mark.parametrize(("byte", "bits"), [(0, 0xFF), (4, 0x04), (5, 0x01), (8, 0x02), (34, 0xFF)], ids=str)
def test_a_damaged_header_record_does_not_turn_identity_records_into_samples(
    tmp_path: Path, byte: int, bits: int
) -> None:
    """In its magic number, its length, its flag and its first label."""
    rec = write(tmp_path, header_first(records()))
    content = bytearray(rec.read_bytes())
    content[byte] ^= bits
    rec.write_bytes(content)
    for idx in index_or_none({"path_imgidx": rec.with_suffix(".idx")}):
        batches = ImageRecordIter(path_imgrec=rec, data_shape=SHAPE, batch_size=4, on_error="skip", **idx)
        assert read(batches)[0] == LABELS


def test_detection_iterator_reads_images_only(tmp_path: Path) -> None:
    label = (2.0, 5.0, 1.0, 0.1, 0.1, 0.5, 0.5)
    rec = write(tmp_path, records(label=lambda _: label))
    batches = ImageDetRecordIter(path_imgrec=rec, data_shape=SHAPE, batch_size=8)
    assert len(next(batches).data[0]) == 8
    with pytest.raises(StopIteration):
        next(batches)


@pytest.mark.parametrize(
    "rows",
    [
        [(0, (2.0, 5.0), b""), (1, 1.0, b"x"), (2, 2.0, b"x")],
        [(0, 1.0, b"x"), (1, (2.0, 5.0), b""), (2, 2.0, b"x")],
        [(0, 1.0, b"x"), (1, 2.0, b"x"), (2, (2.0, 5.0), b"")],
        [(0, 7.0, b""), (1, 1.0, b"x")],
    ],
    ids=["first", "middle", "last", "one label"],
)
def test_an_ordinary_record_without_an_image_is_an_error(tmp_path: Path, rows: Records) -> None:
    """It is not skipped in silence, although its labels may look like a range."""
    image = png(noise(8, 8))
    rec = write(tmp_path, [(key, label, payload and image) for key, label, payload in rows])
    with pytest.raises(DecodeError, match=r"no image bytes in this record .* `recio index --images-only`"):
        list(ImageRecordIter(path_imgrec=rec, data_shape=SHAPE, batch_size=1, label_width=-1))
    assert len(RecordDataset(rec)) == len(rows)
    rec2idx(rec, tmp_path / "images.idx", images_only=True)
    settings: Any = {"path_imgidx": tmp_path / "images.idx", "label_width": -1}
    batches = ImageRecordIter(path_imgrec=rec, data_shape=SHAPE, batch_size=1, **settings)
    assert len(list(batches)) == len(rows) - 1


def test_index_of_images_has_the_keys_of_the_images(faces: FaceSet) -> None:
    idx = faces.root / "images.idx"
    assert rec2idx(faces.root / "train.rec", idx, images_only=True) == "ids"
    assert [int(line.split()[0]) for line in idx.read_text().splitlines()] == [*range(1, 9)]
