"""``RecordDataset``: the image records of a file as a data set."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, TypeAlias

import numpy as np

from recio._recio import DecodeError
from recio.datasets import _header_cache as _cache
from recio.datasets._labels import first, from_flat, read_only
from recio.datasets._record_file import ImageRecordFile
from recio.image import imdecode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from recio._util import StrPath
    from recio.recordio import IRHeader

    Image: TypeAlias = NDArray[np.uint8]
    Label: TypeAlias = float | NDArray[np.float32]
    Indices: TypeAlias = Sequence[int] | NDArray[np.integer] | NDArray[np.bool_]


class RecordDataset:
    """The image records of a file, in its order, each decoded when it is asked for.

    May be used by several threads at once, which decode in parallel, and in forked processes. A pickle holds the paths,
    `transform` and, of a subset, which records it has: the copy opens the files anew. (So `transform` must be something
    that can be pickled, no lambda, if workers are spawned.)

    Parameters
    ----------
    path_imgrec : path
        The record file.
    path_imgidx : path, optional
        Its index: the data set has the records that it lists. Default: the file beside `path_imgrec` that ends in
        ``.idx``. Without one the record file is scanned, by each copy again; `recio.recordio.rec2idx` spares that.
    transform : callable, optional
        Called with each image; what it gives takes the image's place.
    flag : {1, 0}, default 1
        1: images of three channels. 0: of one, grey.
    to_rgb : bool, default True
        Whether the channels are R, G, B, or B, G, R.
    cache : path, optional
        Where `labels` and `ids` are kept for the next process. The file is written when they are first asked for, and
        again when a record file or an index has another size or time than it was written for. Subsets do not use it.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    recio.RecordError
        If the index, or a record file that is scanned, is damaged.

    Examples
    --------
    >>> dataset = RecordDataset("train.rec")  # doctest: +SKIP
    >>> image, label = dataset[0]  # doctest: +SKIP
    >>> loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=4)  # doctest: +SKIP
    """

    def __init__(
        self,
        path_imgrec: StrPath,
        path_imgidx: StrPath | None = None,
        *,
        transform: Callable[[Image], Any] | None = None,
        flag: int = 1,
        to_rgb: bool = True,
        cache: StrPath | None = None,
    ) -> None:
        if flag not in (0, 1):
            raise ValueError(f"flag={flag}; it is 1 (colour) or 0 (grey)")
        self.transform = transform
        self._decoding = flag, to_rgb
        self._cache = None if cache is None else Path(cache)
        self._rows: NDArray[np.intp] | None = None
        self._headers: tuple[NDArray[np.uint64], NDArray[Any]] | None = None
        self._file = ImageRecordFile(path_imgrec, path_imgidx)
        self._keys = self._image_keys()

    def _image_keys(self) -> NDArray[np.uint64]:
        """Give the keys of the records that make up the whole data set, in its order."""
        return self._file.keys()

    def __len__(self) -> int:
        """Count the samples."""
        return len(self._keys)

    def __iter__(self) -> Iterator[tuple[Any, Label]]:
        """Read and decode one sample after another."""
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: SupportsIndex) -> tuple[Any, Label]:
        """Read and decode a sample.

        Parameters
        ----------
        index : int
            Its number, from 0; negative ones count from the end.

        Returns
        -------
        image : ndarray, shape (height, width, 3) or (height, width, 1), uint8
            Levels from 0 to 255; or what `transform` makes of it.
        label : float, or ndarray, shape (labels,), float32
            A number if the record has one label, an array if it has several.

        Raises
        ------
        IndexError
            If there is no such sample.
        recio.RecordError, recio.DecodeError
            If the record or its image is damaged; the message names the file, the record and the byte offset.
        """
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"sample {number} of a data set of {len(self)}")
        return self._sample(int(self._keys[number]))

    def _sample(self, key: int) -> tuple[Any, Label]:
        header, payload = self._file.read(key)
        try:
            image = imdecode(payload, *self._decoding)
        except DecodeError as error:
            raise self._file.locate(error, key, header.id) from None
        return image if self.transform is None else self.transform(image), self._label(header, key)

    def _label(self, header: IRHeader, key: int) -> Label:  # noqa: ARG002 a subclass that refuses labels says where
        if header.flag == 0:
            return float(header.label)
        return float(header.label[0]) if header.flag == 1 else np.array(header.label)

    def __getitems__(self, indices: Iterable[SupportsIndex]) -> list[tuple[Any, Label]]:
        """Read and decode several samples: what PyTorch's ``DataLoader`` calls for a batch.

        Parameters
        ----------
        indices : iterable of int
            Their numbers.

        Returns
        -------
        list
            As of ``[dataset[i] for i in indices]``.
        """
        return [self[index] for index in indices]

    def labels(self) -> NDArray[Any]:
        """Give the labels of all samples.

        They are read once, from the records' headers: the images, nearly all of the file, are passed over.

        Returns
        -------
        ndarray, float32 or object, read-only
            Shape (samples,) if each has one label; (samples, labels) if each has as many. Where their numbers differ,
            shape (samples,) and each entry an ndarray, shape (labels,), float32.

        Raises
        ------
        recio.RecordError
            If a header is damaged.
        ValueError
            If `cache` names a file that is not a cache of labels.
        """
        return read_only(self._load_headers()[1])

    def ids(self) -> NDArray[np.uint64]:
        """Give the ids that stand in the records' headers, read as `labels` are.

        Returns
        -------
        ndarray, shape (samples,), uint64
            Not necessarily different ones.
        """
        return read_only(self._load_headers()[0])

    def _load_headers(self) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        if self._headers is None:
            self._headers = self._read_headers() if self._cache is None else self._through_cache(self._cache)
        return self._headers

    def _through_cache(self, path: Path) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        own = _cache.fingerprint(self._file, self._keys)
        headers = _cache.load(path, own)
        if headers is None:
            headers = self._read_headers()
            _cache.save(path, own, *headers)
        return headers

    def _read_headers(self) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        # A subset may have a record twice, and in any order; the file is read from its beginning to its end.
        keys, back = (self._keys, ...) if self._rows is None else np.unique(self._keys, return_inverse=True)
        headers = self._file.headers(keys)
        return headers.ids[back], from_flat(np.maximum(headers.flags, 1), headers.labels)[back]

    def subset(self, indices: Indices) -> Self:
        """Choose samples: a data set that shares the open files with this one.

        Parameters
        ----------
        indices : sequence of int, or ndarray, shape (samples,), bool
            Their numbers, in any order, negative ones from the end, repeated ones too; or which of all they are.

        Returns
        -------
        RecordDataset
            Of the same class.

        Raises
        ------
        IndexError
            If there is no such sample, or not as many truth values as samples.

        Examples
        --------
        >>> dataset.subset(dataset.labels() < 10)  # doctest: +SKIP
        >>> dataset.subset(range(0, len(dataset), 2))  # doctest: +SKIP
        """
        rows = _rows(indices, len(self))
        chosen = object.__new__(type(self))
        chosen.__dict__.update(self.__dict__, _cache=None)
        chosen._keys = self._keys[rows]
        chosen._rows = rows if self._rows is None else self._rows[rows]
        chosen._headers = self._headers and (self._headers[0][rows], self._headers[1][rows])
        return chosen

    def filter(
        self, predicate: Callable[[Any], bool] | None = None, *, labels: Collection[float] | None = None
    ) -> Self:
        """Choose samples by their labels, without reading images.

        Parameters
        ----------
        predicate : callable, optional
            Called with each sample's label, as `labels` gives it; the samples stay for which it is true.
        labels : collection of float, optional
            In place of `predicate`, and much faster: the samples stay whose label, of several the first, is in it.

        Returns
        -------
        RecordDataset
            As of `subset`.

        Raises
        ------
        TypeError
            If neither or both are given.
        """
        if (predicate is None) == (labels is None):
            raise TypeError("filter takes a predicate or labels, one of them")
        own = self.labels()
        if predicate is not None:
            return self.subset(np.fromiter((bool(predicate(label)) for label in own), np.bool_, len(own)))
        firsts = first(own)
        wanted = np.array(list(labels or ()), np.float64)
        # As a file holds it: a label written as 0.1 is found by 0.1.
        return self.subset(np.isin(firsts, wanted.astype(np.float32) if firsts.dtype == np.float32 else wanted))

    def __getstate__(self) -> dict[str, Any]:
        """Give what is needed to open the files elsewhere, not what was read from them."""
        return {**self.__dict__, "_keys": None, "_headers": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Find the same records in the files again."""
        self.__dict__.update(state)
        whole = self._image_keys()
        self._keys = whole if self._rows is None else whole[self._rows]

    def __repr__(self) -> str:
        """Show the file and the number of samples."""
        return f"<{type(self).__name__} {self._file.path!r}: {len(self)} samples>"


def _rows(indices: Indices, count: int) -> NDArray[np.intp]:
    """Give numbers from 0, checked."""
    array = np.asarray(indices)
    if array.dtype == np.bool_:
        if array.shape != (count,):
            raise IndexError(f"{array.size} truth values for a data set of {count}")
        return np.flatnonzero(array)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"samples are chosen by whole numbers or by truth values, not {array.dtype}")
    rows = array.astype(np.intp).ravel()
    if rows.size and not -count <= rows.min() <= rows.max() < count:
        raise IndexError(f"samples {rows.min()} to {rows.max()} of a data set of {count}")
    return np.where(rows < 0, rows + count, rows)
