"""``ImageDetRecordIter``: batches of the images in record files, with the objects on them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal

from recio import _recio
from recio._loader import record_paths, validate
from recio._loader.error_policy import ErrorPolicy
from recio._loader.native_iter import PipelineIter
from recio._loader.options import loader_options
from recio._recio import Step
from recio.io import _mean_image
from recio.io._image_record import warn_of_chunks
from recio.io._keywords import IMAGE_DET_RECORD
from recio.io._record_augment import antialiased

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from recio._loader.error_policy import OnError
    from recio._loader.record_paths import Paths
    from recio._util import StrPath
    from recio.limits import Limits


class ImageDetRecordIter(PipelineIter):
    """Batches of decoded and augmented images from record files, with the objects on them, made by native threads.

    What is done to each image, in this order: decode; bring the shorter side to `resize`; change colours; mirror; put
    it on a larger canvas; crop; resize as `resize_mode` says; normalise, ``(x - mean) / std * scale``. Boxes go with
    their objects.

    A record's label is a row of numbers: the width of the header A, 2 or more; the width of an object B, 5 or more;
    A - 2 others; then the objects, B numbers each: class, left, top, right, bottom, in fractions of the image's sides,
    and others. Objects whose sides are out of order are dropped. In the batch a label is: channels, height and width of
    the image, in pixels; how many numbers follow; the header and the objects, as they are now; `label_pad_value`.

    What MXNet 1.9.1 does otherwise: it looks at the limits of a crop only if all six are given, and never crops to a
    ratio above the image's own; boxes are up to a pixel off after crops; means count only if one of them is above 0;
    and a hue beyond the ends stays there, here it wraps.

    Parameters
    ----------
    path_imgrec, path_imgidx, path_imglist
        As for `ImageRecordIter`. (MXNet: no index.)
    data_shape : (int, int, int)
        Channels (3 RGB, 1 grey, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Images a batch.
    label_width : int, default -1
        Numbers of each record's label; -1 for any.
    label_pad_width : int, default 0
        How many numbers a label in the batch has room for, beside the first four; 0 or -1 for as many as the longest
        has.
    label_pad_value : float, default -1
        What the rest of the room is filled with.
    resize : int, default -1
        What the shorter side is brought to first, up or down, in pixels. -1: not.
    random_hue_prob, random_saturation_prob, random_illumination_prob, random_contrast_prob : float, default 0
        Probabilities, from 0 to 1. Images of 3 channels only.
    max_random_hue, max_random_saturation, max_random_illumination : float, default 0
        Hue (a turn has 180), saturation and lightness (of 255) shifted by whole numbers below this, either way.
    max_random_contrast : float, default 0
        All levels multiplied by 1 - this to 1 + this.
    rand_mirror_prob : float, default 0
        Probability of a flip left to right.
    rand_pad_prob : float, default 0
        Probability of a canvas, with the image anywhere on it.
    max_pad_scale : float, default 1
        How many times as wide and high as the image it is at most, up to 8; below 1.05 there is none.
    fill_value : int, default 127
        Its level, from 0 to 255.
    rand_crop_prob : float, default 0
        Probability of a crop.
    num_crop_sampler : int, default 1
        How many samplers there are. They are tried in random order; 0: no crop. Each of the next settings is a number
        for all of them, or a sequence of one for each.
    min_crop_scales, max_crop_scales : float or sequence of float, default 0 and 1
        Scale of a crop, the square root of its share of the image, in [0, 1].
    min_crop_aspect_ratios, max_crop_aspect_ratios : float or sequence of float, default 1
        Ratio of its width to its height, from 0.001 to 1000; where the scale leaves no room for these, the nearest.
    min_crop_overlaps, max_crop_overlaps : float or sequence of float, default 0 and 1
        What crop and object have in common, as a share of what they cover together.
    min_crop_sample_coverages, max_crop_sample_coverages : float or sequence of float, default 0 and 1
        As a share of the crop.
    min_crop_object_coverages, max_crop_object_coverages : float or sequence of float, default 0 and 1
        As a share of the object. A crop is taken if there is an object for which all three are within their limits, and
        one that stays.
    max_crop_trials : int or sequence of int, default 25
        Crops that are tried. If none is taken, the image stays whole.
    crop_emit_mode : {'center', 'overlap'}, default 'center'
        Which objects stay: those whose middle is within the crop, or those of which a large enough share is.
    emit_overlap_thresh : float, default 0.3
        What that share is larger than.
    resize_mode : {'force', 'shrink', 'fit'}, default 'force'
        How an image becomes one of `data_shape`: resized to it, whatever the ratio; resized to fit into it, keeping
        the ratio, if it is larger; or in any case. An image that is smaller then stands at the top left, with level 0
        beside it (before it is normalised), and the boxes are in fractions of the image, whose size the label has.
    inter_method : int, default 1
        How images are resampled: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos, 9 by the sizes, 10 at random.
    mean_img : path, optional
        As for `ImageRecordIter`; not mirrored.
    mean_r, mean_g, mean_b, mean_a : float, default 0
        Subtracted, in levels of 0 to 255; grey uses `mean_r`.
    std_r, std_g, std_b, std_a : float, default 0
        Divided by; 0: not.
    scale : float, default 1
        Multiplied by.
    dtype, layout, shuffle, shuffle_chunk_size, shuffle_chunk_seed, seed, num_parts, part_index, round_batch
        As for `ImageRecordIter`. (MXNet: float32 only.)
    preprocess_threads, prefetch_buffer
        As for `ImageRecordIter`.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    aug_seq : {'det_aug_default', ''}
        Accepted for MXNet's sake, without effect.
    verbose : bool, default True
        Whether to log, at level INFO of the logger ``recio``, what was opened.
    antialias : bool, default False
        As for `ImageRecordIter`.
    decode_scale, on_damage, shard_policy, on_error, error_log, max_errors, limits, formats
        As for `ImageRecordIter`.

    Raises
    ------
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    ValueError
        For a value that makes no sense, and for a `label_pad_width` that a label has no room in.
    FileNotFoundError
        If a file is missing.
    recio.RecordError, recio.DecodeError
        As of `ImageRecordIter`; from `next` also if a record's label is not that of objects.

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
        num_parts: int = 1,
        part_index: int = 0,
        round_batch: bool = True,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
        data_name: str = "data",
        label_name: str = "softmax_label",
        aug_seq: str = "det_aug_default",
        verbose: bool = True,
        antialias: bool = False,
        decode_scale: Literal["auto"] | None = None,
        on_damage: Literal["error", "fill"] = "error",
        shard_policy: Literal["pad", "drop", "uneven"] = "pad",
        on_error: OnError = "raise",
        error_log: StrPath | None = None,
        max_errors: float | None = None,
        limits: Limits | None = None,
        formats: str | Sequence[str] | None = None,
        **unknown: object,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in IMAGE_DET_RECORD}
        validate.refuse_unknown("ImageDetRecordIter", unknown, IMAGE_DET_RECORD)
        given = validate.keywords(IMAGE_DET_RECORD, given)
        warn_of_chunks(given)
        super().__init__(given["batch_size"])
        options = loader_options(
            given,
            steps=_steps(given),
            last_batch="pad" if given["round_batch"] else "zeros",
            label_form="row",
            label_pad_width=given["label_pad_width"] or -1,
            # 0 is none.
            std=tuple(given[f"std_{channel}"] or 1.0 for channel in "rgba"),
            divide=True,
            # Here these are steps of the augmentation.
            max_random_contrast=0.0,
            max_random_illumination=0.0,
        )
        files, indexes = record_paths.record_files(path_imgrec), record_paths.split_paths(path_imgidx)
        if mean_img:
            options = _mean_image.with_mean_image(options, mean_img, files, indexes)
        pipeline = _recio.ImagePipeline.of_records(files, indexes, options)
        self._start(pipeline, options, ErrorPolicy.of_keywords(given), names=(data_name, label_name))
        if given["verbose"]:
            self._log_opened(files)


