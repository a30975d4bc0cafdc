"""``FaceRecordDataset``: record files of InsightFace, whose layout the native part reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, SupportsIndex, TypeAlias, overload

import numpy as np

from recio import _recio
from recio._recio import RecordError, RemotePath
from recio._storage import CACHE_BYTES, storage
from recio.datasets._labels import first, read_only
from recio.datasets._record_dataset import RecordDataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recio._storage import AnyPath, Located, StorageOptions
    from recio._util import OnDamage, StrPath
    from recio.datasets._record_file import ImageRecordFile
    from recio.limits import Limits
    from recio.recordio import IRHeader

    _Ranges: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]

_MAX_PROPERTY_BYTES = 200


class FaceRecordDataset(RecordDataset):
    """Map-style data set of an InsightFace record file: images in the order of their keys, with identities.

    Plain record files, as im2rec makes them, are read too: each record is an image with a label.

    Parameters
    ----------
    root_dir : path, optional
        Folder with ``train.rec``, ``train.idx`` and, optionally, ``property``. Or the record file itself.
    path_imgrec, path_imgidx : path, optional
        The record file and its index, as for `RecordDataset`, instead of `root_dir`.
    transform, target_transform, flag, to_rgb, decode, on_damage, limits, cache
        As for `RecordDataset`. `target_transform` is called with an identity.
    storage_options, filesystem, cache_dir, cache_bytes
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
        root_dir: AnyPath | None = None,
        *,
        path_imgrec: AnyPath | None = None,
        path_imgidx: AnyPath | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        flag: int = 1,
        to_rgb: bool = True,
        decode: bool = True,
        on_damage: OnDamage = "error",
        limits: Limits | None = None,
        cache: StrPath | None = None,
        storage_options: StorageOptions = None,
        filesystem: object = None,
        cache_dir: StrPath | None = None,
        cache_bytes: int = CACHE_BYTES,
        **unknown: object,
    ) -> None:
        if root_dir is not None and path_imgrec is None and path_imgidx is None:
            root = storage(storage_options, filesystem, cache_dir, cache_bytes).path(root_dir)
            is_file = root.name.endswith(".rec") if isinstance(root, RemotePath) else root.is_file()
            path_imgrec, path_imgidx = (root_dir, None) if is_file else (root / "train.rec", root / "train.idx")
        elif root_dir is not None or path_imgrec is None:
            raise TypeError("FaceRecordDataset takes root_dir or path_imgrec, one of them")
        super().__init__(
            path_imgrec,
            path_imgidx,
            transform=transform,
            target_transform=target_transform,
            flag=flag,
            to_rgb=to_rgb,
            decode=decode,
            on_damage=on_damage,
            limits=limits,
            cache=cache,
            storage_options=storage_options,
            filesystem=filesystem,
            cache_dir=cache_dir,
            cache_bytes=cache_bytes,
            **unknown,
        )
        self._property = _property_of(self._file.located)
        self._check_last_label()

    _by_key = True

    def _report_skipped(self) -> None:
        """Refuse a header record that the others contradict; nothing else is skipped unexpectedly."""
        self._file.check_layout()

    @property
    def _file(self) -> ImageRecordFile:
        return self._records.files[0]

    def _check_last_label(self) -> None:
        """Compare ``property`` with the label of the last image, which usually is the largest one."""
        if self._property is None or not len(self):
            return
        file, key = self._find(len(self) - 1)
        try:
            headers = file.headers(np.array([key], np.uint64))
        except RecordError:
            # The damage is reported where the record is read.
            return
        self._check_identity(float(headers.labels[0]), file, key)

    def _check_identity(self, label: float, file: ImageRecordFile, key: int, id_: int | None = None) -> int:
        """Return a label as the number of an identity."""
        if not label.is_integer():
            raise file.locate(RecordError(f"the label {label} is not the number of an identity"), key, id_)
        if self._property is not None and label >= self._property.num_classes:
            count = self._property.num_classes
            message = f"the label {label:.0f}, but the file property beside it has {count} identities, 0 to {count - 1}"
            raise file.locate(RecordError(message), key, id_)
        return int(label)

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

    def _label(self, header: IRHeader, file: ImageRecordFile, key: int) -> int:
        label = float(header.label if header.flag == 0 else header.label[0])
        return self._check_identity(label, file, key, header.id)

    @overload
    def __getitem__(self, index: SupportsIndex) -> tuple[Any, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: SupportsIndex | slice) -> tuple[Any, Any] | Self:
        """Read and decode a sample, or select samples by a slice.

        Parameters
        ----------
        index : int or slice
            The sample's number, from 0; negative numbers count from the end. A slice returns a `subset`, which reads
            nothing.

        Returns
        -------
        image : ndarray, shape (height, width, 3) or (height, width, 1), uint8; or bytes
            The image or, with ``decode=False``, its encoded bytes; or the result of `transform`.
        identity : int
            Number of the person: the record's label, the first of several; or the result of `target_transform`.

        Raises
        ------
        IndexError
            If the number is out of range.
        recio.RecordError, recio.DecodeError
            If the record or its image is damaged, or its label is no integer or not among the identities of
            ``property``; the message names the file, the record and the byte offset.
        """
        return super().__getitem__(index)

    def labels(self) -> NDArray[np.int64]:
        """Return the identities of all samples, read once from the records' headers.

        Returns
        -------
        ndarray, shape (samples,), int64, read-only
            The labels, of each record the first.

        Raises
        ------
        recio.RecordError
            If a header is damaged, or a label is no integer or not among the identities of ``property``.
        """
        labels = first(super().labels())
        end = np.inf if self._property is None else self._property.num_classes
        valid = np.isfinite(labels) & (labels == np.rint(labels)) & (labels < end)
        if not valid.all():
            row = int(np.argmin(valid))
            self._check_identity(float(labels[row]), *self._find(row))
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
        """Return the numbers of each identity's first sample and after its last.

        ``None`` if there are no identity records, their keys are not exact, or some images have none.
        """
        keys = self._file.images
        if self._rows is not None or not self._file.has_exact_identities:
            return None
        starts, ends = np.searchsorted(keys, self._file.identity_ranges().T)
        nonempty = starts < ends
        complete = (ends - starts).sum() >= len(keys)
        return (starts[nonempty], ends[nonempty]) if complete else None

    def _ranges_from_labels(self) -> _Ranges:
        """Return the numbers of each identity's first sample and after its last: where the labels change."""
        labels = self.labels()
        changes = np.flatnonzero(np.diff(labels)) + 1
        starts = np.append(np.zeros(min(len(labels), 1), np.intp), changes)
        return starts, np.append(starts[1:], len(labels))[: len(starts)]


class FaceProperty(NamedTuple):
    """Contents of the file ``property`` beside a record file."""

    num_classes: int
    height: int
    width: int


def _property_of(rec: Located) -> FaceProperty | None:
    """Read the file ``property`` beside a record file; ``None`` if it does not exist."""
    values = _recio.face_property(rec)
    return None if values is None else FaceProperty(*values)
