"""``ImageDetRecordIter``: batches of images and object boxes from record files, for detection."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal

from recio import _recio
from recio._loader import record_paths, validate
from recio._loader.base import MXDataIter
from recio._loader.error_policy import ErrorPolicy
from recio._loader.native_iter import PipelineIter
from recio._loader.options import loader_options, storage_of
from recio._recio import Step
from recio._storage import CACHE_BYTES
from recio.io import _mean_image
from recio.io._image_record import warn_of_chunks
from recio.io._keywords import IMAGE_DET_RECORD
from recio.io._record_augment import antialiased

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike

    from recio._loader.error_policy import OnError
    from recio._loader.ranks import Parts
    from recio._loader.record_paths import Paths
    from recio._loader.sampler import Sampler
    from recio._storage import StorageOptions
    from recio._util import StrPath
    from recio.limits import Limits


class ImageDetRecordIter(MXDataIter, PipelineIter):
    """Batches of decoded and augmented images and their objects from record files, made by native threads.

    Each image is processed in this order: decode; resize the shorter side to `resize`; jitter colors; mirror; place the
    image on a larger canvas; crop; resize by `resize_mode`; normalize, ``(x - mean) / std * scale``. Boxes move with
    their objects.

    The label of a record is a row of numbers: the width A of the header, at least 2; the width B of an object, at least
    5; A - 2 other numbers; then the objects with B numbers each: class, left, top, right, bottom, in fractions of the
    image's sides, and others. Objects that do not have left < right and top < bottom are dropped. In the batch a label
    holds: channels, height and width of the image, in pixels; count of the numbers that follow; the header and the
    augmented objects; `label_pad_value` up to the end of the row.

    MXNet 1.9.1 differs in these points: it applies the limits of a crop only if all six are given, and never crops
    to an aspect ratio above the image's; boxes are up to one pixel off after crops; means have an effect only if one of
    them is above 0; and the hue is clipped at its ends, where here it wraps.

    Parameters
    ----------
    path_imgrec, path_imgidx, path_imglist
        As for `ImageRecordIter`. (MXNet has no `path_imgidx`.)
    data_shape : (int, int, int)
        Channels (3 RGB, 1 gray, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Number of images in a batch.
    label_width : int, default -1
        Count of numbers in the label of each record; -1 for any.
    label_pad_width : int, default 0
        Count of numbers that a label in the batch has room for, besides the first four; 0 or -1 for as many as the
        longest label has.
    label_pad_value : float, default -1
        Value that fills the rest of a label.
    resize : int, default -1
        Length that the shorter side is resized to first, up or down, in pixels. -1 for no resize.
    random_hue_prob, random_saturation_prob, random_illumination_prob, random_contrast_prob : float, default 0
        Probabilities of color jitter, from 0 to 1. For images of 3 channels only.
    max_random_hue, max_random_saturation, max_random_illumination : float, default 0
        Random integer shifts of absolute value below this of hue (180 is a full turn), saturation and lightness (of
        255).
    max_random_contrast : float, default 0
        Random factor from 1 - value to 1 + value for all pixel values.
    rand_mirror_prob : float, default 0
        Probability of a flip left to right, from 0 to 1.
    rand_pad_prob : float, default 0
        Probability of a larger canvas with the image at a random position, from 0 to 1.
    max_pad_scale : float, default 1
        Largest ratio of the sides of the canvas to those of the image, up to 8; below 1.05 there is no canvas.
    fill_value : int, default 127
        Value of the pixels of the canvas, from 0 to 255.
    rand_crop_prob : float, default 0
        Probability of a crop, from 0 to 1.
    num_crop_sampler : int, default 1
        Number of crop samplers, which are tried in random order; 0 for no crop. Each of the following keywords is one
        number for all samplers, or a sequence with one number for each.
    min_crop_scales, max_crop_scales : float or sequence of float, default 0 and 1
        Range of the scale of a crop, the square root of its fraction of the image's area, in [0, 1].
    min_crop_aspect_ratios, max_crop_aspect_ratios : float or sequence of float, default 1
        Range of the ratio of its width to its height, from 0.001 to 1000; limited to the ratios that fit into the image
        at that scale.
    min_crop_overlaps, max_crop_overlaps : float or sequence of float, default 0 and 1
        Range of the intersection of crop and object, as a fraction of their union.
    min_crop_sample_coverages, max_crop_sample_coverages : float or sequence of float, default 0 and 1
        Range of the intersection, as a fraction of the crop.
    min_crop_object_coverages, max_crop_object_coverages : float or sequence of float, default 0 and 1
        Range of the intersection, as a fraction of the object. A crop is accepted if all three ranges hold for one of
        the objects, and at least one object is kept.
    max_crop_trials : int or sequence of int, default 25
        Number of crops that are tried, at most 100,000. If none is accepted, the image is not cropped.
    crop_emit_mode : {'center', 'overlap'}, default 'center'
        Rule for the objects that are kept: those whose center is inside the crop, or those of which a large enough
        fraction is.
    emit_overlap_thresh : float, default 0.3
        Fraction of an object inside the crop above which it is kept, with ``'overlap'``.
    resize_mode : {'force', 'shrink', 'fit'}, default 'force'
        Resize to `data_shape`. ``'force'``: to exactly this size, whatever the aspect ratio. ``'shrink'``: to fit into
        it, keeping the aspect ratio, only if the image is larger. ``'fit'``: likewise, also if it is smaller. A smaller
        result is at the top left, with value 0 around it (before normalization); boxes are in fractions of the image,
        whose size is in the label.
    inter_method : int, default 1
        Interpolation: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos, 9 chosen by the sizes, 10 random.
    mean_img : path, optional
        As for `ImageRecordIter`, but not mirrored.
    mean_r, mean_g, mean_b, mean_a : float, default 0
        Mean that is subtracted, in 8-bit values; gray images use `mean_r`.
    std_r, std_g, std_b, std_a : float, default 0
        Standard deviation that the result is divided by, at least 0; 0 for no division.
    scale : float, default 1
        Factor that the result is multiplied by.
    dtype, layout, shuffle, shuffle_chunk_size, shuffle_chunk_seed, seed, num_parts, part_index, round_batch
        As for `ImageRecordIter`. (MXNet has float32 only.)
    preprocess_threads, prefetch_buffer, read_ahead, read_ahead_bytes
        As for `ImageRecordIter`.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    aug_seq : {'det_aug_default', ''}
        Accepted for compatibility, without effect.
    verbose : bool, default True
        Whether to log the opened files at level INFO of the logger ``recio``.
    antialias : bool, default False
        As for `ImageRecordIter`.
    decode_scale, on_damage, shard, shard_policy, on_error, error_log, max_errors, limits, formats
        As for `ImageRecordIter`.
    storage_options, filesystem, cache_dir, cache_bytes, sampler, allocator
        As for `ImageRecordIter`.

    Raises
    ------
    TypeError
        If a keyword does not exist (the message suggests the nearest one), or a value has the wrong type.
    ValueError
        If a value is out of range, or `label_pad_width` is too small for a label.
    FileNotFoundError
        If a file does not exist.
    recio.RecordError, recio.DecodeError
        As for `ImageRecordIter`. From `next`, also if the label of a record does not describe objects.

    Examples
    --------
    >>> batches = ImageDetRecordIter(  # doctest: +SKIP
    ...     path_imgrec="train.rec", data_shape=(3, 300, 300), batch_size=32, shuffle=True,
    ...     rand_mirror_prob=0.5, rand_pad_prob=0.5, max_pad_scale=4,
    ...     rand_crop_prob=0.8, num_crop_sampler=3, min_crop_scales=0.3,
    ...     min_crop_aspect_ratios=0.5, max_crop_aspect_ratios=2, min_crop_overlaps=(0.1, 0.5, 0.9),
    ... )
    """

    def __init__(
        self,
        *,
        path_imgrec: Paths = None,
        path_imgidx: Paths = None,
        path_imglist: StrPath | None = None,
        data_shape: Sequence[int],
        batch_size: int,
        label_width: int = -1,
        label_pad_width: int = 0,
        label_pad_value: float = -1.0,
        resize: int = -1,
        random_hue_prob: float = 0.0,
        max_random_hue: float = 0,
        random_saturation_prob: float = 0.0,
        max_random_saturation: float = 0,
        random_illumination_prob: float = 0.0,
        max_random_illumination: float = 0,
        random_contrast_prob: float = 0.0,
        max_random_contrast: float = 0.0,
        rand_mirror_prob: float = 0.0,
        rand_pad_prob: float = 0.0,
        max_pad_scale: float = 1.0,
        fill_value: int = 127,
        rand_crop_prob: float = 0.0,
        num_crop_sampler: int = 1,
        min_crop_scales: float | Sequence[float] = 0.0,
        max_crop_scales: float | Sequence[float] = 1.0,
        min_crop_aspect_ratios: float | Sequence[float] = 1.0,
        max_crop_aspect_ratios: float | Sequence[float] = 1.0,
        min_crop_overlaps: float | Sequence[float] = 0.0,
        max_crop_overlaps: float | Sequence[float] = 1.0,
        min_crop_sample_coverages: float | Sequence[float] = 0.0,
        max_crop_sample_coverages: float | Sequence[float] = 1.0,
        min_crop_object_coverages: float | Sequence[float] = 0.0,
        max_crop_object_coverages: float | Sequence[float] = 1.0,
        max_crop_trials: int | Sequence[int] = 25,
        crop_emit_mode: Literal["center", "overlap"] = "center",
        emit_overlap_thresh: float = 0.3,
        resize_mode: Literal["force", "shrink", "fit"] = "force",
        inter_method: int = 1,
        mean_img: StrPath | None = None,
        mean_r: float = 0.0,
        mean_g: float = 0.0,
        mean_b: float = 0.0,
        mean_a: float = 0.0,
        std_r: float = 0.0,
        std_g: float = 0.0,
        std_b: float = 0.0,
        std_a: float = 0.0,
        scale: float = 1.0,
        dtype: DTypeLike = "float32",
        layout: Literal["NCHW", "NHWC"] = "NCHW",
        shuffle: bool = False,
        shuffle_chunk_size: int = 0,
        shuffle_chunk_seed: int = 0,
        seed: int = 0,
        num_parts: Parts = 1,
        part_index: int = 0,
        round_batch: bool = True,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
        read_ahead: int | None = None,
        read_ahead_bytes: int = 256 << 20,
        data_name: str = "data",
        label_name: str = "softmax_label",
        aug_seq: str = "det_aug_default",
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
        args = {name: value for name, value in locals().items() if name in IMAGE_DET_RECORD}
        validate.refuse_unknown("ImageDetRecordIter", unknown, IMAGE_DET_RECORD)
        args = validate.check_keywords(IMAGE_DET_RECORD, args)
        warn_of_chunks(args)
        super().__init__(args["batch_size"])
        options = loader_options(
            args,
            steps=_steps(args),
            last_batch="pad" if args["round_batch"] else "zeros",
            label_form="row",
            label_pad_width=args["label_pad_width"] or -1,
            # 0 is none.
            std=tuple(args[f"std_{channel}"] or 1.0 for channel in "rgba"),
            divide=True,
            # Here these are steps of the augmentation.
            max_random_contrast=0.0,
            max_random_illumination=0.0,
        )
        storage = storage_of(args)
        files, indexes = record_paths.record_files(path_imgrec, path_imgidx, storage=storage)
        if mean_img:
            options = _mean_image.with_mean_image(options, mean_img, files, indexes)
        pipeline = _recio.ImagePipeline.of_records(files, indexes, options)
        self._start(pipeline, options, ErrorPolicy.of_keywords(args), names=(data_name, label_name))
        if args["verbose"]:
            self._log_opened(files)


_FRACTIONS = ("overlap", "sample_coverage", "object_coverage")


def _steps(args: dict[str, Any]) -> list[Step]:
    """Return the steps of the augmentation keywords: MXNet's, in MXNet's order."""
    interp = args["inter_method"]
    steps = []
    if args["resize"] != -1:
        steps.append(Step.resize_short(args["resize"], interp))
    steps += _color_steps(args)
    if args["rand_mirror_prob"]:
        steps.append(Step.mirror(args["rand_mirror_prob"]))
    if args["rand_pad_prob"]:
        steps.append(Step.scale_pad(args["rand_pad_prob"], args["max_pad_scale"], args["fill_value"]))
    if args["rand_crop_prob"] and args["num_crop_sampler"]:
        steps.append(Step.sample(args["rand_crop_prob"], _samplers(args), _min_fraction(args)))
    steps.append(_resize_step(args))
    return antialiased(args, steps)


def _color_steps(args: dict[str, Any]) -> list[Step]:
    chances = {
        name: (args[f"max_random_{name}"], args[f"random_{name}_prob"])
        for name in ("hue", "illumination", "saturation", "contrast")
    }
    if not any(probability for _, probability in chances.values()):
        return []
    contrast = chances.pop("contrast")
    return [Step.sometimes(list(chances.values()), contrast)]


def _samplers(args: dict[str, Any]) -> list[dict[str, Any]]:
    count = args["num_crop_sampler"]
    ranges = {name: _ranges(args, f"{name}s", count) for name in ("scale", "aspect_ratio", *_FRACTIONS)}
    ranges["aspect"] = ranges.pop("aspect_ratio")
    trials = [operator.index(number) for number in _each(args, "max_crop_trials", count)]
    return [{**{name: pairs[i] for name, pairs in ranges.items()}, "trials": trials[i]} for i in range(count)]


def _ranges(args: dict[str, Any], name: str, count: int) -> list[tuple[float, float]]:
    low, high = (_each(args, f"{end}_crop_{name}", count) for end in ("min", "max"))
    return list(zip(low, high, strict=True))


def _each(args: dict[str, Any], name: str, count: int) -> Sequence[Any]:
    """Return one number for each sampler; a single number is for all."""
    value = args[name]
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    if len(numbers) not in (1, count):
        raise ValueError(f"{name} must be one number, or one for each of num_crop_sampler={count}, got {value!r}")
    return numbers * count if len(numbers) == 1 else numbers


def _min_fraction(args: dict[str, Any]) -> float | None:
    fraction: float = args["emit_overlap_thresh"]
    return fraction if args["crop_emit_mode"] == "overlap" else None


def _resize_step(args: dict[str, Any]) -> Step:
    mode, interp, (_, height, width) = args["resize_mode"], args["inter_method"], args["data_shape"]
    if mode == "force":
        return Step.resize((width, height), interp)
    return Step.within((width, height), mode == "fit", interp)
