"""``ImageIter``: batches of images from records or files, made by native threads or by the hooks of a subclass."""

from __future__ import annotations

import inspect
import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from recio._loader import validate
from recio._loader.base import DataDesc
from recio._loader.error_policy import ErrorPolicy
from recio._loader.labels import convert_labels
from recio._loader.native_iter import PipelineIter
from recio._loader.options import IMAGES, loader_options
from recio._loader.to_steps import array_type, image_function, to_steps
from recio._recio import Step
from recio._storage import CACHE_BYTES, storage
from recio.image._augmenter import apply_step
from recio.image._codec import imdecode
from recio.image._create import CreateAugmenter
from recio.image._hooks import IMAGE_HOOKS, READING_HOOKS, default_hook, hook_steps, image_rng, overridden_hooks
from recio.image._samples import SampleSequence
from recio.image._sources import source_of
from recio.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from recio._loader.base import ImageBatch
    from recio._loader.error_policy import OnError
    from recio._loader.native_iter import Arrays
    from recio._loader.options import LoaderOptions
    from recio._loader.ranks import Parts
    from recio._loader.record_paths import Paths
    from recio._loader.sampler import Sampler
    from recio._storage import StorageOptions
    from recio._util import BytesLike, OnDamage, StrPath

LastBatch: TypeAlias = Literal["pad", "discard", "roll_over"]


