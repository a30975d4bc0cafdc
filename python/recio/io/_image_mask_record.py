"""``ImageMaskRecordIter``: batches of images and masks, for segmentation."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import record_paths, validate
from recio._loader.base import DataDesc
from recio._loader.options import storage_of
from recio.io._image_record import ImageRecordIter
from recio.io._keywords import IMAGE_MASK_RECORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recio._loader.record_paths import Paths


class ImageMaskRecordIter(ImageRecordIter):
    """Batches of images and masks from two sets of record files: an `ImageRecordIter` whose labels are masks.

    A mask holds a class number for each pixel of its image. It is a PNG of one channel and at most 8 bits: gray values
    as they are stored (not scaled to 255), or the indices of a palette (as in PASCAL VOC).

    The mask of an image is the record with the same id, anywhere in its file. It has the size of the displayed image:
    EXIF orientation is applied to images, not to masks. It gets the same geometric augmentation with the same random
    parameters: it is resized, rotated, padded, cropped and mirrored with its image, by nearest-neighbor sampling, so
    that no new numbers appear; color augmentation does not change it. ``im2rec --masks`` packs such pairs.

    The images and the order of records are those of `ImageRecordIter` with the same keywords. Labels in the records are
    ignored.

    Parameters
    ----------
    path_imgrec : path, list of paths, or ``'a.rec;b.rec'``
        Record files of the images, as for `ImageRecordIter`.
    path_maskrec : path, list of paths, or ``'a.rec;b.rec'``
        Record files of the masks, likewise. Masks without an image are ignored. The constructor reads the ids of all
        masks, with one or two small reads for each record; an id takes 16 bytes of memory.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 gray, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Number of images in a batch.
    path_maskidx : path, list of paths, optional
        Index files of `path_maskrec`: one for each, or one for all. Without an index, all masks are read. Masks
        are looked up by the ids in their headers, not by the keys of the index.
    mask_fill : int, default 255
        Class number of pixels without image, from 0 to 255: borders, the corners after a rotation, and with
        ``round_batch=False`` the masks that only fill the last batch. 255 is the number that losses usually ignore.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    **settings
        All other keywords of `ImageRecordIter` except those for labels, with the same meaning and default.

    Other Parameters
    ----------------
    path_imgidx, shuffle, seed, seed_aug, num_parts, part_index, shuffle_chunk_size, shuffle_chunk_seed
        Selection and order of the images.
    aug_list, resize, rand_crop, random_resized_crop, min_random_area, max_random_area, min_aspect_ratio, \
max_aspect_ratio, max_rotate_angle, rotate, rotate_list, max_shear_ratio, min_random_scale, max_random_scale, \
min_img_size, max_img_size, min_crop_size, max_crop_size, rand_mirror, mirror, pad, inter_method
        Geometric augmentation of images and masks. With `inter_method` 0 both are resampled as by OpenCV's nearest
        neighbor, which shifts them by up to half a pixel; otherwise masks are sampled at the centers of pixels. Since a
        function in `aug_list` could not be applied to the mask, none is allowed.
    fill_value, brightness, contrast, saturation, random_h, random_s, random_l, pca_noise, max_random_contrast, \
max_random_illumination, mean_img, mean_r, mean_g, mean_b, mean_a, std_r, std_g, std_b, std_a, scale, mxnet_quirks, \
antialias, decode_scale, on_damage
        Color augmentation, decoding and normalization of the images.
    dtype, layout, round_batch, preprocess_threads, prefetch_buffer, read_ahead, read_ahead_bytes, aug_seq, ctx, \
device_id, verbose, shard, shard_policy, on_error, error_log, max_errors, limits, formats
        Batches, threads, errors and limits, and keywords accepted for compatibility. An incomplete last batch is filled
        with images from the start of the epoch and their masks, or with zeros and masks of `mask_fill`.
    storage_options, filesystem, cache_dir, cache_bytes
        Storage, as for `ImageRecordIter`.
    sampler, allocator
        Order of the records, and memory of images and masks, as for `ImageRecordIter`.

    Raises
    ------
    TypeError
        If a keyword does not exist (the message suggests the nearest one), or a value has the wrong type.
    ValueError
        If a value is out of range, or `aug_list` contains a function.
    FileNotFoundError
        If a file does not exist.
    recio.RecordError
        From the constructor, if two masks have the same id. From `next`, if an image has no mask, or one of a different
        size. Otherwise as for `ImageRecordIter`.
    recio.DecodeError
        From `next`, if a record is not a mask; the message names the mask file and the record.

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
        named = {"path_imgrec": path_imgrec, "data_shape": data_shape, "batch_size": batch_size, "mask_fill": mask_fill}
        args = validate.check_keywords(IMAGE_MASK_RECORD, {**_DEFAULTS, **settings, **named})
        storage = storage_of(args)
        files, indexes = record_paths.record_files(path_maskrec, path_maskidx, "path_maskrec", storage)
        self._open(args, (files, indexes, args["mask_fill"]))

    @property
    def provide_label(self) -> list[DataDesc]:
        """Name, shape, dtype and layout of the masks: a class number for each pixel."""
        _, height, width = self._options.data_shape
        return [DataDesc(self._names[1], (self.batch_size, height, width), np.uint8, "NHW")]


_DEFAULTS = {name: keyword.default for name, keyword in IMAGE_MASK_RECORD.items()}


def _signature() -> inspect.Signature:
    """Return the signature with all keywords, for `help` and editors."""
    explicit, others = (inspect.signature(kind).parameters for kind in (ImageMaskRecordIter, ImageRecordIter))
    named = [parameter for parameter in explicit.values() if parameter.kind is parameter.KEYWORD_ONLY]
    shared = [others[name] for name in others if name in IMAGE_MASK_RECORD and name not in explicit]
    return inspect.Signature([*named, *shared])


ImageMaskRecordIter.__signature__ = _signature()  # type: ignore[attr-defined]
