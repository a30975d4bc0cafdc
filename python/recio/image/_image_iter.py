"""``ImageIter``: batches of images from records or files, augmented in native threads or by hooks of one's own."""

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
"""What a subclass may define to do a part of the work itself."""


class ImageIter(PipelineIter):
    """Batches of decoded and augmented images, from record files, a list of files, or files that the caller names.

    The images are read, decoded and augmented by native threads, as by `recio.io.ImageRecordIter`; augmenters that are
    Python functions are called by one thread at a time. A subclass that defines one of the hooks `next_sample`,
    `imdecode`, `read_image`, `check_valid_image`, `augmentation_transform` and `postprocess_data` has them called for
    each image, in Python and in the calling thread.

    Parameters
    ----------
    batch_size : int
        Images a batch.
    data_shape : (int, int, int)
        (3, height, width) of the output, in pixels.
    label_width : int, default 1
        Labels an image.
    path_imgrec : path or list of paths, optional
        Record files, as for `recio.io.ImageRecordIter`.
    path_imglist : path, optional
        A list (``.lst``): of image files under `path_root` or, with `path_imgrec`, of labels in place of the records'
        own.
    path_root : path, optional
        The folder that the paths of `path_imglist` and `imglist` are relative to. Default: the current directory.
    path_imgidx : path or list of paths, optional
        Indexes of the record files. Without, these are scanned.
    shuffle : bool, default False
        Whether each epoch has an order of its own.
    part_index, num_parts : int, default 0 and 1
        The part that is read, and into how many the images are divided. Parts differ by at most one image.
    aug_list : list, optional
        Augmenters: what `CreateAugmenter` gives, those of this module in any order, and functions. See
        `recio.io.ImageRecordIter`. Default: ``CreateAugmenter(data_shape, **kwargs)``.
    imglist : list, optional
        ``[[label, path], ...]``, or ``[[[label, ...], path], ...]``.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    dtype : dtype-like, default 'float32'
        Type of the labels. (MXNet gave float32 whatever this was.) The data are float32.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        What becomes of the images that do not fill a batch: they are filled up with images of the epoch's beginning;
        left out; or the beginning of the next epoch's first batch, whose ``pad`` is the number of that epoch's images.
    seed : int, optional
        Seed of order and augmentation; with hooks, of the order. Default: drawn from Python's `random`, so that
        ``random.seed`` decides; with hooks it decides of the augmentation always.
    preprocess_threads : int, optional
        Threads that decode. Default: the cores that the process may use.
    prefetch_buffer : int, default 2
        Batches made ahead of need.
    shard_policy, on_error, error_log, max_errors, limits, formats
        As for `recio.io.ImageRecordIter`.
    allow_outside : bool, default False
        Whether the paths of `path_imglist` may leave `path_root`: be absolute, climb out by ``..``, lead out by a link.
        A list may come from anywhere; those that you wrote are safe. Those of `imglist` always may.
    **kwargs
        For `CreateAugmenter`, if there is no `aug_list`.

    Raises
    ------
    ValueError
        For values that make no sense.
    TypeError
        For keywords that do not exist.
    FileNotFoundError
        If a file is missing.
    recio.RecordError, recio.DecodeError
        As of `recio.io.ImageRecordIter`.

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
            raise TypeError(f"aug_list takes the place of {', '.join(kwargs)}; give the one or the other")
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
        checked = validate.keywords(IMAGES, given)
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
        """Make batches by the hooks. A native pipeline looks at all that was given; it must not call the augmenters."""
        pipeline = self._source.pipeline(replace(options, steps=()))
        fingerprint = pipeline.fingerprint()
        pipeline.close()
        return OneByOne(self, vars(options), self._cursor, fingerprint)

    def _labels(self, labels: NDArray[np.float32]) -> list[NDArray[Any]]:
        return [label.astype(self.dtype, copy=False) for label in super()._labels(labels)]

    def reset(self) -> None:
        """Begin a new epoch. At the end of one, images that roll over are kept."""
        super().reset()
        self._cursor.reset()

    def hard_reset(self) -> None:
        """Begin a new epoch, and forget images that roll over."""
        self._batch = None
        self._pipeline.hard_reset()
        self._cursor.reset()

    def check_data_shape(self, data_shape: Sequence[int]) -> None:
        """Refuse a shape that is not (3, height, width).

        Raises
        ------
        ValueError
            If it is another.
        """
        if len(data_shape) != 3 or data_shape[0] != 3:  # noqa: PLR2004
            raise ValueError(f"data_shape={tuple(data_shape)}; it is (3, height, width)")

    def next_sample(self) -> Sample:
        """Give the next image of the epoch, by one: a hook. It moves by itself, beside the batches of native threads.

        Returns
        -------
        label : float or ndarray
            Its label, or labels.
        image : bytes
            Its file's bytes.

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
        """Read the bytes of an image file whose path is relative to `path_root`: a hook."""
        if not isinstance(self._source, Files):
            raise TypeError("there are no image files, but records")
        return self._source.read(fname)

    def imdecode(self, s: BytesLike) -> NDArray[np.uint8]:
        """Decode an image: a hook. Gives an ndarray of shape (height, width, 3), uint8, R, G, B."""
        return imdecode(s, limits=Limits(*self._options.limits), formats=self._options.formats)

    def check_valid_image(self, data: Sequence[NDArray[Any]]) -> None:
        """Refuse what is no image: a hook. An image for which it raises RuntimeError is left out, and logged.

        Parameters
        ----------
        data : list of ndarray
            One image.
        """
        if data[0].ndim != 3:  # noqa: PLR2004
            raise RuntimeError(f"an image of shape {data[0].shape}; it has the axes height, width, channels")

    def augmentation_transform(self, data: NDArray[Any]) -> NDArray[Any]:
        """Augment an image: a hook. Calls the augmenters one after another."""
        for augmenter in self.auglist:
            data = image_function(augmenter)(data)
        return data

    def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
        """Bring an augmented image into the layout of the batch, channels first: a hook."""
        return np.transpose(datum, (2, 0, 1))
