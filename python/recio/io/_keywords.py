# ruff: noqa: FBT003 flags are the defaults of keywords
"""Keywords of `ImageRecordIter`, `ImageMaskRecordIter` and `ImageDetRecordIter`: their defaults and checks.

The signatures repeat names and defaults, for readers and editors; a test compares them with these tables. A check here
is of the type, or of a range that only the keyword has; the native pipeline checks the steps that are made of the
keywords.
"""

from __future__ import annotations

from recio._loader import validate
from recio._loader.options import LOADING
from recio._loader.validate import REQUIRED, Keyword

MAX_ANGLE = 1_000_000
"""Largest angle of a rotation, in degrees."""
MAX_SIDE = 1e10
"""A side of the canvas that is no limit, in pixels."""


def _angle(name: str, value: object) -> float:
    angle = validate.number_kept_integer(name, value)
    if not 0 <= angle <= MAX_ANGLE:
        raise ValueError(f"{name} must be from 0 to {MAX_ANGLE} degrees, got {angle}")
    return angle


SOURCE = {
    "path_imgrec": Keyword(None),
    "path_imgidx": Keyword(None),
    "path_imglist": Keyword(None),
    "data_shape": Keyword(REQUIRED, validate.image_shape),
    "batch_size": Keyword(REQUIRED, validate.integer),
}
LABELS = {
    "label_width": Keyword(1, validate.integer),
    "label_pad_value": Keyword(0.0, validate.number),
}
AUGMENTATION = {
    "resize": Keyword(-1, validate.positive_or_minus_one),
    "rand_crop": Keyword(False, validate.flag),
    "random_resized_crop": Keyword(False, validate.flag),
    "min_random_area": Keyword(None, validate.optional(validate.number)),
    "max_random_area": Keyword(None, validate.optional(validate.number)),
    "min_aspect_ratio": Keyword(None, validate.optional(validate.number)),
    "max_aspect_ratio": Keyword(None, validate.optional(validate.number)),
    "max_rotate_angle": Keyword(0, _angle),
    "rotate": Keyword(-1, validate.number),
    "rotate_list": Keyword(None),
    "max_shear_ratio": Keyword(0.0, validate.number),
    "min_random_scale": Keyword(1.0, validate.number),
    "max_random_scale": Keyword(1.0, validate.number),
    "min_img_size": Keyword(0.0, validate.number),
    "max_img_size": Keyword(MAX_SIDE, validate.number),
    "min_crop_size": Keyword(-1, validate.positive_or_minus_one),
    "max_crop_size": Keyword(-1, validate.positive_or_minus_one),
    "brightness": Keyword(0.0, validate.number),
    "contrast": Keyword(0.0, validate.number),
    "saturation": Keyword(0.0, validate.number),
    "random_h": Keyword(0, validate.number),
    "random_s": Keyword(0, validate.number),
    "random_l": Keyword(0, validate.number),
    "pca_noise": Keyword(0.0, validate.number),
    "rand_mirror": Keyword(False, validate.flag),
    "mirror": Keyword(False, validate.flag),
    "pad": Keyword(0, validate.natural),
    "fill_value": Keyword(255, validate.uint8),
    "inter_method": Keyword(1, validate.integer),
    "mxnet_quirks": Keyword(False, validate.flag),
    "antialias": Keyword(False, validate.flag),
}
"""Augmentation of `ImageRecordIter`, which `aug_list` replaces."""

NORMALIZATION = {
    "mean_img": Keyword(None),
    **{f"mean_{channel}": Keyword(0.0, validate.number) for channel in "rgba"},
    **{f"std_{channel}": Keyword(1.0, validate.number) for channel in "rgba"},
    "scale": Keyword(1.0, validate.number),
}
OUTPUT = {
    "dtype": Keyword("float32", validate.dtype("float32", "float16", "uint8", "int8")),
    "layout": Keyword("NCHW", validate.text),
    "round_batch": Keyword(True, validate.flag),
    "data_name": Keyword("data"),
    "label_name": Keyword("softmax_label"),
    "verbose": Keyword(True, validate.flag),
}
DECODING = {
    "decode_scale": Keyword(None),
    "on_damage": Keyword("error"),
}
WITHOUT_EFFECT = {
    "shuffle_chunk_size": Keyword(0, validate.integer),
    "shuffle_chunk_seed": Keyword(0, validate.integer),
}

