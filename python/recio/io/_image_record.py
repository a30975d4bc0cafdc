"""``ImageRecordIter``: batches of images from record files."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, Literal

from recio import _recio
from recio._loader import record_paths, to_steps, validate
from recio._loader.base import MXDataIter
from recio._loader.error_policy import ErrorPolicy
from recio._loader.native_iter import PipelineIter
from recio._loader.options import loader_options, storage_of
from recio._storage import CACHE_BYTES
from recio.io import _mean_image, _record_augment
from recio.io._keywords import IMAGE_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike

    from recio._loader.error_policy import OnError
    from recio._loader.ranks import Parts
    from recio._loader.record_paths import Paths
    from recio._loader.sampler import Sampler
    from recio._storage import Located, StorageOptions
    from recio._util import StrPath
    from recio.limits import Limits

_log = logging.getLogger("recio")


class ImageRecordIter(MXDataIter, PipelineIter):
    """Batches of decoded and augmented images from record files, made by native threads.

    Each image is processed in this order: decode; resize the shorter side to `resize`; rotate, shear and scale; add a
    border (`pad`); take a random resized crop, or a square crop, or enlarge the image to cover `data_shape` and crop
    it; jitter colors; mirror; normalize, ``(x - mean) * scale / std``. The pixels are those of MXNet 1.9.1. With
    `aug_list`, the augmenters in it replace all steps between decoding and normalization.

    An epoch contains every record of the shard once. The batches depend on `seed` and the epoch only, not on
    `preprocess_threads`, `prefetch_buffer` or timing. Each batch is a separate array: one that is kept is never
    overwritten, and when one is dropped, a later batch reuses its memory. Besides the batches that are kept, at most
    `prefetch_buffer` batches are in memory, or more small ones. Where these would take more than 64 MiB, the caller's
    batch counts as one of them.

    Parameters
    ----------
    path_imgrec : path, list of paths, or ``'a.rec;b.rec'``
        Record files, read as one. A folder stands for its ``.rec`` files, sorted by name; a last component that is no
        file is a regular expression; ``'a.rec#cache'`` is copied to the file ``cache`` first, and read from there. A
        manifest, ``'train.recset.json'``, stands for its shards, ``'train_*.rec'`` and ``'s3://bucket/set/'`` for the
        record files there: of these, the indexes beside them are used.
    path_imgidx : path, list of paths, optional
        Index files: one for each record file, or one for all, whose offsets count through all files. Only the records
        in the index are read. Without an index, all records are: one beside a local record file, ``a.idx`` of
        ``a.rec``, is used if it lists all under their ids, which are consecutive; otherwise the file is scanned once.
    path_imglist : path, optional
        List file (``.lst``) whose labels, looked up by the ids of the records, replace those in the records. Then the
        headers of all records are read first: two records with the same id are an error.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 gray, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Number of images in a batch.
    label_width : int, default 1
        Number of labels of each record; -1 for any number, padded to the largest with `label_pad_value`.
    label_pad_value : float, default 0
        Value of missing labels, if `label_width` is -1.
    aug_list : list, optional
        Augmenters: the result of `recio.image.CreateAugmenter`, augmenters of `recio.image` in any order, and functions
        ``f(image) -> image`` (ndarray, shape (height, width, channels), uint8 or, after color augmenters, float32) or,
        as in albumentations, ``f(image=image)["image"]``. Augmenters run in all threads at once; a function is called
        by one thread at a time, without a copy of the pixels, which it may change in place. Replaces all keywords from
        `resize` to `pad`, and `antialias`.
    resize : int, default -1
        Length that the shorter side is resized to first, up or down, in pixels; the other side keeps the aspect ratio,
        rounded down. -1 for no resize.
    rand_crop : bool, default False
        Whether the position of the crop is random or the center.
    random_resized_crop : bool, default False
        Whether to crop a region of random area and aspect ratio and resize it to `data_shape`. Excludes `rand_crop`,
        `min_crop_size`, `max_crop_size`, `min_random_scale` and `max_random_scale`.
    min_random_area, max_random_area : float, optional
        Range of the area of that region, as a fraction of the image's area, in (0, 1]. Default 0.08 and 1.
    min_aspect_ratio, max_aspect_ratio : float, optional
        Range of the ratio of its width to its height. Default 3/4 and 4/3. A maximum m without a minimum means 1 - m to
        1 + m. Without `random_resized_crop`, range of the ratio of the scales of the two sides, default 1.
    max_rotate_angle : int or float, default 0
        Rotation by a random angle from -max to max, in degrees counterclockwise, up to 1,000,000; if it is an int, the
        angles are integers.
    rotate : float, default -1
        Rotation by a fixed angle, in degrees counterclockwise; -1 or 0 for no rotation.
    rotate_list : list of float or str, optional
        Rotation by a random one of these angles, in degrees counterclockwise; also ``'0,90,180'``.
    max_shear_ratio : float, default 0
        Shear by a random ratio from -max to max.
    min_random_scale, max_random_scale : float, default 1
        Range of a random scale factor.
    min_img_size, max_img_size : float, default 0 and 1e10
        Range of the sides of the canvas of rotation, shear and scale, in pixels; the image is centered on it.
    min_crop_size, max_crop_size : int, default -1
        Square crop with a random side from this range, in pixels, or the image's shorter side if that is less, resized
        to `data_shape`. If only one is given, it is the side. -1 for no square crop.
    brightness, contrast, saturation : float, default 0
        Random factors from 1 - value to 1 + value, applied in random order, each rounded to 8-bit values.
    random_h, random_s, random_l : float, default 0
        Random integer shifts from -value to value of hue (180 is a full turn), saturation and lightness (of 255). The
        hue wraps.
    pca_noise : float, default 0
        Standard deviation of PCA lighting noise, along the principal components of ImageNet's colors.
    rand_mirror : bool, default False
        Whether to flip half of the images left to right.
    mirror : bool, default False
        Whether to flip all images left to right.
    pad : int, default 0
        Thickness of a border on all sides, in pixels.
    fill_value : int, default 255
        Value of border pixels, from 0 to 255.
    inter_method : int, default 1
        Interpolation: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos, 9 chosen by the sizes, 10 random.
    max_random_contrast, max_random_illumination : float, default 0
        With dtype float32 and float16, ``c * (x - mean) * scale / std + i * scale / std``, with random c from 1 - value
        to 1 + value, and i from -value to value.
    mean_img : path, optional
        File with a mean image of `data_shape`, subtracted instead of `mean_r` and the other means: ``.npy``, or an
        NDArray file of MXNet's. If the file does not exist, the constructor computes the mean of all images of the
        shard and writes it there: as ``.npy`` under that name, else as MXNet's file. It is mirrored with the image, as
        in MXNet.
    mean_r, mean_g, mean_b, mean_a : float, default 0
        Mean that is subtracted, in 8-bit values; gray images use `mean_r`. With dtype int8 the mean is rounded; with
        uint8 none is subtracted.
    std_r, std_g, std_b, std_a : float, default 1
        Standard deviation that the result is divided by, with dtype float32 and float16; not 0.
    scale : float, default 1
        Factor that the result is multiplied by, with dtype float32 and float16.
    dtype : {'float32', 'float16', 'uint8', 'int8'}, default 'float32'
        Type of the data.
    layout : {'NCHW', 'NHWC'}, default 'NCHW'
        Order of the axes of the data.
    shuffle : bool, default False
        Whether each epoch has its own order, a permutation of all records of the shard.
    shuffle_chunk_size, shuffle_chunk_seed : int, default 0
        Accepted for compatibility, without effect. (MXNet shuffled within chunks.)
    seed : int, default 0
        Seed of order and augmentation, from 0 to 2**64 - 1.
    seed_aug : int, optional
        Seed of the augmentation alone. Default: `seed`.
    num_parts, part_index : int, default 1 and 0
        Number of shards that the records are divided into, and index of the shard that is read. Shards differ by at
        most one record. `num_parts` ``'auto'`` takes both from torch.distributed or jax.distributed, if one is
        initialized, or else from the variables ``RANK`` and ``WORLD_SIZE`` of launchers or those of Slurm; without any
        it is 1.
    shard : {'contiguous', 'global'}, default 'contiguous'
        How records are divided into shards. ``'contiguous'``: each shard is a range of records, the same in every
        epoch. ``'global'``: the order of an epoch is one permutation of all records, the same for every shard; batch k
        of all shards together is its k-th piece of ``batch_size * num_parts`` records, of which each shard has a
        slice. So shards differ in every epoch, and a state can be loaded with any `num_parts` that divides this number.
        All shards must have the same `seed`. The slot of a skipped record is filled with another, and counts as pad.
    shard_policy : {'pad', 'drop', 'uneven'}, default 'pad'
        Equal numbers of batches for all shards, which ranks that work in step need. ``'pad'``: each shard has as many
        batches as the largest one; repeats or zeros fill it up, and ``batch.pad`` counts them. ``'drop'``: each shard
        has as many records as the smallest one; the surplus of larger shards is skipped, with `shuffle` a different one
        in each epoch. ``'uneven'``: shards may differ by one batch. With `shard` ``'global'`` only ``'pad'``.
    round_batch : bool, default True
        Whether an incomplete last batch is filled with images from the start of the epoch, or with zeros.
        ``batch.pad`` is their number in both cases.
    preprocess_threads : int, optional
        Number of decoding threads, at most 1,024. Default: number of cores that the process may use.
    prefetch_buffer : int, default 2
        Number of batches made in advance. Each takes memory: a batch of 64 images of 3x224x224 in float32 takes
        38.5 MB. Of batches of at most 8 images, more are made if the threads need them: one for each thread, and
        batches of 32 images and at most 64 MiB together. (In MXNet the default is 4, with a different meaning.)
    read_ahead : int, optional
        Number of records that are read before they are needed, at most; 0 for none. Default: as many as the latency of
        the storage needs, up to 512. Records in the page cache are not read ahead.
    read_ahead_bytes : int, default 268435456
        Bytes of the records that are read ahead, at most; larger records are not.
    mxnet_quirks : bool, default False
        Whether to reproduce two bugs of MXNet's, for equal pixels: contrast and saturation swap the weights of red and
        blue, and the hue is clipped at its ends instead of wrapping.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    aug_seq, ctx, device_id : optional
        Accepted for compatibility, without effect: there is one sequence of augmenters, and no device.
    verbose : bool, default True
        Whether to log the opened files at level INFO of the logger ``recio``.
    antialias : bool, default False
        Whether bilinear resizing (`inter_method` 1) averages all pixels under a new pixel when it shrinks an image, as
        in Pillow, with the same result. Without it, four pixels are used, as in OpenCV and MXNet. Rotation, shear and
        scale do not change.
    decode_scale : {'auto', None}, default None
        ``'auto'`` decodes an upright JPEG at 1/2, 1/4 or 1/8 of its size if the first resize shrinks it at least as
        much. That is faster and has less aliasing; the pixels are libjpeg's of that scale, resized, not MXNet's.
        ``None`` decodes at full size.
    on_damage : {'error', 'fill'}, default 'error'
        Whether damage in the image data of a JPEG is an error, or is filled as libjpeg and MXNet do: with gray where
        data is missing, with whatever can be decoded elsewhere. A damaged header is always an error. Only the region
        that a batch needs is decoded, so that damage below a crop may go unnoticed; a truncated record does not.
    on_error : {'raise', 'skip'} or callable, default 'raise'
        Handling of damaged records. ``'raise'``: `next` raises an exception. ``'skip'``: the record is skipped, the
        samples that follow fill its batch, and the epoch contains all other records once. Skipped records are listed in
        `errors`, logged as warnings by the logger ``recio``, and the same for any number of threads. A function skips
        likewise, and is called once for each skipped record with the exception (`recio.RecordError` or
        `recio.DecodeError`); what it raises, `next` raises. Exceptions of functions in `aug_list` and errors of the
        operating system are never skipped. The number of batches of shards does not change: what is missing at the end
        counts as pad.
    error_log : path, optional
        File to which each skipped sample is appended as a line of JSON: path, record, id, offset, reason.
    max_errors : int or float, optional
        Number of samples that may be skipped or, as a float, their fraction; one more raises `recio.TooManyErrors`,
        from then on at each call. Default: no limit.
    limits : recio.Limits, optional
        Limits of the images that are decoded. Default: side of 16,384 pixels, 178,956,970 pixels, 512 MiB, 100 scans.
    formats : str or list of str, default ('jpeg', 'png')
        Formats that are decoded; also 'webp', 'bmp', 'gif', 'tiff'. An image of any other format is a damaged record.
    storage_options : dict of str, optional
        Options for URLs, such as credentials and the region, in addition to the variables of the environment. URLs like
        ``s3://bucket/train.rec`` may be passed for `path_imgrec`, `path_imgidx` and `path_imglist`.
    filesystem : obstore store or fsspec file system, optional
        File system that these paths are in; only URLs ``file:///...`` are local then. Excludes `storage_options`.
    cache_dir : path, optional
        Local folder in which what is read of objects and of `filesystem` is kept, so that later epochs and runs read it
        from there. Several processes may use it. It is made if it does not exist. Local files are not cached.
    cache_bytes : int, default 68719476736
        Bytes in `cache_dir` at most, of all objects; the default is 64 GiB. Objects that nobody reads are removed, the
        ones that were used longest ago first; what has no room is read from its store in each epoch.
    sampler : recio.samplers.Sampler, optional
        Determines the records of each epoch and their order, in place of `shuffle`: for batches of P identities with K
        images each, balanced classes, weights, subsets. Its order is that of all ranks: each has slices of the global
        batches, as with `shard` ``'global'``. The augmentation of a record that repeats differs each time.
    allocator : callable, optional
        Function that returns memory for the images of a batch (and for its masks): called with a number of bytes, by
        one thread at a time, it returns a writable, contiguous buffer of as many bytes or more, such as pinned or
        shared memory. The memory is used for later batches again: if batches are not kept, it is called for the first
        few alone. It is released when the iterator and all of its arrays are gone. Whoever keeps the buffer must not
        write to it.

    Raises
    ------
    TypeError
        If a keyword does not exist (the message suggests the nearest one), or a value has the wrong type.
    ValueError
        If a value is out of range.
    FileNotFoundError
        If a file does not exist.
    recio.RecordError, recio.DecodeError
        From the constructor, if an index, a list or a scanned file is damaged. From `next`, if a record or its image
        is. The message names the file, the number and id of the record, and its byte offset. The iterator stays usable:
        the following `next` returns the batch after it. `next` raises an exception of a function in `aug_list` as it
        is, with a note that names the record.

    Examples
    --------
    >>> batches = ImageRecordIter(  # doctest: +SKIP
    ...     path_imgrec="train.rec", data_shape=(3, 224, 224), batch_size=64,
    ...     shuffle=True, random_resized_crop=True, rand_mirror=True,
    ... )
    >>> for epoch in range(10):  # doctest: +SKIP
    ...     for batch in batches:
    ...         x, y = batch.data[0], batch.label[0]
    ...     batches.reset()
    """

    def __init__(
        self,
        *,
        path_imgrec: Paths = None,
        path_imgidx: Paths = None,
        path_imglist: StrPath | None = None,
        data_shape: Sequence[int],
        batch_size: int,
        label_width: int = 1,
        label_pad_value: float = 0.0,
        aug_list: Sequence[Callable[..., Any]] | None = None,
        resize: int = -1,
        rand_crop: bool = False,
        random_resized_crop: bool = False,
        min_random_area: float | None = None,
        max_random_area: float | None = None,
        min_aspect_ratio: float | None = None,
        max_aspect_ratio: float | None = None,
        max_rotate_angle: float = 0,
        rotate: float = -1,
        rotate_list: str | Sequence[float] | None = None,
        max_shear_ratio: float = 0.0,
        min_random_scale: float = 1.0,
        max_random_scale: float = 1.0,
        min_img_size: float = 0.0,
        max_img_size: float = 1e10,
        min_crop_size: int = -1,
        max_crop_size: int = -1,
        brightness: float = 0.0,
        contrast: float = 0.0,
        saturation: float = 0.0,
        random_h: float = 0,
        random_s: float = 0,
        random_l: float = 0,
        pca_noise: float = 0.0,
        rand_mirror: bool = False,
        mirror: bool = False,
        pad: int = 0,
        fill_value: int = 255,
        inter_method: int = 1,
        max_random_contrast: float = 0.0,
        max_random_illumination: float = 0.0,
        mean_img: StrPath | None = None,
        mean_r: float = 0.0,
        mean_g: float = 0.0,
        mean_b: float = 0.0,
        mean_a: float = 0.0,
        std_r: float = 1.0,
        std_g: float = 1.0,
        std_b: float = 1.0,
        std_a: float = 1.0,
        scale: float = 1.0,
        dtype: DTypeLike = "float32",
        layout: Literal["NCHW", "NHWC"] = "NCHW",
        shuffle: bool = False,
        shuffle_chunk_size: int = 0,
        shuffle_chunk_seed: int = 0,
        seed: int = 0,
        seed_aug: int | None = None,
        num_parts: Parts = 1,
        part_index: int = 0,
        round_batch: bool = True,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
        read_ahead: int | None = None,
        read_ahead_bytes: int = 256 << 20,
        mxnet_quirks: bool = False,
        data_name: str = "data",
        label_name: str = "softmax_label",
        aug_seq: str = "aug_default",
        ctx: str = "gpu",
        device_id: int = 0,
        verbose: bool = True,
        antialias: bool = False,
        decode_scale: Literal["auto"] | None = None,
        on_damage: Literal["error", "fill"] = "error",
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
        **unknown: object,
    ) -> None:
        args = {name: value for name, value in locals().items() if name in IMAGE_RECORD}
        validate.refuse_unknown("ImageRecordIter", unknown, IMAGE_RECORD)
        self._open(validate.check_keywords(IMAGE_RECORD, args))

    def _open(self, args: dict[str, Any], masks: tuple[list[Located], list[Located], int] | None = None) -> None:
        """Start the pipeline for checked keywords; `masks` are the mask files, their indexes and the fill value."""
        super().__init__(args["batch_size"])
        warn_of_chunks(args)
        aug_list = None if args["aug_list"] is None else list(args["aug_list"])
        options = loader_options(
            args,
            steps=_steps(args, aug_list),
            last_batch="pad" if args["round_batch"] else "zeros",
            masks=masks,
        )
        storage = storage_of(args)
        files, indexes = record_paths.record_files(args["path_imgrec"], args["path_imgidx"], storage=storage)
        if args["mean_img"]:
            options = _mean_image.with_mean_image(options, args["mean_img"], files, indexes)
        self._start(
            _recio.ImagePipeline.of_records(files, indexes, options),
            options,
            ErrorPolicy.of_keywords(args),
            names=(args["data_name"], args["label_name"]),
            aug_list=aug_list or (),
        )
        if args["verbose"]:
            self._log_opened(files)


def _steps(args: dict[str, Any], aug_list: list[Any] | None) -> list[_recio.Step]:
    """Return the steps of ``aug_list`` or, without one, of the augmentation keywords."""
    if aug_list is None:
        _, height, width = args["data_shape"]
        return _record_augment.augmentation_steps(args, (width, height))
    _record_augment.refuse_augmentation(args)
    return to_steps.to_steps(aug_list)


def warn_of_chunks(args: dict[str, Any]) -> None:
    """Log a warning, once, if a keyword asks for shuffling within chunks."""
    if args["shuffle_chunk_size"] or args["shuffle_chunk_seed"]:
        _warn_of_chunks()


@functools.cache
def _warn_of_chunks() -> None:
    _log.warning("shuffle_chunk_size and shuffle_chunk_seed have no effect: shuffle=True permutes all records")


def ImageRecordUInt8Iter(**settings: Any) -> ImageRecordIter:  # noqa: ANN401 as of ImageRecordIter
    """Return an `ImageRecordIter` with dtype uint8."""
    return ImageRecordIter(**{**settings, "dtype": "uint8"})


def ImageRecordInt8Iter(**settings: Any) -> ImageRecordIter:  # noqa: ANN401 as of ImageRecordIter
    """Return an `ImageRecordIter` with dtype int8."""
    return ImageRecordIter(**{**settings, "dtype": "int8"})


ImageRecordIter_v1 = ImageRecordIter
ImageRecordUInt8Iter_v1 = ImageRecordUInt8Iter
