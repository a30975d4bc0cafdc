"""``ImageIter``: batches of images from records or files, made by native threads or by the hooks of a subclass."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from recio._loader import validate
from recio._loader.error_policy import ErrorPolicy
from recio._loader.native_iter import PipelineIter
from recio._loader.options import IMAGES, loader_options
from recio._loader.to_steps import image_function, to_steps
from recio.image._codec import imdecode
from recio.image._create import CreateAugmenter
from recio.image._one_by_one import Cursor, OneByOne
from recio.image._sources import Files, source
from recio.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from recio._loader.error_policy import OnError
    from recio._loader.options import LoaderOptions
    from recio._loader.record_paths import Paths
    from recio._util import BytesLike, StrPath
    from recio.image._sources import Sample

LastBatch: TypeAlias = Literal["pad", "discard", "roll_over"]

HOOKS = ("next_sample", "imdecode", "read_image", "check_valid_image", "augmentation_transform", "postprocess_data")
"""Methods that a subclass may override."""


class ImageIter(PipelineIter):
    """Batches of decoded and augmented images from record files, a list file, or a list of paths.

    Native threads read, decode and augment the images, as for `recio.io.ImageRecordIter`; augmenters that are Python
    functions are called by one thread at a time. If a subclass overrides one of the hooks `next_sample`, `imdecode`,
    `read_image`, `check_valid_image`, `augmentation_transform` and `postprocess_data`, all hooks are called for each
    image, in Python and in the calling thread.

    Parameters
    ----------
    batch_size : int
        Number of images in a batch.
    data_shape : (int, int, int)
        (3, height, width) of the output, in pixels.
    label_width : int, default 1
        Number of labels of an image.
    path_imgrec : path or list of paths, optional
        Record files, as for `recio.io.ImageRecordIter`.
    path_imglist : path, optional
        List file (``.lst``) with image files under `path_root` or, with `path_imgrec`, with labels that replace those
        in the records.
    path_root : path, optional
        Folder that the paths in `path_imglist` and `imglist` are relative to. Default: the current directory.
    path_imgidx : path or list of paths, optional
        Index files of the record files, which are scanned without them.
    shuffle : bool, default False
        Whether each epoch has its own order.
    part_index, num_parts : int, default 0 and 1
        Index of the shard that is read, and number of shards that the images are divided into. Shards differ by at most
        one image.
    aug_list : list, optional
        Augmenters: the result of `CreateAugmenter`, augmenters of this package in any order, and functions, as for
        `recio.io.ImageRecordIter`. Default: ``CreateAugmenter(data_shape, **kwargs)``.
    imglist : list, optional
        ``[[label, path], ...]``, or ``[[[label, ...], path], ...]``.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    dtype : dtype-like, default 'float32'
        Type of the labels. (In MXNet they are always float32.) The data are float32.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        Handling of the images that do not fill the last batch. ``'pad'``: images from the start of the epoch fill it.
        ``'discard'``: they are skipped. ``'roll_over'``: they start the first batch of the next epoch, whose ``pad`` is
        the number of images of that epoch.
    seed : int, optional
        Seed of order and augmentation, from 0 to 2**64 - 1; with hooks, of the order only. Default: a number from
        Python's `random`, so that ``random.seed`` determines it. With hooks, the augmentation always uses Python's
        `random`.
    preprocess_threads : int, optional
        Number of decoding threads, at most 1,024. Default: number of cores that the process may use.
    prefetch_buffer : int, default 2
        Number of batches made in advance.
    shard_policy, on_error, error_log, max_errors, limits, formats
        As for `recio.io.ImageRecordIter`.
    allow_outside : bool, default False
        Whether the paths in `path_imglist` may leave `path_root`: by absolute paths, ``..`` or links. Allow it only for
        lists from a trusted source. The paths in `imglist` always may.
    **kwargs
        Keywords of `CreateAugmenter`, if `aug_list` is not given.

    Raises
    ------
    TypeError
        If a keyword does not exist, or a value has the wrong type.
    ValueError
        If a value is out of range.
    FileNotFoundError
        If a file does not exist.
    recio.RecordError, recio.DecodeError
        As for `recio.io.ImageRecordIter`.

    Examples
    --------
    >>> batches = ImageIter(  # doctest: +SKIP
    ...     4, (3, 224, 224), path_imglist="pets.lst", path_root="photos", rand_crop=True, rand_mirror=True,
    ... )
    >>> batches.next().data[0].shape  # doctest: +SKIP
    (4, 3, 224, 224)
    """

    def __init__(
        self,
        batch_size: int,
        data_shape: Sequence[int],
        label_width: int = 1,
        path_imgrec: Paths = None,
        path_imglist: StrPath | None = None,
        path_root: StrPath | None = None,
        path_imgidx: Paths = None,
        shuffle: bool = False,
        part_index: int = 0,
        num_parts: int = 1,
        aug_list: Sequence[Callable[..., Any]] | None = None,
        imglist: Sequence[Sequence[Any]] | None = None,
        data_name: str = "data",
        label_name: str = "softmax_label",
        dtype: DTypeLike = "float32",
        last_batch_handle: LastBatch = "pad",
        *,
        seed: int | None = None,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
        shard_policy: Literal["pad", "drop", "uneven"] = "pad",
        on_error: OnError = "raise",
        error_log: StrPath | None = None,
        max_errors: float | None = None,
        limits: Limits | None = None,
        formats: str | Sequence[str] | None = None,
        allow_outside: bool = False,
        **kwargs: Any,  # noqa: ANN401 of CreateAugmenter
    ) -> None:
        super().__init__(batch_size)
        self.check_data_shape(data_shape)
        if aug_list is not None and kwargs:
            raise TypeError(f"aug_list replaces {', '.join(kwargs)}; pass either")
        self.data_shape: tuple[int, int, int] = (int(data_shape[0]), int(data_shape[1]), int(data_shape[2]))
        self.label_width, self.last_batch_handle, self.dtype = label_width, last_batch_handle, np.dtype(dtype)
        self.auglist: list[Callable[..., Any]] = [
            *(CreateAugmenter(self.data_shape, **kwargs) if aug_list is None else aug_list)
        ]
        self._source = source(path_imgrec, path_imgidx, path_imglist, imglist, path_root, allow_outside)
        given = {
            "data_shape": self.data_shape,
            "batch_size": batch_size,
            "label_width": label_width,
            "shuffle": shuffle,
            "num_parts": num_parts,
            "part_index": part_index,
            "seed": random.getrandbits(64) if seed is None else seed,
            "preprocess_threads": preprocess_threads,
            "prefetch_buffer": prefetch_buffer,
            "shard_policy": shard_policy,
            "on_error": on_error,
            "error_log": error_log,
            "max_errors": max_errors,
            "limits": limits,
            "formats": formats,
        }
        checked = validate.check_keywords(IMAGES, given)
        options = loader_options(checked, steps=to_steps(self.auglist), last_batch=last_batch_handle)
        has_hooks = any(getattr(type(self), hook) is not getattr(ImageIter, hook) for hook in HOOKS)
        self._cursor = Cursor(self._source, vars(options))
        self._start(
            self._one_by_one(options) if has_hooks else self._source.pipeline(options),
            options,
            ErrorPolicy.of_keywords(given),
            names=(data_name, label_name),
            aug_list=self.auglist,
        )

    def _one_by_one(self, options: LoaderOptions) -> OneByOne:
        """Make batches by the hooks. A native pipeline checks the arguments; it must not call the augmenters."""
        pipeline = self._source.pipeline(replace(options, steps=()))
        fingerprint = pipeline.fingerprint()
        pipeline.close()
        return OneByOne(self, vars(options), self._cursor, fingerprint)

    def _labels(self, labels: NDArray[np.float32]) -> list[NDArray[Any]]:
        return [label.astype(self.dtype, copy=False) for label in super()._labels(labels)]

    def reset(self) -> None:
        """Start a new epoch; images that roll over at the end of an epoch are kept."""
        super().reset()
        self._cursor.reset()

    def hard_reset(self) -> None:
        """Start a new epoch without images that roll over."""
        self._batch = None
        self._pipeline.hard_reset()
        self._cursor.reset()

    def check_data_shape(self, data_shape: Sequence[int]) -> None:
        """Check that a shape is (3, height, width).

        Raises
        ------
        ValueError
            If it is not.
        """
        if len(data_shape) != 3 or data_shape[0] != 3:  # noqa: PLR2004
            raise ValueError(f"data_shape must be (3, height, width), got {tuple(data_shape)}")

    def next_sample(self) -> Sample:
        """Return the next sample of the epoch: a hook. Its position is independent of the batches of native threads.

        Returns
        -------
        label : float or ndarray
            Label, or labels.
        image : bytes
            Content of the image file.

        Raises
        ------
        StopIteration
            At the end of the epoch.
        """
        place = self._cursor.advance()
        if isinstance(self._source, Files):
            return self._source.label(place), self.read_image(self._source.path(place))
        return self._source.read(place)

    def read_image(self, fname: str) -> bytes:
        """Read an image file whose path is relative to `path_root`: a hook."""
        if not isinstance(self._source, Files):
            raise TypeError("this iterator reads records, not image files")
        return self._source.read(fname)

    def imdecode(self, s: BytesLike) -> NDArray[np.uint8]:
        """Decode an image: a hook. Returns an ndarray, shape (height, width, 3), uint8, R, G, B."""
        return imdecode(s, limits=Limits(*self._options.limits), formats=self._options.formats)

    def check_valid_image(self, data: Sequence[NDArray[Any]]) -> None:
        """Check an image: a hook. An image for which it raises RuntimeError is skipped and logged.

        Parameters
        ----------
        data : list of ndarray
            One image.

        Raises
        ------
        RuntimeError
            If it does not have three axes.
        """
        if data[0].ndim != 3:  # noqa: PLR2004
            raise RuntimeError(f"an image must have shape (height, width, channels), got {data[0].shape}")

    def augmentation_transform(self, data: NDArray[Any]) -> NDArray[Any]:
        """Augment an image: a hook. Applies the augmenters in order."""
        for augmenter in self.auglist:
            data = image_function(augmenter)(data)
        return data

    def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
        """Transpose an augmented image to the layout of the batch, channels first: a hook."""
        return np.transpose(datum, (2, 0, 1))
