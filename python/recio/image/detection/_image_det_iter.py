"""``ImageDetIter``: batches of images with the objects on them, augmented in native threads."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recio._loader import validate
from recio._loader.base import DataDesc
from recio._loader.error_policy import ErrorPolicy
from recio._loader.native_iter import PipelineIter
from recio._loader.options import IMAGES, loader_options
from recio.image._create import or_imagenets
from recio.image._image_iter import HOOKS, ImageIter
from recio.image._one_by_one import Cursor
from recio.image._sources import source
from recio.image.detection._augmenter import det_steps
from recio.image.detection._create import CreateDetAugmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from recio._loader.error_policy import OnError
    from recio._loader.record_paths import Paths
    from recio._recio import ImagePipeline
    from recio._util import StrPath
    from recio.image._image_iter import LastBatch
    from recio.limits import Limits

_log = logging.getLogger("recio")

_NO_OBJECT = -1


class ImageDetIter(ImageIter):
    """Batches of decoded and augmented images with the objects on them, from records, a list or files that are named.

    A record's label is a row of numbers: the width of the header A, 2 or more; the width of an object B, 5 or more,
    the same in all records; A - 2 others; then the objects, B numbers each: class, left, top, right, bottom, in
    fractions of the image's sides, and others. Objects whose sides are out of order are left out; so are the images on
    which there is none with a class from 0 up, or whose label is not of this form. The logger ``recio`` says which, at
    level DEBUG.

    All labels are read at construction, to see how many objects there are at most. A subclass cannot take over parts of
    the work, as one of `ImageIter` can; functions in `aug_list` can.

    Parameters
    ----------
    batch_size : int
        Images a batch.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 grey, 4 RGBA), height and width of the output, in pixels.
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
        Augmenters: what `CreateDetAugmenter` gives, others of class `DetAugmenter`, and functions
        ``f(image, label) -> (image, label)``, called by one thread at a time. Default:
        ``CreateDetAugmenter(data_shape, **kwargs)``. If functions leave no object, the label has none; objects for
        which it has no room are an error.
    imglist : list, optional
        ``[[label, path], ...]``.
    data_name, label_name : str, default 'data' and 'label'
        Names in ``provide_data`` and ``provide_label``.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        As for `ImageIter`.
    seed : int, optional
        Seed of order and augmentation. Default: drawn from Python's `random`, so that ``random.seed`` decides.
    preprocess_threads : int, optional
        Threads that decode. Default: the cores that the process may use.
    shard_policy, on_error, error_log, max_errors, limits, formats
        As for `recio.io.ImageRecordIter`.
    prefetch_buffer : int, default 2
        Batches made ahead of need.
    allow_outside : bool, default False
        Whether the paths of `path_imglist` may leave `path_root`: be absolute, climb out by ``..``, lead out by a link.
        A list may come from anywhere; those that you wrote are safe. Those of `imglist` always may.
    **kwargs
        For `CreateDetAugmenter`, if there is no `aug_list`.

    Attributes
    ----------
    label_shape : (int, int)
        The most objects of an image, and the numbers of each. A batch's label is of shape (batch_size, objects,
        numbers), float32, an object a row; -1 where there are no more.

    Raises
    ------
    ValueError
        For values that make no sense.
    TypeError
        For keywords that do not exist.
    FileNotFoundError
        If a file is missing.
    recio.RecordError, recio.DecodeError
        As of `recio.io.ImageRecordIter`; also from the constructor if there is no image with objects, or their numbers
        differ in width.

    Examples
    --------
    >>> batches = ImageDetIter(  # doctest: +SKIP
    ...     32, (3, 300, 300), path_imgrec="train.rec", rand_crop=0.5, rand_pad=0.5, rand_mirror=True, mean=True,
    ... )
    >>> batches.next().label[0].shape  # doctest: +SKIP
    (32, 24, 5)
    """

    def __init__(
        self,
        batch_size: int,
        data_shape: Sequence[int],
        path_imgrec: Paths = None,
        path_imglist: StrPath | None = None,
        path_root: StrPath | None = None,
        path_imgidx: Paths = None,
        shuffle: bool = False,
        part_index: int = 0,
        num_parts: int = 1,
        aug_list: Iterable[Callable[..., Any]] | None = None,
        imglist: Sequence[Sequence[Any]] | None = None,
        data_name: str = "data",
        label_name: str = "label",
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
        **kwargs: Any,  # noqa: ANN401 of CreateDetAugmenter
    ) -> None:
        PipelineIter.__init__(self, batch_size)
        _refuse_hooks(type(self))
        self.data_shape = validate.image_shape("data_shape", data_shape)
        self.last_batch_handle = last_batch_handle
        self._given_augmenters = None if aug_list is None else list(aug_list)
        self._aug_settings = kwargs
        if aug_list is not None and kwargs:
            raise ValueError(f"aug_list takes the place of {', '.join(kwargs)}; give the one or the other")
        self._source = source(path_imgrec, path_imgidx, path_imglist, imglist, path_root, allow_outside)
        self._seed = random.getrandbits(64) if seed is None else seed
        self._given = {
            "batch_size": batch_size,
            "shuffle": shuffle,
            "num_parts": num_parts,
            "part_index": part_index,
            "preprocess_threads": preprocess_threads,
            "prefetch_buffer": prefetch_buffer,
            "shard_policy": shard_policy,
            "on_error": on_error,
            "error_log": error_log,
            "max_errors": max_errors,
            "limits": limits,
            "formats": formats,
        }
        self._given_names = data_name, label_name
        pipeline = self._open(self.data_shape)
        objects, numbers = pipeline.label_shape
        self.label_shape = objects, numbers
        for reason in pipeline.left_out:
            _log.debug("an image is left out: %s", reason)

    def _open(self, data_shape: tuple[int, int, int]) -> ImagePipeline:
        """Start the native pipeline, for images of this shape."""
        made = (
            CreateDetAugmenter(data_shape, **self._aug_settings)
            if self._given_augmenters is None
            else self._given_augmenters
        )
        self.auglist: list[Callable[..., Any]] = list(made)
        given = validate.keywords(IMAGES, {**self._given, "data_shape": data_shape, "seed": self._seed})
        options = loader_options(
            given, steps=det_steps(self.auglist), last_batch=self.last_batch_handle, label_form="table"
        )
        pipeline = self._source.pipeline(options)
        self._cursor = Cursor(self._source, vars(options))
        self._start(pipeline, options, ErrorPolicy.of_keywords(given), names=self._given_names, aug_list=self.auglist)
        return pipeline

    @property
    def provide_label(self) -> list[DataDesc]:
        """The name, shape, type and layout of the labels."""
        return [DataDesc(self._names[1], (self.batch_size, *self.label_shape), np.float32, "NTC")]

    def _labels(self, labels: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Give a table of objects for each image, with as many rows as were asked for by `reshape`."""
        tables = labels.reshape(self.batch_size, -1, self.label_shape[1])
        more = self.label_shape[0] - tables.shape[1]
        return [np.pad(tables, ((0, 0), (0, more), (0, 0)), constant_values=_NO_OBJECT) if more else tables]

    def reshape(self, data_shape: Sequence[int] | None = None, label_shape: tuple[int, int] | None = None) -> None:
        """Change the shape of the images, or of the labels, in the batches to come.

        Parameters
        ----------
        data_shape : (int, int, int), optional
            Channels, height and width. A new epoch begins, with the next seed. The augmenters that came of keywords are
            made anew; those of an `aug_list` stay, and must give images of that size.
        label_shape : (int, int), optional
            Objects, as many as there are or more, and the numbers of each, as many as there are.

        Raises
        ------
        ValueError
            If a shape makes no sense.
        """
        if label_shape is not None:
            self.check_label_shape(label_shape)
            self.label_shape = label_shape[0], label_shape[1]
        if data_shape is not None:
            shape, before = validate.image_shape("data_shape", data_shape), self._pipeline
            self._seed = (self._seed + 1) % (1 << 64)
            self._open(shape)
            self.data_shape = shape
            before.close()

    def check_data_shape(self, data_shape: Sequence[int]) -> None:
        """Refuse what is no shape of images.

        Raises
        ------
        ValueError
            If it is none.
        """
        validate.image_shape("data_shape", data_shape)

    # MXNet's, which takes more than its base class's.
    def augmentation_transform(  # type: ignore[override]
        self, data: NDArray[Any], label: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Augment an image and its objects. Calls the augmenters one after another."""
        for augmenter in self.auglist:
            data, label = augmenter(data, label)
        return data, label

    def check_label_shape(self, label_shape: Sequence[int]) -> None:
        """Refuse a shape that labels do not fit into.

        Raises
        ------
        ValueError
            If they do not.
        """
        if len(label_shape) != len(self.label_shape):
            raise ValueError(f"label_shape={tuple(label_shape)}; it is (objects, numbers of each)")
        objects, numbers = self.label_shape
        if label_shape[0] < objects or label_shape[1] != numbers:
            raise ValueError(f"label_shape={tuple(label_shape)}; there are {objects} objects, of {numbers} numbers")

    def sync_label_shape(self, it: ImageDetIter, verbose: bool = False) -> ImageDetIter:
        """Give this iterator and another one the same number of objects, the larger one.

        Parameters
        ----------
        it : ImageDetIter
            The other iterator, such as that of the validation data.
        verbose : bool, default False
            Whether to log the shape, at level INFO of the logger ``recio``.

        Returns
        -------
        ImageDetIter
            The other iterator.

        Raises
        ------
        TypeError
            If it is no `ImageDetIter`.
        ValueError
            If its objects have another number of numbers.
        """
        if not isinstance(it, ImageDetIter):
            raise TypeError(f"{it!r} is no ImageDetIter")
        shape = max(self.label_shape[0], it.label_shape[0]), self.label_shape[1]
        for one in (it, self):
            one.reshape(label_shape=shape)
        if verbose:
            _log.info("label_shape is %s now", shape)
        return it

    def draw_next(
        self,
        color: tuple[float, float, float] | None = None,
        thickness: int = 2,
        mean: ArrayLike | None = None,
        std: ArrayLike | None = None,
        clip: bool = True,
        waitKey: int | None = None,  # noqa: N803 MXNet's name
        window_name: str = "draw_next",  # noqa: ARG002 there are no windows
        id2labels: Mapping[int, str] | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Draw the boxes of the images to come, to the end of the epoch, for looking at them.

        Parameters
        ----------
        color : (float, float, float), optional
            The boxes' R, G, B, from 0 to 255. Default: random ones.
        thickness : int, default 2
            How thick their lines are, in pixels.
        mean, std : True, or array-like of 1 or 3 numbers, optional
            What the augmenters subtracted, and divided by, and is undone here. True: as for `CreateAugmenter`.
        clip : bool, default True
            Whether levels beyond 0 and 255 are put there; otherwise they wrap.
        waitKey : None
            MXNet showed a window. There is none here: show the images by what you have.
        window_name : str
            Without effect.
        id2labels : None
            MXNet wrote the names of classes. Here they are not written.

        Yields
        ------
        ndarray, shape (height, width, 3), uint8
            An image, **B, G, R**, as in MXNet, where it was for OpenCV to show.

        Raises
        ------
        ValueError
            If a window is asked for, or names.
        """
        if waitKey is not None or id2labels is not None:
            raise ValueError("waitKey and id2labels are not for here: nothing is shown, and no names are written")
        mean, std = or_imagenets(mean, std)
        return self._drawn(color, thickness, 0 if mean is None else mean, 1 if std is None else std, clip)

    def _drawn(
        self, color: tuple[float, float, float] | None, thickness: int, mean: ArrayLike, std: ArrayLike, clip: bool
    ) -> Iterator[NDArray[np.uint8]]:
        for batch in self:
            tables: NDArray[np.float32] = (batch.label or [])[0]
            shown = self.batch_size - (batch.pad or 0)
            for image, objects in zip(batch.data[0][:shown], tables[:shown], strict=True):
                levels = image.transpose(1, 2, 0) * std + mean
                whole = (levels.clip(0, 255) if clip else levels.astype(np.int64)).astype(np.uint8)
                bgr = np.ascontiguousarray(whole[..., ::-1])
                draw_boxes(bgr, objects, color, thickness)
                yield bgr


def _refuse_hooks(kind: type[ImageDetIter]) -> None:
    """Raise for a subclass that defines what would not be called."""
    own = [hook for hook in HOOKS if getattr(kind, hook) is not getattr(ImageDetIter, hook)]
    if own:
        raise TypeError(f"{kind.__name__} has {', '.join(own)} of its own, which would not be called; use aug_list")


def draw_boxes(
    image: NDArray[np.uint8], objects: NDArray[np.float32], color: tuple[float, float, float] | None, thickness: int
) -> None:
    """Draw the boxes of objects on an image, in place.

    Parameters
    ----------
    image : ndarray, shape (height, width, 3), uint8
        An image, B, G, R.
    objects : ndarray, shape (objects, 5 or more)
        Class, left, top, right, bottom, in fractions of the image's sides; those that begin left of it are none.
    color : (float, float, float) or None
        R, G, B; ``None`` for random ones.
    thickness : int
        How thick lines are, in pixels; their middle is on the box's sides.
    """
    height, width = image.shape[:2]
    for _, *sides in objects[:, :5]:
        left, top, right, bottom = (int(side * length) for side, length in zip(sides, (width, height) * 2, strict=True))
        if left < 0:
            continue
        bgr = [random.randrange(256) for _ in range(3)] if color is None else color[::-1]  # noqa: S311
        for side in (left, right):
            image[_line(top, bottom, thickness), _line(side, side, thickness)] = bgr
        for side in (top, bottom):
            image[_line(side, side, thickness), _line(left, right, thickness)] = bgr


def _line(first: int, last: int, thickness: int) -> slice:
    """Give the pixels from the first to the last, and half of the thickness beyond."""
    before = thickness // 2
    return slice(max(first - before, 0), max(last - before + thickness, 0))