_SHARES = ("overlap", "sample_coverage", "object_coverage")


def _steps(given: dict[str, Any]) -> list[Step]:
    """Return the steps of the augmentation keywords: MXNet's, in MXNet's order."""
    interp = given["inter_method"]
    steps = []
    if given["resize"] != -1:
        steps.append(Step.resize_short(given["resize"], interp))
    steps += _colours(given)
    if given["rand_mirror_prob"]:
        steps.append(Step.mirror(given["rand_mirror_prob"]))
    if given["rand_pad_prob"]:
        steps.append(Step.scale_pad(given["rand_pad_prob"], given["max_pad_scale"], given["fill_value"]))
    if given["rand_crop_prob"] and given["num_crop_sampler"]:
        steps.append(Step.sample(given["rand_crop_prob"], _samplers(given), _share(given)))
    steps.append(_resize(given))
    return antialiased(given, steps)


def _colours(given: dict[str, Any]) -> list[Step]:
    chances = {
        name: (given[f"max_random_{name}"], given[f"random_{name}_prob"])
        for name in ("hue", "illumination", "saturation", "contrast")
    }
    if not any(probability for _, probability in chances.values()):
        return []
    contrast = chances.pop("contrast")
    return [Step.sometimes(list(chances.values()), contrast)]


def _samplers(given: dict[str, Any]) -> list[dict[str, Any]]:
    count = given["num_crop_sampler"]
    ranges = {name: _ranges(given, f"{name}s", count) for name in ("scale", "aspect_ratio", *_SHARES)}
    ranges["aspect"] = ranges.pop("aspect_ratio")
    trials = [operator.index(number) for number in _each(given, "max_crop_trials", count)]
    return [{**{name: pairs[i] for name, pairs in ranges.items()}, "trials": trials[i]} for i in range(count)]


def _ranges(given: dict[str, Any], name: str, count: int) -> list[tuple[float, float]]:
    low, high = (_each(given, f"{end}_crop_{name}", count) for end in ("min", "max"))
    return list(zip(low, high, strict=True))


def _each(given: dict[str, Any], name: str, count: int) -> Sequence[Any]:
    """Give a number for each sampler; one alone is for all."""
    value = given[name]
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    if len(numbers) not in (1, count):
        raise ValueError(f"{name}={value!r}; it is one number, or num_crop_sampler={count} of them")
    return numbers * count if len(numbers) == 1 else numbers


def _share(given: dict[str, Any]) -> float | None:
    share: float = given["emit_overlap_thresh"]
    return share if given["crop_emit_mode"] == "overlap" else None


def _resize(given: dict[str, Any]) -> Step:
    mode, interp, (_, height, width) = given["resize_mode"], given["inter_method"], given["data_shape"]
    if mode == "force":
        return Step.resize((width, height), interp)
    return Step.within((width, height), mode == "fit", interp)
