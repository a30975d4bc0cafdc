"""``ImageDetIter``: batches of images and object boxes, made by native threads."""

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
from recio._recio import Step
from recio._storage import CACHE_BYTES, storage
from recio.image._augmenter import apply_step
from recio.image._create import replace_true
from recio.image._hooks import default_hook, image_rng
from recio.image._image_iter import ImageIter, refuse_unknown
from recio.image._sources import source_of
from recio.image.detection._augmenter import det_steps
from recio.image.detection._create import CreateDetAugmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from recio._loader.error_policy import OnError
    from recio._loader.ranks import Parts
    from recio._loader.record_paths import Paths
    from recio._loader.sampler import Sampler
    from recio._storage import StorageOptions
    from recio._util import OnDamage, StrPath
    from recio.image._image_iter import LastBatch
    from recio.limits import Limits

_log = logging.getLogger("recio")

_NO_OBJECT = -1


class ImageDetIter(ImageIter):
    """Batches of decoded and augmented images and their objects from record files, a list file, or a list of paths.

    The label of a record is a row of numbers: the width A of the header, at least 2; the width B of an object, at least
    5, equal in all records; A - 2 other numbers; then the objects with B numbers each: class, left, top, right, bottom,
    in fractions of the image's sides, and others. Objects that do not have left < right and top < bottom are dropped.
    Images without an object of a class of at least 0, or with a label of another form, are skipped; the logger
    ``recio`` lists them at level DEBUG.

    The constructor reads all labels to find the largest number of objects.

    A subclass may override the hooks of `ImageIter`; `augmentation_transform` takes and returns the objects too.

    Parameters
    ----------
    batch_size : int
        Number of images in a batch.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 gray, 4 RGBA), height and width of the output, in pixels.
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
        one image. `num_parts` ``'auto'`` as for `recio.io.ImageRecordIter`.
    aug_list : list, optional
        Augmenters: the result of `CreateDetAugmenter`, others of class `DetAugmenter`, and functions
        ``f(image, label) -> (image, label)``, called by one thread at a time. Default:
        ``CreateDetAugmenter(data_shape, **kwargs)``. If functions drop all objects, the label is empty; more objects
        than the label has room for are an error.
    imglist : list, optional
        ``[[label, path], ...]``.
    data_name, label_name : str, default 'data' and 'label'
        Names in ``provide_data`` and ``provide_label``.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        As for `ImageIter`.
    seed : int, optional
        Seed of order and augmentation, from 0 to 2**64 - 1. Default: a number from Python's `random`, so that
        ``random.seed`` determines it.
    preprocess_threads : int, optional
        Number of decoding threads, at most 1,024. Default: number of cores that the process may use.
    shard, shard_policy, on_error, error_log, max_errors, limits, formats, on_damage
        As for `recio.io.ImageRecordIter`.
    storage_options, filesystem, cache_dir, cache_bytes, sampler, allocator
        As for `recio.io.ImageRecordIter`. The image files of a list are local.
    prefetch_buffer : int, default 2
        Number of batches made in advance, or more of small batches.
    read_ahead, read_ahead_bytes
        As for `recio.io.ImageRecordIter`. With a hook that reads, nothing is read ahead.
    allow_outside : bool, default False
        Whether the paths in `path_imglist` may leave `path_root`: by absolute paths, ``..`` or links. Allow it only for
        lists from a trusted source. The paths in `imglist` always may.
    **kwargs
        Keywords of `CreateDetAugmenter`, if `aug_list` is not given.

    Attributes
    ----------
    label_shape : (int, int)
        Largest number of objects of an image, and count of numbers of an object. The label of a batch has shape
        (batch_size, objects, numbers), float32, with a row for each object, and -1 in the rows after the last.

    Raises
    ------
    TypeError
        If a keyword does not exist, or a value has the wrong type.
    ValueError
        If a value is out of range.
    FileNotFoundError
        If a file does not exist.
    recio.RecordError, recio.DecodeError
        As for `recio.io.ImageRecordIter`. From the constructor, also if no image has objects, or the objects differ in
        width.

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
        num_parts: Parts = 1,
        aug_list: Iterable[Callable[..., Any]] | None = None,
        imglist: Sequence[Sequence[Any]] | None = None,
        data_name: str = "data",
        label_name: str = "label",
        last_batch_handle: LastBatch = "pad",
        *,
        seed: int | None = None,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
        read_ahead: int | None = None,
        read_ahead_bytes: int = 256 << 20,
        shard: Literal["contiguous", "global"] = "contiguous",
        shard_policy: Literal["pad", "drop", "uneven"] = "pad",
        on_error: OnError = "raise",
        error_log: StrPath | None = None,
        max_errors: float | None = None,
        limits: Limits | None = None,
        formats: str | Sequence[str] | None = None,
        storage_options: StorageOptions = None,
        filesystem: object = None,
        cache_dir: StrPath | None = None,
        cache_bytes: int = CACHE_BYTES,
        sampler: Sampler | None = None,
        allocator: Callable[[int], object] | None = None,
        on_damage: OnDamage = "error",
        allow_outside: bool = False,
        **kwargs: Any,  # noqa: ANN401 of CreateDetAugmenter
    ) -> None:
        refuse_unknown("ImageDetIter", kwargs, ImageDetIter, CreateDetAugmenter)
        PipelineIter.__init__(self, validate.positive("batch_size", batch_size))
        self.data_shape = validate.image_shape("data_shape", data_shape)
        self.last_batch_handle, self.dtype = last_batch_handle, np.dtype(np.float32)
        self._given_augmenters = None if aug_list is None else list(aug_list)
        self._aug_settings = kwargs
        if aug_list is not None and kwargs:
            raise ValueError(f"aug_list replaces {', '.join(kwargs)}; pass either")
        opened_with = storage(storage_options, filesystem, cache_dir, validate.natural("cache_bytes", cache_bytes))
        self._source = source_of(path_imgrec, path_imgidx, path_imglist, imglist, path_root, allow_outside, opened_with)
        self._init_samples(shuffle, path_root)
        self._seed = validate.signed_seed("seed", self._seed_or_random(seed, shard))
        self._given = {
            "batch_size": batch_size,
            "shuffle": shuffle,
            "num_parts": num_parts,
            "part_index": part_index,
            "preprocess_threads": preprocess_threads,
            "prefetch_buffer": prefetch_buffer,
            "read_ahead": read_ahead,
            "read_ahead_bytes": read_ahead_bytes,
            "shard": shard,
            "shard_policy": shard_policy,
            "on_error": on_error,
            "error_log": error_log,
            "max_errors": max_errors,
            "limits": limits,
            "formats": formats,
            "on_damage": on_damage,
            "sampler": sampler,
            "allocator": allocator,
        }
        self._given_names = data_name, label_name
        self._augment_for(self.data_shape)
        self._open(ErrorPolicy.of_keywords(self._given))
        objects, numbers = self._pipeline.label_shape
        self.label_shape = objects, numbers
        for reason in self._pipeline.skipped_from_start:
            _log.debug("an image is skipped: %s", reason)

    def _augment_for(self, data_shape: tuple[int, int, int]) -> None:
        """Set the augmenters and keywords for images of a shape."""
        augmenters = (
            CreateDetAugmenter(data_shape, **self._aug_settings)
            if self._given_augmenters is None
            else self._given_augmenters
        )
        self.auglist: list[Callable[..., Any]] = list(augmenters)
        self._checked = validate.check_keywords(IMAGES, {**self._given, "data_shape": data_shape, "seed": self._seed})

    def _open(self, error_policy: ErrorPolicy) -> None:
        """Open the pipeline for the present augmenters and hooks."""
        options = loader_options(
            self._checked, steps=det_steps(self.auglist), last_batch=self.last_batch_handle, label_form="table"
        )
        self._start_with_hooks(options, error_policy)

    @property
    def provide_label(self) -> list[DataDesc]:
        """Name, shape, dtype and layout of the labels."""
        return [DataDesc(self._names[1], (self.batch_size, *self.label_shape), np.float32, "NTC")]

    def _labels(self, labels: NDArray[Any]) -> list[NDArray[Any]]:
        """Return a table of objects for each image, with as many rows as `label_shape` has."""
        tables = labels.reshape(self.batch_size, -1, self.label_shape[1])
        missing = self.label_shape[0] - tables.shape[1]
        return [np.pad(tables, ((0, 0), (0, missing), (0, 0)), constant_values=_NO_OBJECT) if missing else tables]

    def reshape(self, data_shape: Sequence[int] | None = None, label_shape: tuple[int, int] | None = None) -> None:
        """Change the shape of the images or labels in later batches.

        Parameters
        ----------
        data_shape : (int, int, int), optional
            Channels, height and width, in pixels. A new epoch starts, with the next seed. Augmenters from keywords are
            made again; those of an `aug_list` stay, and must return images of that size.
        label_shape : (int, int), optional
            Number of objects, not smaller than now, and count of numbers of each, equal to now.

        Raises
        ------
        ValueError
            If a shape is invalid.
        """
        if label_shape is not None:
            self.check_label_shape(label_shape)
            self.label_shape = label_shape[0], label_shape[1]
        if data_shape is not None:
            shape, before = validate.image_shape("data_shape", data_shape), self._pipeline
            self._seed = (self._seed + 1) % (1 << 64)
            self._augment_for(shape)
            self._open(ErrorPolicy.of_keywords(self._checked))
            # Set by assignment, it is refused.
            self.__dict__["data_shape"] = shape
            before.close()

    def check_data_shape(self, data_shape: Sequence[int]) -> None:
        """Check the shape of images: (channels, height, width).

        Raises
        ------
        ValueError
            If it is invalid.
        """
        validate.image_shape("data_shape", data_shape)

    def _check_image(self, images: Sequence[NDArray[Any]]) -> None:
        """Call the hook with a list of one image, as MXNet does here."""
        self.check_valid_image(images)

    # As in MXNet, it takes more than the method of the base class.
    @default_hook
    def augmentation_transform(  # type: ignore[override]
        self, data: NDArray[Any], label: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Augment an image and its objects: applies the augmenters in order."""
        rng = image_rng.get()
        if rng is not None:
            data, boxes = apply_step(Step.sequence(det_steps(self.auglist)), data, label, rng)
            assert boxes is not None  # noqa: S101 boxes in, boxes out
            return data, boxes
        for augmenter in self.auglist:
            data, label = augmenter(data, label)
        return data, label

    def check_label_shape(self, label_shape: Sequence[int]) -> None:
        """Check that the labels fit into a shape.

        Raises
        ------
        ValueError
            If they do not.
        """
        if len(label_shape) != len(self.label_shape):
            raise ValueError(f"label_shape must be (objects, numbers of each), got {tuple(label_shape)}")
        objects, numbers = self.label_shape
        if label_shape[0] < objects or label_shape[1] != numbers:
            raise ValueError(
                f"label_shape must be at least {objects} objects of {numbers} numbers, got {tuple(label_shape)}"
            )

    def sync_label_shape(self, it: ImageDetIter, verbose: bool = False) -> ImageDetIter:
        """Set the number of objects of this iterator and another one to the larger of both.

        Parameters
        ----------
        it : ImageDetIter
            The other iterator, such as that of the validation data.
        verbose : bool, default False
            Whether to log the shape at level INFO of the logger ``recio``.

        Returns
        -------
        ImageDetIter
            The other iterator.

        Raises
        ------
        TypeError
            If it is not an `ImageDetIter`.
        ValueError
            If its objects have a different count of numbers.
        """
        if not isinstance(it, ImageDetIter):
            raise TypeError(f"it must be an ImageDetIter, got {it!r}")
        shape = max(self.label_shape[0], it.label_shape[0]), self.label_shape[1]
        for one in (it, self):
            one.reshape(label_shape=shape)
        if verbose:
            _log.info("label_shape is now %s", shape)
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
        """Iterate over the remaining images of the epoch with their boxes drawn, for inspection.

        Parameters
        ----------
        color : (float, float, float), optional
            R, G and B of the boxes, from 0 to 255. Default: random colors.
        thickness : int, default 2
            Thickness of the lines, in pixels.
        mean, std : True, or array-like of 1 or 3 numbers, optional
            Mean and standard deviation of the augmenters' normalization, which is undone. True as for
            `CreateAugmenter`.
        clip : bool, default True
            Whether values are clipped to 0 to 255; otherwise they wrap.
        waitKey : None
            Not supported: MXNet shows a window, recio does not.
        window_name : str
            Without effect.
        id2labels : None
            Not supported: MXNet writes the names of classes on the image.

        Yields
        ------
        ndarray, shape (height, width, 3), uint8
            Image with boxes, **B, G, R**, as in MXNet, for OpenCV.

        Raises
        ------
        ValueError
            If `waitKey` or `id2labels` is given.
        """
        if waitKey is not None or id2labels is not None:
            raise ValueError("waitKey and id2labels are not supported: nothing is shown, and no names are written")
        mean, std, clip = *replace_true(mean, std), validate.flag("clip", clip)
        return self._draw_boxes(color, thickness, 0 if mean is None else mean, 1 if std is None else std, clip)

    def _draw_boxes(
        self, color: tuple[float, float, float] | None, thickness: int, mean: ArrayLike, std: ArrayLike, clip: bool
    ) -> Iterator[NDArray[np.uint8]]:
        for batch in self:
            images, tables = np.asarray(batch.data[0]), np.asarray((batch.label or [])[0])
            shown = self.batch_size - (batch.pad or 0)
            for image, objects in zip(images[:shown], tables[:shown], strict=True):
                values = image.transpose(1, 2, 0) * std + mean
                rgb = (values.clip(0, 255) if clip else values.astype(np.int64)).astype(np.uint8)
                bgr = np.ascontiguousarray(rgb[..., ::-1])
                draw_boxes(bgr, objects, color, thickness)
                yield bgr


def draw_boxes(
    image: NDArray[np.uint8], objects: NDArray[np.float32], color: tuple[float, float, float] | None, thickness: int
) -> None:
    """Draw the boxes of objects on an image, in place.

    Parameters
    ----------
    image : ndarray, shape (height, width, 3), uint8
        Image, B, G, R.
    objects : ndarray, shape (objects, 5 or more)
        Class, left, top, right, bottom, in fractions of the image's sides; rows with a negative left are skipped.
    color : (float, float, float) or None
        R, G, B; ``None`` for random colors.
    thickness : int
        Thickness of the lines, in pixels; they are centered on the sides of the box.
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
    """Return the slice from the first to the last pixel, extended by half of the thickness."""
    before = thickness // 2
    return slice(max(first - before, 0), max(last - before + thickness, 0))
