"""``ImageMaskRecordIter``: batches of images and their masks, for segmentation."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import record_paths, validate
from recio._loader.base import DataDesc
from recio.io._image_record import ImageRecordIter
from recio.io._keywords import IMAGE_MASK_RECORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recio._loader.record_paths import Paths


class ImageMaskRecordIter(ImageRecordIter):
    """Batches of images and their masks, from two record files: an `ImageRecordIter` whose labels are masks.

    A mask has the number of a class for each pixel of its image: a PNG of one channel and at most 8 bits. Of grey its
    levels are the numbers, as they are stored (not spread to 255); of a palette (PASCAL VOC) its indices.

    An image's mask is the record of the same id, wherever it stands in its file. It is of the size of the image as that
    is displayed: an EXIF orientation is applied to images, not to masks. It takes the same geometry, all random choices
    included: resized, rotated, bordered, cropped and mirrored as the image is, but each number is picked from the mask,
    the nearest, and none is computed; steps on colours leave it as it is. ``im2rec --masks`` packs such pairs.

    Images are those of `ImageRecordIter` with the same keywords, and so is the order of the records. The labels in the
    records are not looked at.

    Parameters
    ----------
    path_imgrec : path, list of paths, or ``'a.rec;b.rec'``
        The record files of the images.
    path_maskrec : path, list of paths, or ``'a.rec;b.rec'``
        The record files of the masks, likewise. Masks that no image has are passed over. The ids of all are read at
        construction, one or two small reads a record, and take 16 bytes each.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 grey, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Images a batch.
    path_maskidx : path, list of paths, optional
        The indexes of `path_maskrec`: one for each, or one for all. Without, the files are scanned once. Masks are
        found by the ids in their headers, not by the keys in here.
    mask_fill : int, default 255
        The number of places where there is no image, from 0 to 255: borders, what a rotation leaves open, and with
        ``round_batch=False`` the masks that only fill the last batch. 255 is what losses usually ignore.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    **settings
        All other keywords of `ImageRecordIter`, with the same meaning and the same default, but those for labels.

    Other Parameters
    ----------------
    path_imgidx, shuffle, seed, seed_aug, num_parts, part_index, shuffle_chunk_size, shuffle_chunk_seed
        Which images are read, in which order.
    aug_list, resize, rand_crop, random_resized_crop, min_random_area, max_random_area, min_aspect_ratio, \
max_aspect_ratio, max_rotate_angle, rotate, rotate_list, max_shear_ratio, min_random_scale, max_random_scale, \
min_img_size, max_img_size, min_crop_size, max_crop_size, rand_mirror, mirror, pad, inter_method
        Geometry, of images and masks. With `inter_method` 0 both are resampled by OpenCV's nearest neighbour, which
        moves them by up to half a pixel; else numbers are picked at the centres of pixels. What a function in
        `aug_list` does cannot be done to masks, so there may be none.
    fill_value, brightness, contrast, saturation, random_h, random_s, random_l, pca_noise, max_random_contrast, \
max_random_illumination, mean_img, mean_r, mean_g, mean_b, mean_a, std_r, std_g, std_b, std_a, scale, mxnet_quirks, \
antialias, decode_scale, on_damage
        Levels and normalisation, of images alone.
    dtype, layout, round_batch, preprocess_threads, prefetch_buffer, aug_seq, ctx, device_id, verbose, shard_policy, \
on_error, error_log, max_errors, limits, formats
        Batches, threads, what is skipped and refused, and what is accepted for MXNet's sake. An incomplete last batch
        is filled up with images of the epoch's beginning and their masks, or with zeros and masks of `mask_fill`.

    Raises
    ------
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    ValueError
        For a value that makes no sense, and for a function in `aug_list`.
    FileNotFoundError
        If a file is missing.
    recio.RecordError
        From the constructor if two masks have the same id; from `next` if an image has no mask, or one of another size.
        Else as `ImageRecordIter`.
    recio.DecodeError
        From `next` if a mask's record is no mask; it names the mask's file and record.

    Examples
    --------
    >>> batches = ImageMaskRecordIter(  # doctest: +SKIP
    ...     path_imgrec="train.rec", path_maskrec="train_mask.rec", data_shape=(3, 512, 512), batch_size=16,
    ...     shuffle=True, random_resized_crop=True, rand_mirror=True,
    ... )
    >>> for batch in batches:  # doctest: +SKIP
    ...     x, y = batch.data[0], batch.label[0]  # float32 (16, 3, 512, 512), uint8 (16, 512, 512)
    """

    def __init__(
        self,
        *,
        path_imgrec: Paths = None,
        path_maskrec: Paths = None,
        data_shape: Sequence[int],
        batch_size: int,
        path_maskidx: Paths = None,
        mask_fill: int = 255,
        **settings: Any,  # noqa: ANN401 they are of many types
    ) -> None:
        validate.refuse_unknown("ImageMaskRecordIter", settings.keys() - IMAGE_MASK_RECORD.keys(), IMAGE_MASK_RECORD)
        own = {"path_imgrec": path_imgrec, "data_shape": data_shape, "batch_size": batch_size, "mask_fill": mask_fill}
        given = validate.keywords(IMAGE_MASK_RECORD, {**_DEFAULTS, **settings, **own})
        files = record_paths.record_files(path_maskrec, "path_maskrec")
        self._open(given, (files, record_paths.split_paths(path_maskidx), given["mask_fill"]))

    @property
    def provide_label(self) -> list[DataDesc]:
        """The name, shape, type and layout of a batch's masks: a number for each pixel."""
        _, height, width = self._options.data_shape
        return [DataDesc(self._names[1], (self.batch_size, height, width), np.uint8, "NHW")]


_DEFAULTS = {name: keyword.default for name, keyword in IMAGE_MASK_RECORD.items()}


def _signature() -> inspect.Signature:
    """Return the signature with all keywords, for `help` and editors."""
    explicit, others = (inspect.signature(kind).parameters for kind in (ImageMaskRecordIter, ImageRecordIter))
    own = [parameter for parameter in explicit.values() if parameter.kind is parameter.KEYWORD_ONLY]
    shared = [others[name] for name in others if name in IMAGE_MASK_RECORD and name not in explicit]
    return inspect.Signature([*own, *shared])


ImageMaskRecordIter.__signature__ = _signature()  # type: ignore[attr-defined]
