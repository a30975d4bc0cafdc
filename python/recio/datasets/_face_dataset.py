"""``FaceRecordDataset``: record files of InsightFace.

Record 0 has no image; its two labels are the keys of the first identity record and after the last one. The images have
the keys from 1 up to the first identity record. An identity record has no image either; its two labels are the keys of
the identity's first image and after its last one.

These keys are stored as float32, which has no odd integers past 2**24: in a set of 42 million images, record 0 is off
by up to two. The exact key is then found by checking which of the records near it have an image.
"""

from __future__ import annotations

import bisect
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypeAlias

import numpy as np

from recio._recio import RecordError
from recio._util import FLOAT32_EXACT
from recio.datasets._labels import first, read_only
from recio.datasets._record_dataset import RecordDataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recio._util import StrPath
    from recio.datasets._record_dataset import Image
    from recio.datasets._record_file import ImageRecordFile
    from recio.recordio import IRHeader

    _Ranges: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]

_IDENTITY_LABELS = 2
"""Number of labels of an identity record: the keys of the first image and after the last."""


_MAX_PROPERTY_BYTES = 200


class FaceRecordDataset(RecordDataset):
    """Map-style data set of an InsightFace record file: images in the order of their keys, with identities.

    Plain record files, as im2rec makes them, are read too: each record is an image with a label.

    Parameters
    ----------
    root_dir : path, optional
        Folder with ``train.rec``, ``train.idx`` and, optionally, ``property``.
    path_imgrec, path_imgidx : path, optional
        The record file and its index, as for `RecordDataset`, instead of `root_dir`.
    transform, flag, to_rgb, cache
        As for `RecordDataset`.

    Raises
    ------
    TypeError
        If neither or both of `root_dir` and `path_imgrec` are given.
    FileNotFoundError
        If a file is missing.
    recio.RecordError
        If the index or ``property`` is damaged, or if record 0 does not lead to the first identity record.

    Examples
    --------
    >>> faces = FaceRecordDataset("ms1m-retinaface-t1")  # doctest: +SKIP
    >>> faces  # doctest: +SKIP
    <FaceRecordDataset 'ms1m-retinaface-t1/train.rec': 5179510 samples>
    >>> image, identity = faces[0]  # doctest: +SKIP
    >>> image.shape, identity, faces.num_classes  # doctest: +SKIP
    ((112, 112, 3), 0, 93431)
    """

    def __init__(
        self,
        root_dir: StrPath | None = None,
        *,
        path_imgrec: StrPath | None = None,
        path_imgidx: StrPath | None = None,
        transform: Callable[[Image], Any] | None = None,
        flag: int = 1,
        to_rgb: bool = True,
        cache: StrPath | None = None,
    ) -> None:
        if root_dir is not None and path_imgrec is None and path_imgidx is None:
            path_imgrec, path_imgidx = Path(root_dir) / "train.rec", Path(root_dir) / "train.idx"
        elif root_dir is not None or path_imgrec is None:
            raise TypeError("FaceRecordDataset takes root_dir or path_imgrec, one of them")
        super().__init__(path_imgrec, path_imgidx, transform=transform, flag=flag, to_rgb=to_rgb, cache=cache)
        self._property = read_property(Path(path_imgrec).parent / "property")

    _images_end: int | None
    """Key of the first record after the images; ``None`` for a plain record file."""

    def _image_keys(self) -> NDArray[np.uint64]:
        self._images_end = _find_images_end(self._file)
        if self._images_end is None:
            return super()._image_keys()
        keys = _keys_from(self._file, 1)
        return keys[: np.searchsorted(keys, np.uint64(self._images_end))]

    @property
    def num_classes(self) -> int:
        """Number of identities: that in ``property``, else 1 + the largest label of this data set."""
        if self._property is not None:
            return self._property.num_classes
        return 1 + int(self.labels().max(initial=-1))

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the images in pixels, from ``property``; ``None`` without that file."""
        return None if self._property is None else self._property[1:]

    def _label(self, header: IRHeader, key: int) -> int:
        label = float(header.label if header.flag == 0 else header.label[0])
        if not label.is_integer():
            raise self._file.locate(RecordError(f"the label {label} is not the number of an identity"), key, header.id)
        return int(label)

    def __getitem__(self, index: SupportsIndex) -> tuple[Any, int]:
        """Read and decode a sample.

        Parameters
        ----------
        index : int
            The sample's number, from 0; negative numbers count from the end.

        Returns
        -------
        image : ndarray, shape (height, width, 3) or (height, width, 1), uint8
            The image, or the result of `transform`.
        identity : int
            Number of the person: the record's label, the first of several.

        Raises
        ------
        IndexError
            If the number is out of range.
        recio.RecordError, recio.DecodeError
            If the record or its image is damaged, or its label is no integer; the message names the file, the record
            and the byte offset.
        """
        image, identity = super().__getitem__(index)
        return image, int(identity)

    def labels(self) -> NDArray[np.int64]:
        """Return the identities of all samples, read once from the records' headers.

        Returns
        -------
        ndarray, shape (samples,), int64, read-only
            The labels, of each record the first.

        Raises
        ------
        recio.RecordError
            If a header is damaged, or a label is no integer.
        """
        labels = first(super().labels())
        is_integer = np.isfinite(labels) & (labels == np.rint(labels))
        if not is_integer.all():
            row = int(np.argmin(is_integer))
            error = RecordError(f"the label {labels[row]} is not the number of an identity")
            raise self._file.locate(error, int(self._keys[row]))
        return read_only(labels.astype(np.int64))

    def identities(self) -> dict[int, range]:
        """Return the samples of each identity.

        They are read from the identity records, if there are any and their keys are exact; else from the label of each
        image, as by `labels`.

        Returns
        -------
        dict of int to range
            From identities to the numbers of their samples in this data set, in the order of the file. Identities
            without an image are not included.

        Raises
        ------
        recio.RecordError
            If the identity records are inconsistent.
        ValueError
            If the samples of an identity are not consecutive; group by `labels` then.
        """
        starts, ends = self._ranges_from_identity_records() or self._ranges_from_labels()
        owners = self.subset(starts).labels()
        if len(np.unique(owners)) < len(owners):
            raise ValueError(f"{self._file.path}: the images of an identity are not all together; group by labels()")
        return {
            owner: range(start, end)
            for owner, start, end in zip(owners.tolist(), starts.tolist(), ends.tolist(), strict=True)
        }

    def _ranges_from_identity_records(self) -> _Ranges | None:
        """Return the numbers of each identity's first sample and after its last; ``None`` without exact records."""
        if self._rows is not None or self._images_end is None or self._images_end > FLOAT32_EXACT:
            return None
        keys = _keys_from(self._file, self._images_end)
        if not keys.size:
            return None
        starts, ends = np.searchsorted(self._keys, _identity_ranges(self._file, keys, self._images_end))
        nonempty = starts < ends
        return starts[nonempty], ends[nonempty]

    def _ranges_from_labels(self) -> _Ranges:
        """Return the numbers of each identity's first sample and after its last: where the labels change."""
        labels = self.labels()
        changes = np.flatnonzero(np.diff(labels)) + 1
        starts = np.append(np.zeros(min(len(labels), 1), np.intp), changes)
        return starts, np.append(starts[1:], len(labels))[: len(starts)]