class ImageIter(SampleSequence, PipelineIter):
    """Batches of decoded and augmented images from record files, a list file, or a list of paths.

    Native threads read, decode and augment the images, as for `recio.io.ImageRecordIter`; augmenters that are Python
    functions are called by one thread at a time.

    A subclass may override hooks. `check_valid_image`, `augmentation_transform` and `postprocess_data` take a decoded
    image: they are called by the native threads, one at a time, in no particular order and for images of later batches
    too; the first batch is not made before it is asked for. `next_sample`, `read_image` and `imdecode` read and decode:
    with one of these, `next` makes the batch in the calling thread, one image after another. Hooks do not change what
    they leave alone: order, ids, labels, shards, padding, states and random augmentation are those of `ImageIter`.

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
        in the records: of the line whose index is the record's key in `path_imgidx`, as in MXNet. Without `path_imgidx`
        it is the record's id; then records with the same id are an error.
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
        Augmenters: the result of `CreateAugmenter`, augmenters of this package in any order, and functions, as for
        `recio.io.ImageRecordIter`. Default: ``CreateAugmenter(data_shape, **kwargs)``.
    imglist : list, optional
        ``[[label, path], ...]``, or ``[[[label, ...], path], ...]``.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    dtype : dtype-like, default 'float32'
        Type of the labels. (In MXNet they are always float32.) The data are float32. A label that the type would change
        is an error: float32 has integers up to 2**24, and int64, int32 and float64 keep those of a list up to 2**53.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        Handling of the images that do not fill the last batch. ``'pad'``: images from the start of the epoch fill it.
        ``'discard'``: they are skipped. ``'roll_over'``: they start the first batch of the next epoch, whose ``pad`` is
        the number of images of that epoch.
    seed : int, optional
        Seed of order and augmentation, from 0 to 2**64 - 1. Default: a number from Python's `random`, so that
        ``random.seed`` determines it.
    preprocess_threads : int, optional
        Number of decoding threads, at most 1,024. Default: number of cores that the process may use.
    prefetch_buffer : int, default 2
        Number of batches made in advance, or more of small batches.
    read_ahead, read_ahead_bytes
        As for `recio.io.ImageRecordIter`. With a hook that reads, nothing is read ahead.
    shard, shard_policy, on_error, error_log, max_errors, limits, formats, on_damage
        As for `recio.io.ImageRecordIter`.
    storage_options, filesystem, cache_dir, cache_bytes, sampler, allocator
        As for `recio.io.ImageRecordIter`. The image files of a list are local.
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
        num_parts: Parts = 1,
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
        **kwargs: Any,  # noqa: ANN401 of CreateAugmenter
    ) -> None:
        refuse_unknown("ImageIter", kwargs, ImageIter, CreateAugmenter)
        super().__init__(validate.positive("batch_size", batch_size))
        self.data_shape = validate.image_shape("data_shape", data_shape)
        self.check_data_shape(self.data_shape)
        if aug_list is not None and kwargs:
            raise _replaced_keywords(kwargs)
        self.label_width, self.last_batch_handle, self.dtype = label_width, last_batch_handle, np.dtype(dtype)
        self.auglist: list[Callable[..., Any]] = [
            *(CreateAugmenter(self.data_shape, **kwargs) if aug_list is None else aug_list)
        ]
        opened_with = storage(storage_options, filesystem, cache_dir, validate.natural("cache_bytes", cache_bytes))
        self._source = source_of(path_imgrec, path_imgidx, path_imglist, imglist, path_root, allow_outside, opened_with)
        self._init_samples(shuffle, path_root)
        given = {
            "data_shape": self.data_shape,
            "batch_size": batch_size,
            "label_width": label_width,
            "shuffle": shuffle,
            "num_parts": num_parts,
            "part_index": part_index,
            "seed": self._seed_or_random(seed, shard),
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
        self._checked = validate.check_keywords(IMAGES, given)
        self._given_names = data_name, label_name
        self._open(ErrorPolicy.of_keywords(given))

    def _open(self, error_policy: ErrorPolicy) -> None:
        """Open the pipeline for the present augmenters and hooks."""
        options = loader_options(
            self._checked,
            steps=to_steps(self.auglist),
            last_batch=self.last_batch_handle,
            label_type="float32" if np.can_cast(self.dtype, np.float32) else "float64",
        )
        self._start_with_hooks(options, error_policy)

    def _start_with_hooks(self, options: LoaderOptions, error_policy: ErrorPolicy) -> None:
        """Open the pipeline that calls the hooks of a subclass, or of this object."""
        overridden = overridden_hooks(self)
        hooks = {*overridden} | ({"next_sample"} if self._uses_seq else set())
        self._reads, self._decodes = not hooks.isdisjoint(READING_HOOKS), "imdecode" in hooks
        image_hooks = hooks & {*IMAGE_HOOKS}
        self._checks = "check_valid_image" in hooks or self._decodes
        if self._decodes:
            # It is then called right after `imdecode`, by `next`.
            image_hooks.discard("check_valid_image")
        steps = hook_steps(self, image_hooks, options.steps, with_boxes=options.label_form == "table")
        self._array_type = array_type.get()
        # The state of an iterator depends on the options without the hooks.
        self._start(
            self._source.open(replace(options, steps=steps)),
            options,
            error_policy,
            names=self._given_names,
            aug_list=self.auglist,
            prefetch=not hooks,
        )
        self._opened_with = [*self.auglist], overridden, self._uses_seq

    def _reopen(self) -> None:
        """Open the pipeline again, at the same position, for other augmenters and hooks."""
        before = self._pipeline
        position, epoch, is_foreign = before.state(), before.epoch, before.has_foreign_samples
        self._open(self._error_policy)
        if is_foreign:
            # The position of samples that are not the pipeline's is in `cur`, or in the hook.
            self._pipeline.set_epoch(epoch)
        else:
            self._pipeline.load(position, self._options.part_index)
        before.close()

    def _follow_changes(self) -> None:
        """Reopen the pipeline if the caller changed `auglist`, or set a hook, `seq` or `cur`, since it was opened."""
        augmenters, *others = self._opened_with
        hooks = overridden_hooks(self)
        self._follow_seq(hooks)
        now = hooks, self._uses_seq
        same = len(self.auglist) == len(augmenters) and all(map(operator.is_, self.auglist, augmenters))
        if not same or [*now] != others:
            self._reopen()

    def _make_batch(self) -> ImageBatch | None:
        self._follow_changes()
        batch = super()._make_batch()
        if batch is not None and not self._reads:
            self._count(self.batch_size)
        return batch

    def _next_arrays(self) -> Arrays | None:
        if not self._reads:
            return super()._next_arrays()
        if not self._decodes:
            return self._pipeline.next_supplied(self.next_sample)
        kind = self._array_type
        return self._pipeline.next_supplied(
            self.next_sample,
            lambda image: kind.unwrap(self.imdecode(image)),
            lambda images: self._check_image(kind.wrap(images)),
        )

    def _may_skip(self) -> bool:
        return self._checks or super()._may_skip()

    @property
    def provide_label(self) -> list[DataDesc]:
        """Name, shape, dtype and layout of the labels: a row or, with one label, a number for each image."""
        return [DataDesc(desc.name, desc.shape, self.dtype.type, desc.layout) for desc in super().provide_label]

    def _labels(self, labels: NDArray[Any]) -> list[NDArray[Any]]:
        return [convert_labels(label, self.dtype) for label in super()._labels(labels)]

    def reset(self) -> None:
        """Start a new epoch, at any time."""
        super().reset()
        self._restart_samples()

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, as for `recio.io.ImageRecordIter`."""
        before = self.epoch
        super().set_epoch(epoch)
        if self.epoch != before:
            self._restart_samples()

    def hard_reset(self) -> None:
        """Start a new epoch without images that roll over."""
        self._forget()
        self._pipeline.hard_reset()
        self._restart_samples()

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the last batch that `next` returned, as for `recio.io.ImageRecordIter`.

        Raises
        ------
        NotImplementedError
            If the hook `next_sample` returns samples of its own, whose position recio does not know.
        """
        if self._pipeline.has_foreign_samples:
            raise NotImplementedError(
                f"{type(self).__name__}.next_sample returns samples of its own, whose position recio does not know: "
                "define state_dict and load_state_dict"
            )
        return super().state_dict()

    def plan(self, record: int, epoch: int = 0) -> dict[str, Any]:
        """Return the augmentation of a record's image in an epoch, as for `recio.io.ImageRecordIter`.

        Raises
        ------
        NotImplementedError
            If a hook reads or decodes the images, whose sizes are then not known in advance.
        """
        if self._reads:
            raise NotImplementedError(f"hooks of {type(self).__name__} read or decode the images: there are no plans")
        return super().plan(record, epoch)

    def check_data_shape(self, data_shape: Sequence[int]) -> None:
        """Check that a shape is (3, height, width).

        Raises
        ------
        ValueError
            If it is not.
        """
        if not hasattr(data_shape, "__len__"):
            raise TypeError(f"data_shape must be (3, height, width), got {data_shape!r}")
        if len(data_shape) != 3 or data_shape[0] != 3:  # noqa: PLR2004
            raise ValueError(f"data_shape must be (3, height, width), got {tuple(data_shape)}")

    @default_hook
    def next_sample(self) -> tuple[float | NDArray[np.float32] | NDArray[np.float64], bytes]:
        """Return the next sample in epoch order: a hook.

        Called by others than `next`, it does not depend on batches: it returns the samples of an epoch, raises
        StopIteration, and starts again; `reset` moves it to the next epoch.

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
        self._follow_seq(overridden_hooks(self))
        if self._uses_seq:
            return self._sample_of_seq()
        sample = self._pipeline.next_sample()
        if sample is None:
            raise StopIteration
        self._count(1)
        labels, image = sample
        label = float(labels[0]) if len(labels) == 1 else labels
        return label, self.read_image(image) if isinstance(image, str) else image

    @default_hook
    def read_image(self, fname: str) -> bytes:
        """Read an image file whose path is relative to `path_root`: a hook."""
        if self._source.root is None:
            raise TypeError("this iterator reads records, not image files")
        return self._source.root.read(fname)

    @default_hook
    def imdecode(self, s: BytesLike) -> NDArray[np.uint8]:
        """Decode an image: a hook. Returns an ndarray, shape (height, width, 3), uint8, R, G, B."""
        options = self._options
        return imdecode(s, on_damage=options.on_damage, limits=Limits(*options.limits), formats=options.formats)

    @default_hook
    def check_valid_image(self, data: NDArray[Any] | Sequence[NDArray[Any]]) -> None:
        """Check an image: a hook. An image for which it raises RuntimeError is skipped and logged.

        Parameters
        ----------
        data : ndarray or list of one ndarray
            The image. As in MXNet, `ImageIter` passes an image to the hook, `ImageDetIter` a list of one.

        Raises
        ------
        RuntimeError
            If it does not have three axes.
        """
        image = data if isinstance(data, np.ndarray) else data[0]
        if len(image.shape) != 3:  # noqa: PLR2004
            raise RuntimeError(f"an image must have shape (height, width, channels), got {image.shape}")

    def _check_image(self, images: Sequence[NDArray[Any]]) -> None:
        """Call the hook with a list of one image."""
        self.check_valid_image(images[0])

    @default_hook
    def augmentation_transform(self, data: NDArray[Any]) -> NDArray[Any]:
        """Augment an image: a hook. Applies the augmenters in order."""
        rng = image_rng.get()
        if rng is not None:
            return apply_step(Step.sequence(to_steps(self.auglist)), data, rng=rng)[0]
        for augmenter in self.auglist:
            data = image_function(augmenter)(data)
        return data

    @default_hook
    def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
        """Transpose an augmented image to the layout of the batch, channels first: a hook."""
        return np.transpose(datum, (2, 0, 1))


def refuse_unknown(name: str, keywords: Iterable[str], *functions: Callable[..., Any]) -> None:
    """Raise a TypeError for keywords that none of the functions has."""
    known = {keyword for function in functions for keyword in inspect.signature(function).parameters} - {"kwargs"}
    validate.refuse_unknown(name, [keyword for keyword in keywords if keyword not in known], known)


def _replaced_keywords(keywords: Iterable[str]) -> TypeError:
    return TypeError(f"aug_list replaces {', '.join(keywords)}; pass either")
