"""``RecordDataset``: map-style data set of the image records of one or several files."""

from __future__ import annotations

import inspect
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, TypeAlias, overload

import numpy as np

from recio._loader import validate
from recio._loader.notices import identity_records_skipped
from recio._recio import DecodeError
from recio._storage import CACHE_BYTES, storage
from recio._util import fills_damage
from recio.datasets import _header_cache
from recio.datasets._labels import first, from_flat, read_only
from recio.datasets._record_file import ImageRecords
from recio.image import imdecode
from recio.limits import limits_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from recio._storage import AnyPath, StorageOptions
    from recio._util import OnDamage, StrPath
    from recio.datasets._record_file import Headers, ImageRecordFile
    from recio.limits import Limits
    from recio.recordio import IRHeader

    Image: TypeAlias = NDArray[np.uint8]
    Label: TypeAlias = float | NDArray[np.float32]
    Indices: TypeAlias = Sequence[int] | NDArray[np.integer] | NDArray[np.bool_]


class RecordDataset:
    """Map-style data set of the image records of one or several files, in their order; images are decoded on access.

    Several threads may use it at once and decode in parallel; forked processes may use it too. A pickle holds the
    paths, the functions and the selection of a subset; the copy opens the files again. (If workers are spawned,
    `transform` and `target_transform` must be picklable, so no lambda.)

    Of a face data set (InsightFace's layout), only the images are samples, not the header record and the identity
    records; a warning of the logger ``recio`` states how many were skipped. `FaceRecordDataset` also has their
    identities.

    Parameters
    ----------
    path_imgrec : path or sequence of paths
        The record file, or several: their samples follow one another. A manifest, a folder, a pattern or the URL of a
        folder stands for its record files, as for `recio.io.ImageRecordIter`.
    path_imgidx : path or sequence of paths, optional
        Its index, or one for each: the data set has the records that it lists. Default: the ``.idx`` beside each record
        file. Without one, each copy scans the record file; `recio.recordio.rec2idx` writes an index.
    transform : callable, optional
        Called with each image; its result replaces the image.
    target_transform : callable, optional
        Called with each label; its result replaces the label. `labels` and `filter` do not use it.
    flag : {1, 0}, default 1
        1: images with three channels. 0: gray images with one channel.
    to_rgb : bool, default True
        Whether the channel order is RGB, or BGR.
    decode : bool, default True
        Whether images are decoded. With False, the images are the encoded bytes, as they are in the file.
    on_damage : {'error', 'fill'}, default 'error'
        Whether damage in the image data of a JPEG is an error, or is filled, as for `recio.image.imdecode`.
    limits : recio.Limits, optional
        Largest size of an image, as for `recio.image.imdecode`.
    cache : path, optional
        Cache file of `labels` and `ids` for the next process. It is written on their first use, and again when the size
        or time of a record file or index has changed. Subsets do not use it.
    storage_options, filesystem, cache_dir, cache_bytes
        As for `recio.io.ImageRecordIter`, for the record files and indexes.

    Raises
    ------
    ValueError
        If `flag` is not 0 or 1, `on_damage` is invalid, or the numbers of record files and indexes differ.
    FileNotFoundError
        If a file is missing.
    recio.RecordError
        If an index is damaged, or a record file, if it is scanned; or the header record of a face data set contradicts
        its records.

    Examples
    --------
    >>> dataset = RecordDataset("train.rec")  # doctest: +SKIP
    >>> image, label = dataset[0]  # doctest: +SKIP
    >>> loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=4)  # doctest: +SKIP
    >>> payload, label = RecordDataset("train.rec", decode=False)[0]  # doctest: +SKIP
    """

    _by_key = False
    """Whether the images of a face data set are in the order of their keys."""

    def __init__(
        self,
        path_imgrec: AnyPath | Sequence[AnyPath],
        path_imgidx: AnyPath | Sequence[AnyPath] | None = None,
        *,
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
        _refuse_unknown(type(self).__name__, unknown)
        fills_damage(on_damage)
        limits_tuple(limits)
        decoding = {
            "flag": validate.color_flag("flag", flag),
            "to_rgb": validate.flag("to_rgb", to_rgb),
            "on_damage": on_damage,
            "limits": limits,
        }
        self.transform, self.target_transform = transform, target_transform
        self._decoding: dict[str, Any] | None = decoding if validate.flag("decode", decode) else None
        self._cache = None if cache is None else Path(cache)
        self._rows: NDArray[np.intp] | None = None
        self._headers: tuple[NDArray[np.uint64], NDArray[Any]] | None = None
        opened_with = storage(storage_options, filesystem, cache_dir, validate.natural("cache_bytes", cache_bytes))
        self._records = ImageRecords.open(path_imgrec, path_imgidx, opened_with, by_key=self._by_key)
        self._report_skipped()

    def _report_skipped(self) -> None:
        for file in self._records.files:
            file.check_layout()
            if file.identities is not None:
                identity_records_skipped(file.path, len(file.identities))

    def __len__(self) -> int:
        """Count the samples."""
        return len(self._records) if self._rows is None else len(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Read and decode one sample after another."""
        return map(self.__getitem__, range(len(self)))

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
        label : float, or ndarray, shape (labels,), float32
            A number if the record has one label, an array if it has several; or the result of `target_transform`.

        Raises
        ------
        IndexError
            If the number is out of range.
        recio.RecordError, recio.DecodeError
            If the record or its image is damaged; the message names the file, the record and the byte offset.
        """
        if isinstance(index, slice):
            return self.subset(range(*index.indices(len(self))))
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"sample {number} of a data set of {len(self)}")
        return self._sample(number % len(self))

    def _sample(self, number: int) -> tuple[Any, Any]:
        file, key = self._find(number)
        header, payload = file.read(key)
        image: Any = payload
        if self._decoding is not None:
            try:
                image = imdecode(payload, **self._decoding)
            except DecodeError as error:
                raise file.locate(error, key, header.id) from None
        image, label = self._converted(image, self._label(header, file, key))
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def _converted(self, image: Any, label: Label) -> tuple[Any, Any]:  # noqa: ANN401 an array, or bytes
        """Return an image and a label in the form that the transforms take."""
        return image, label

    def _find(self, number: int) -> tuple[ImageRecordFile, int]:
        """Return the file and the key of a sample."""
        return self._records.find(number if self._rows is None else int(self._rows[number]))

    def _label(self, header: IRHeader, file: ImageRecordFile, key: int) -> Label:  # noqa: ARG002 for a subclass's error
        if header.flag == 0:
            return float(header.label)
        return float(header.label[0]) if header.flag == 1 else np.array(header.label)

    def __getitems__(self, indices: Iterable[SupportsIndex]) -> list[tuple[Any, Any]]:
        """Read and decode several samples; PyTorch's ``DataLoader`` calls this for a batch.

        Parameters
        ----------
        indices : iterable of int
            Their numbers.

        Returns
        -------
        list
            The same as ``[dataset[i] for i in indices]``.
        """
        return [self[index] for index in indices]

    @property
    def classes(self) -> list[str] | None:
        """Names of the classes, at the index of their label; ``None`` if there is no file of names.

        They are in the manifest, if the data set has one, or else the lines of ``PREFIX.classes.txt`` beside
        ``PREFIX.rec``, which ``im2rec --list`` writes. For several record files they must be the same.

        Raises
        ------
        ValueError
            If the files of names differ, or one is not UTF-8.
        """
        return self._records.classes()

    @property
    def class_to_idx(self) -> dict[str, int] | None:
        """Label of each class by its name; ``None`` if there is no file of names."""
        names = self.classes
        return None if names is None else {name: label for label, name in enumerate(names)}

    def labels(self) -> NDArray[Any]:
        """Return the labels of all samples.

        They are read once from the records' headers; the images, which are most of the file, are not read.

        Returns
        -------
        ndarray, float32 or object, read-only
            Shape (samples,) if each sample has one label; (samples, labels) if all have the same number of labels.
            Otherwise shape (samples,), object, where each entry is an ndarray, shape (labels,), float32.

        Raises
        ------
        recio.RecordError
            If a header is damaged.
        ValueError
            If `cache` names a file that is not a cache of labels.
        """
        return read_only(self._load_headers()[1])

    def ids(self) -> NDArray[np.uint64]:
        """Return the ids in the records' headers, read like `labels`.

        Returns
        -------
        ndarray, shape (samples,), uint64, read-only
            The ids, which may repeat.
        """
        return read_only(self._load_headers()[0])

    def _load_headers(self) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        if self._headers is None:
            self._headers = self._read_headers() if self._cache is None else self._through_cache(self._cache)
        return self._headers

    def _through_cache(self, path: Path) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        digest = _header_cache.fingerprint(self._records)
        headers = _header_cache.load(path, digest)
        if headers is None:
            headers = self._read_headers()
            _header_cache.save(path, digest, *headers)
        return headers

    def _read_headers(self) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        if self._rows is None:
            return _ids_and_labels(self._records.headers())
        # A subset may repeat and reorder records; the files are read once, from start to end.
        numbers, inverse = np.unique(self._rows, return_inverse=True)
        ids, labels = _ids_and_labels(self._records.headers(numbers))
        return ids[inverse], labels[inverse]

    def subset(self, indices: Indices) -> Self:
        """Select samples into a data set that shares the open files with this one.

        Parameters
        ----------
        indices : sequence of int, or ndarray, shape (samples,), bool
            Numbers of samples in any order, possibly repeated, negative numbers from the end; or a mask.

        Returns
        -------
        RecordDataset
            Data set of the same class.

        Raises
        ------
        IndexError
            If a number is out of range, or the length of the mask is not the number of samples.
        TypeError
            If `indices` are neither integers nor booleans.

        Examples
        --------
        >>> dataset.subset(dataset.labels() < 10)  # doctest: +SKIP
        >>> dataset.subset(range(0, len(dataset), 2))  # doctest: +SKIP
        """
        rows = _rows(indices, len(self))
        subset = object.__new__(type(self))
        subset.__dict__.update(self.__dict__, _cache=None)
        subset._rows = rows if self._rows is None else self._rows[rows]
        subset._headers = self._headers and (self._headers[0][rows], self._headers[1][rows])
        return subset

    def filter(
        self, predicate: Callable[[Any], bool] | None = None, *, labels: Collection[float] | None = None
    ) -> Self:
        """Select samples by their labels, without reading images.

        Parameters
        ----------
        predicate : callable, optional
            Called with each sample's label, as in `labels`; selects the samples for which it is true.
        labels : collection of float, optional
            Selects the samples whose label (the first of several) is in it. Much faster than `predicate`.

        Returns
        -------
        RecordDataset
            As from `subset`.

        Raises
        ------
        TypeError
            If neither or both are given.
        """
        if (predicate is None) == (labels is None):
            raise TypeError("filter takes a predicate or labels, one of them")
        samples = self.labels()
        if predicate is not None:
            return self.subset(np.fromiter((bool(predicate(label)) for label in samples), np.bool_, len(samples)))
        firsts = first(samples)
        wanted = np.array(list(labels or ()), np.float64)
        # Rounded as in the file, so that 0.1 matches a label written as 0.1.
        return self.subset(np.isin(firsts, wanted.astype(np.float32) if firsts.dtype == np.float32 else wanted))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickling, without headers."""
        return {**self.__dict__, "_headers": None}

    def __repr__(self) -> str:
        """Return the class, the files and the number of samples."""
        paths = [file.path for file in self._records.files]
        return f"<{type(self).__name__} {', '.join(map(repr, paths))}: {len(self)} samples>"


_OF_DATA_LOADERS = {
    *("batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn", "pin_memory", "drop_last"),
    *("timeout", "worker_init_fn", "generator", "prefetch_factor", "persistent_workers"),
}


def _refuse_unknown(dataset: str, unknown: Iterable[str]) -> None:
    """Raise a TypeError for a keyword that a data set does not have."""
    for name in unknown:
        if name in _OF_DATA_LOADERS:
            raise TypeError(
                f"{dataset} got an unexpected keyword argument {name!r}; pass it to torch.utils.data.DataLoader"
            )
    validate.refuse_unknown(dataset, unknown, inspect.signature(RecordDataset).parameters)


def _ids_and_labels(headers: Headers) -> tuple[NDArray[np.uint64], NDArray[Any]]:
    return headers.ids, from_flat(np.maximum(headers.flags, 1), headers.labels)


def _rows(indices: Indices, count: int) -> NDArray[np.intp]:
    """Check indices or a mask, and return them as numbers from 0."""
    array = np.asarray(indices)
    if array.dtype == np.bool_:
        if array.shape != (count,):
            raise IndexError(f"a mask of {array.size} for a data set of {count}")
        return np.flatnonzero(array)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"samples are selected by integers or booleans, not {array.dtype}")
    rows = array.astype(np.intp).ravel()
    if rows.size and not -count <= rows.min() <= rows.max() < count:
        raise IndexError(f"samples {rows.min()} to {rows.max()} of a data set of {count}")
    return np.where(rows < 0, rows + count, rows)