def _find_images_end(file: ImageRecordFile) -> int | None:
    """Find the key of the first record after the images; ``None`` for a plain record file."""
    if 0 not in file:
        return None
    header = file.headers(np.zeros(1, np.uint64))
    if header.flags[0] == 0 or header.image_sizes[0] > 0:
        return None
    end = _first_without_image(file, _integers_rounded_to(header.labels[0]))
    if end is None:
        message = f"its label ends the images before the key {header.labels[0]:.0f}, but the records there do not match"
        raise file.locate(RecordError(message), 0)
    return end


def _first_without_image(file: ImageRecordFile, candidates: range) -> int | None:
    """Find the first key after the images among candidates, some of which the index may lack; ``None`` if absent."""
    position = bisect.bisect_left(candidates, x=True, key=lambda key: not _image_size(file, key))
    if position == len(candidates):
        return None
    end = candidates[position]
    ended_before = end > 1 and _image_size(file, end - 1) == 0
    return None if ended_before else end


def _integers_rounded_to(label: np.float32) -> range:
    """Return all integers that float32 rounds to this label; none if it is no key."""
    if not 1 <= label < 1 << 63:
        return range(0)
    below, above = ((float(label) + float(np.nextafter(label, np.float32(end)))) / 2 for end in (0, np.inf))
    return range(math.ceil(below), math.floor(above) + 1)


def _image_size(file: ImageRecordFile, key: int) -> int | None:
    """Return the size of a record's image in bytes; ``None`` if no record has the key."""
    return int(file.headers(np.array([key], np.uint64)).image_sizes[0]) if key in file else None


def _keys_from(file: ImageRecordFile, start: int) -> NDArray[np.uint64]:
    keys = np.sort(file.keys())
    return keys[np.searchsorted(keys, np.uint64(start)) :]


def _identity_ranges(file: ImageRecordFile, keys: NDArray[np.uint64], images_end: int) -> NDArray[np.uint64]:
    """Read from identity records the keys of the first image and after the last; shape (2, identities)."""
    headers = file.headers(keys)
    valid = headers.flags == _IDENTITY_LABELS
    if valid.all():
        starts, ends = headers.labels.reshape(-1, _IDENTITY_LABELS).T
        valid = (starts >= 1) & (starts <= ends) & (ends <= images_end)
        if valid.all():
            return np.stack([starts, ends]).astype(np.uint64)
    raise file.locate(RecordError("its labels are no range of images"), int(keys[np.argmin(valid)]))


class FaceProperty(NamedTuple):
    """Contents of the file ``property`` beside a record file."""

    num_classes: int
    height: int
    width: int


def read_property(path: Path) -> FaceProperty | None:
    """Read ``property``, whose first line is ``identities,height,width``; ``None`` if the file does not exist.

    Raises
    ------
    recio.RecordError
        If its first line is not three integers separated by commas.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_MAX_PROPERTY_BYTES)
    except FileNotFoundError:
        return None
    words = line.strip().split(b",")
    if len(words) != len(FaceProperty._fields) or not all(word.strip().isdigit() for word in words):
        damage = RecordError(f"{path}: the first line is {line!r}, not identities,height,width")
        damage.path = str(path)
        raise damage
    return FaceProperty(*map(int, words))