IMAGE_RECORD = {
    **SOURCE,
    **LABELS,
    "aug_list": Keyword(None),
    **AUGMENTATION,
    "max_random_contrast": Keyword(0.0, validate.number),
    "max_random_illumination": Keyword(0.0, validate.number),
    **NORMALIZATION,
    **OUTPUT,
    **LOADING,
    "seed_aug": Keyword(None, validate.optional(validate.signed_seed)),
    **DECODING,
    **WITHOUT_EFFECT,
    "aug_seq": Keyword("aug_default", validate.one_of("aug_default", "", hint="; use aug_list for other augmenters")),
    "ctx": Keyword("gpu", validate.one_of("cpu", "gpu")),
    "device_id": Keyword(0, validate.integer),
}

IMAGE_MASK_RECORD = {
    **{name: keyword for name, keyword in IMAGE_RECORD.items() if name not in {*LABELS, "path_imglist"}},
    "path_maskrec": Keyword(None),
    "path_maskidx": Keyword(None),
    "mask_fill": Keyword(255, validate.uint8),
}

IMAGE_DET_RECORD = {
    **SOURCE,
    "label_width": Keyword(-1, validate.integer),
    "label_pad_width": Keyword(0, validate.integer),
    "label_pad_value": Keyword(-1.0, validate.number),
    "resize": Keyword(-1, validate.positive_or_minus_one),
    "random_hue_prob": Keyword(0.0, validate.number),
    "max_random_hue": Keyword(0, validate.number),
    "random_saturation_prob": Keyword(0.0, validate.number),
    "max_random_saturation": Keyword(0, validate.number),
    "random_illumination_prob": Keyword(0.0, validate.number),
    "max_random_illumination": Keyword(0, validate.number),
    "random_contrast_prob": Keyword(0.0, validate.number),
    "max_random_contrast": Keyword(0.0, validate.number),
    "rand_mirror_prob": Keyword(0.0, validate.number),
    "rand_pad_prob": Keyword(0.0, validate.number),
    "max_pad_scale": Keyword(1.0, validate.number),
    "fill_value": Keyword(127, validate.uint8),
    "rand_crop_prob": Keyword(0.0, validate.number),
    "num_crop_sampler": Keyword(1, validate.natural),
    "min_crop_scales": Keyword(0.0, validate.numbers),
    "max_crop_scales": Keyword(1.0, validate.numbers),
    "min_crop_aspect_ratios": Keyword(1.0, validate.numbers),
    "max_crop_aspect_ratios": Keyword(1.0, validate.numbers),
    "min_crop_overlaps": Keyword(0.0, validate.numbers),
    "max_crop_overlaps": Keyword(1.0, validate.numbers),
    "min_crop_sample_coverages": Keyword(0.0, validate.numbers),
    "max_crop_sample_coverages": Keyword(1.0, validate.numbers),
    "min_crop_object_coverages": Keyword(0.0, validate.numbers),
    "max_crop_object_coverages": Keyword(1.0, validate.numbers),
    "max_crop_trials": Keyword(25, validate.integers),
    "crop_emit_mode": Keyword("center", validate.one_of("center", "overlap")),
    "emit_overlap_thresh": Keyword(0.3, validate.number),
    "resize_mode": Keyword("force", validate.one_of("force", "shrink", "fit")),
    "inter_method": Keyword(1, validate.integer),
    "antialias": Keyword(False, validate.flag),
    **NORMALIZATION,
    # 0 is none.
    **{f"std_{channel}": Keyword(0.0, validate.nonnegative) for channel in "rgba"},
    **OUTPUT,
    **LOADING,
    **DECODING,
    **WITHOUT_EFFECT,
    "aug_seq": Keyword("det_aug_default", validate.one_of("det_aug_default", "")),
}
