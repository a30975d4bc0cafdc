"""``FaceRecordDataset``: record files in the dialect of InsightFace.

Record 0 has no image; its two labels are the key of the first identity record and that behind the last. The images
have the keys from 1 to there. An identity record has no image either; its two labels are the keys of the identity's
first image and that behind its last.

All these keys are float32, which has no odd numbers past 2**24, and few others: of a set of 42 million images, record 0
is off by up to two. What the labels cannot say is found where they point to, by which records have an image.
"""

from __future__ import annotations

import bisect
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypeAlias

import numpy as np

from recio._recio import RecordError
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

_LABELS = 2
"""An identity record has the keys of the first image and behind the last."""

_EXACT = 1 << 24
"""All whole numbers up to this one are float32."""


_LONGEST_LINE = 200
"""The bytes that are read of a file ``property``."""


class FaceRecordDataset(RecordDataset):
    """The images of a face set in the dialect of InsightFace, in the order of their keys, and whose they are.

    A plain record file, as im2rec makes it, is taken too: it has a label for each image, and no other records.

    Parameters
    ----------
    root_dir : path, optional
        A folder with ``train.rec``, ``train.idx`` and perhaps ``property``.
    path_imgrec, path_imgidx : path, optional
        In place of `root_dir`, the record file and its index, as for `RecordDataset`.
    transform, flag, to_rgb, cache
        As for `RecordDataset`.

    Raises
    ------
    TypeError
        If neither or both of `root_dir` and `path_imgrec` are given.
    FileNotFoundError
        If a file is missing.
    recio.RecordError
        If the index or ``property`` is damaged, or record 0 does not say where the images end.

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

    _border: int | None
    """The key of the first record behind the images; none of a plain record file."""

    def _image_keys(self) -> NDArray[np.uint64]:
        self._border = _border(self._file)
        if self._border is None:
            return super()._image_keys()
        keys = _keys_from(self._file, 1)
        return keys[: np.searchsorted(keys, np.uint64(self._border))]

    @property
    def num_classes(self) -> int:
        """The number of identities in the whole set: as ``property`` says, else 1 + the largest label of this one."""
        if self._property is not None:
            return self._property.num_classes
        return 1 + int(self.labels().max(initial=-1))

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the images in pixels, as ``property`` says; ``None`` without."""
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
            Its number, from 0; negative ones count from the end.

        Returns
        -------
        image : ndarray, shape (height, width, 3) or (height, width, 1), uint8
            Levels from 0 to 255; or what `transform` makes of it.
        identity : int
            Whose face it is: the record's label, of several the first.

        Raises
        ------
        IndexError
            If there is no such sample.
        recio.RecordError, recio.DecodeError
            If the record or its image is damaged, or its label not a whole number; the message names the file, the
            record and the byte offset.
        """
        image, identity = super().__getitem__(index)
        return image, int(identity)

    def labels(self) -> NDArray[np.int64]:
        """Give the identities of all samples, read once, from the records' headers.

        Returns
        -------
        ndarray, shape (samples,), int64, read-only
            The labels; of several the first.

        Raises
        ------
        recio.RecordError
            If a header is damaged, or a label is not a whole number.
        """
        labels = first(super().labels())
        whole = np.isfinite(labels) & (labels == np.rint(labels))
        if not whole.all():
            at = int(np.argmin(whole))
            error = RecordError(f"the label {labels[at]} is not the number of an identity")
            raise self._file.locate(error, int(self._keys[at]))
        return read_only(labels.astype(np.int64))

    def identities(self) -> dict[int, range]:
        """Give the samples of each identity.

        From the identity records where there are any that say it exactly; else the label of each image is read, as by
        `labels`.

        Returns
        -------
        dict
            From identity to the numbers of its samples here, in the order of the file; those without an image are not
            in it.

        Raises
        ------
        recio.RecordError
            If the identity records contradict each other.
        ValueError
            If the samples of an identity are not all together; ``labels`` serves then.
        """
        starts, ends = self._listed() or self._runs()
        owners = self.subset(starts).labels()
        if len(np.unique(owners)) < len(owners):
            raise ValueError(f"{self._file.path}: the images of an identity are not all together; group by labels()")
        return {
            owner: range(start, end)
            for owner, start, end in zip(owners.tolist(), starts.tolist(), ends.tolist(), strict=True)
        }

    def _listed(self) -> _Ranges | None:
        """Give the numbers of the first sample and behind the last of each identity, if identity records say so."""
        if self._rows is not None or self._border is None or self._border > _EXACT:
            return None
        keys = _keys_from(self._file, self._border)
        if not keys.size:
            return None
        starts, ends = np.searchsorted(self._keys, _listed_keys(self._file, keys, self._border))
        some = starts < ends
        return starts[some], ends[some]

    def _runs(self) -> _Ranges:
        """Give the same by where the labels change."""
        labels = self.labels()
        borders = np.flatnonzero(np.diff(labels)) + 1
        starts = np.append(np.zeros(min(len(labels), 1), np.intp), borders)
        return starts, np.append(starts[1:], len(labels))[: len(starts)]


def _border(file: ImageRecordFile) -> int | None:
    """Give the key of the first record behind the images; ``None`` if the file is a plain one."""
    if 0 not in file:
        return None
    header = file.headers(np.zeros(1, np.uint64))
    if header.flags[0] == 0 or header.image_sizes[0] > 0:
        return None
    border = _first_without_image(file, _rounded_to(header.labels[0]))
    if border is None:
        said = f"it says that the images end before the key {header.labels[0]:.0f}; the records there say otherwise"
        raise file.locate(RecordError(said), 0)
    return border


def _first_without_image(file: ImageRecordFile, candidates: range) -> int | None:
    """Find the border among keys; ``None`` if it is not there. Records that the index lacks may be on either side."""
    place = bisect.bisect_left(candidates, x=True, key=lambda key: not _image_size(file, key))
    if place == len(candidates):
        return None
    border = candidates[place]
    ended_before = border > 1 and _image_size(file, border - 1) == 0
    return None if ended_before else border


def _rounded_to(label: np.float32) -> range:
    """Give all whole numbers that may be this one as float32; none if no key may be."""
    if not 1 <= label < 1 << 63:
        return range(0)
    below, above = ((float(label) + float(np.nextafter(label, np.float32(end)))) / 2 for end in (0, np.inf))
    return range(math.ceil(below), math.floor(above) + 1)


def _image_size(file: ImageRecordFile, key: int) -> int | None:
    """Give the bytes of the image of the record with this key; ``None`` if there is no such record."""
    return int(file.headers(np.array([key], np.uint64)).image_sizes[0]) if key in file else None


def _keys_from(file: ImageRecordFile, start: int) -> NDArray[np.uint64]:
    keys = np.sort(file.keys())
    return keys[np.searchsorted(keys, np.uint64(start)) :]


def _listed_keys(file: ImageRecordFile, keys: NDArray[np.uint64], border: int) -> NDArray[np.uint64]:
    """Give the keys of the first image and behind the last, shape (2, identities), that identity records hold."""
    headers = file.headers(keys)
    sound = headers.flags == _LABELS
    if sound.all():
        starts, ends = headers.labels.reshape(-1, _LABELS).T
        sound = (starts >= 1) & (starts <= ends) & (ends <= border)
        if sound.all():
            return np.stack([starts, ends]).astype(np.uint64)
    raise file.locate(RecordError("it does not say which images are an identity's"), int(keys[np.argmin(sound)]))


class FaceProperty(NamedTuple):
    """What the file ``property`` beside a record file says."""

    num_classes: int
    height: int
    width: int


def read_property(path: Path) -> FaceProperty | None:
    """Read ``property``: a first line ``identities,height,width``, others ignored; ``None`` if there is no file.

    Raises
    ------
    recio.RecordError
        If its first line is not three whole numbers with commas between.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
    except FileNotFoundError:
        return None
    words = line.strip().split(b",")
    if len(words) != len(FaceProperty._fields) or not all(word.strip().isdigit() for word in words):
        damage = RecordError(f"{path}: the first line is {line!r}, not identities,height,width")
        damage.path = str(path)
        raise damage
    return FaceProperty(*map(int, words))
