"""``ImageRecordIter``: batches of the images in record files."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, Literal

from recio import _recio
from recio._loader import record_paths, to_steps, validate
from recio._loader.error_policy import ErrorPolicy
from recio._loader.native_iter import PipelineIter
from recio._loader.options import loader_options
from recio.io import _mean_image, _record_augment
from recio.io._keywords import IMAGE_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike

    from recio._loader.error_policy import OnError
    from recio._loader.record_paths import Paths
    from recio._util import StrPath
    from recio.limits import Limits

_log = logging.getLogger("recio")


class ImageRecordIter(PipelineIter):
    """Batches of decoded and augmented images from record files, made by native threads.

    What is done to each image, in this order: decode; bring the shorter side to `resize`; rotate, shear and scale; add
    a border (`pad`); take a random resized crop, or a square, or else enlarge to cover `data_shape` and crop it; change
    colours; mirror; normalise, ``(x - mean) * scale / std``. The pixels are those that MXNet 1.9.1 gives. Or else
    `aug_list` says what is done before the normalisation.

    An epoch has every record of the part once. The batches depend on (`seed`, epoch) only: not on `preprocess_threads`,
    `prefetch_buffer` or time. Each is an array of its own: one that is kept is never overwritten, and when one is
    dropped, its memory serves a later batch. Beside those that are kept, `prefetch_buffer` batches are in memory at
    most.

    Parameters
    ----------
    path_imgrec : path, list of paths, or ``'a.rec;b.rec'``
        The record files, read as one. A folder is its ``.rec`` files, by name; a last part that is no file is a regular
        expression; ``'a.rec#cache'`` is copied to the file ``cache`` first, and read from there from then on.
    path_imgidx : path, list of paths, optional
        Their indexes: one for each, or one for all, whose offsets count through all files. Only the records that they
        list are read. Without, the files are scanned once.
    path_imglist : path, optional
        A list (``.lst``) whose labels, found by the records' ids, take the place of the records' own.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 grey, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Images a batch.
    label_width : int, default 1
        Labels that each record has; -1 for any number, padded to the largest with `label_pad_value`.
    label_pad_value : float, default 0
        What missing labels are, if `label_width` is -1.
    aug_list : list, optional
        What `recio.image.CreateAugmenter` gives, augmenters of `recio.image` in any order, and functions
        ``f(image) -> image`` (ndarray, shape (height, width, channels), uint8 or, after colours, float32) or, in the
        manner of albumentations, ``f(image=image)["image"]``. Augmenters run in all threads at once; a function is
        called by one thread at a time, on the pixels themselves, which it may change in place. Takes the place of all
        keywords from `resize` to `pad`, and of `antialias`.
    resize : int, default -1
        What the shorter side is brought to first, up or down, in pixels; the other keeps the ratio, rounded down.
        -1: not.
    rand_crop : bool, default False
        Whether the crop is at a random place, or in the middle.
    random_resized_crop : bool, default False
        Whether a region of random area and aspect ratio is cropped and resized to `data_shape`. Excludes `rand_crop`,
        `min_crop_size`, `max_crop_size`, `min_random_scale` and `max_random_scale`.
    min_random_area, max_random_area : float, optional
        Its area, as a fraction of the image's, in (0, 1]. Default 0.08 and 1.
    min_aspect_ratio, max_aspect_ratio : float, optional
        Its ratio of width to height. Default 3/4 and 4/3. A maximum m without a minimum means 1 - m to 1 + m. Without
        `random_resized_crop`, the ratio of the scales of the two sides, default 1.
    max_rotate_angle : int or float, default 0
        Rotation by an angle from -max to max, in degrees, anticlockwise; of whole numbers if it is an int.
    rotate : float, default -1
        Rotation by this angle; -1 and 0: not.
    rotate_list : list of float or str, optional
        Rotation by one of these angles; also ``'0,90,180'``.
    max_shear_ratio : float, default 0
        Shear by a ratio from -max to max.
    min_random_scale, max_random_scale : float, default 1
        Scale by a factor from this range.
    min_img_size, max_img_size : float, default 0 and 1e10
        Bounds of the sides of the canvas that rotation, shear and scale draw on, in pixels; the image is centred on it.
    min_crop_size, max_crop_size : int, default -1
        A square crop of a side from this range, in pixels, or of the image's shorter side if that is less, resized to
        `data_shape`. One of them alone is the side. -1: not.
    brightness, contrast, saturation : float, default 0
        Factors from 1 - this to 1 + this, applied in random order, each rounded to whole levels.
    random_h, random_s, random_l : float, default 0
        Hue (a turn has 180), saturation and lightness (of 255) shifted by whole numbers up to this. The hue wraps.
    pca_noise : float, default 0
        Deviation of the light's colour, along the principal components of ImageNet's colours.
    rand_mirror : bool, default False
        Whether half of the images are flipped left to right.
    mirror : bool, default False
        Whether all are.
    pad : int, default 0
        Thickness of a border on all sides, in pixels.
    fill_value : int, default 255
        The level of borders, from 0 to 255.
    inter_method : int, default 1
        How images are resampled: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos, 9 by the sizes, 10 at random.
    max_random_contrast, max_random_illumination : float, default 0
        With dtype float32 and float16, ``c * (x - mean) * scale / std + i * scale / std``, with c from 1 - this to
        1 + this, and i from -this to this.
    mean_img : path, optional
        A file with an image of `data_shape` that is subtracted in place of `mean_r` and its siblings: ``.npy``, or an
        NDArray file of MXNet's. If there is none, the mean of all images of the part is computed, at construction, and
        written there as ``.npy``. It is mirrored with the image, as in MXNet.
    mean_r, mean_g, mean_b, mean_a : float, default 0
        Subtracted, in levels of 0 to 255; grey uses `mean_r`. With dtype int8 the rounded mean is subtracted, with
        uint8 none.
    std_r, std_g, std_b, std_a : float, default 1
        Divided by, with dtype float32 and float16; not 0.
    scale : float, default 1
        Multiplied by, with dtype float32 and float16.
    dtype : {'float32', 'float16', 'uint8', 'int8'}, default 'float32'
        Type of the data.
    layout : {'NCHW', 'NHWC'}, default 'NCHW'
        Order of its axes.
    shuffle : bool, default False
        Whether each epoch has an order of its own, a permutation of all records of the part.
    shuffle_chunk_size, shuffle_chunk_seed : int, default 0
        Accepted for MXNet's sake: it shuffled within chunks.
    seed : int, default 0
        Seed of order and augmentation, from 0 to 2**64 - 1.
    seed_aug : int, optional
        Seed of the augmentation alone. Default: `seed`.
    num_parts, part_index : int, default 1 and 0
        Into how many parts the records are divided, and the part that is read. Parts differ by at most one record.
    shard_policy : {'pad', 'drop', 'uneven'}, default 'pad'
        What is done so that all parts have as many batches in every epoch, as ranks that work in step must: ``'pad'``
        gives each as many as the largest part has, filled up with repeats, or zeros, that ``batch.pad`` counts;
        ``'drop'`` gives each as many records as the smallest, and leaves out what a part has more, with `shuffle` in
        each epoch others; ``'uneven'`` does nothing: parts may differ by a batch.
    round_batch : bool, default True
        Whether an incomplete last batch is filled up with images from the epoch's beginning, or with zeros. Either way
        ``batch.pad`` says how many.
    preprocess_threads : int, optional
        Threads that decode. Default: the cores that the process may use.
    prefetch_buffer : int, default 2
        Batches made ahead of need. Each takes memory: one of 64 images, 3x224x224, float32, 38.5 MB. (MXNet: default 4,
        another meaning.)
    mxnet_quirks : bool, default False
        Whether two mistakes of MXNet's are made again, for the same numbers: contrast and saturation weigh red as blue
        and blue as red, and a hue beyond the ends stays there.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    aug_seq, ctx, device_id : optional
        Accepted for MXNet's sake, without effect: there is one sequence of augmenters, and no device.
    verbose : bool, default True
        Whether to log, at level INFO of the logger ``recio``, what was opened.
    antialias : bool, default False
        Whether bilinear resizing, `inter_method` 1, averages over all pixels that a new pixel covers where it shrinks
        an image, as Pillow's does and with the same result; without, it looks at four of them, as OpenCV's and MXNet's
        does. Rotation, shear and scale stay as they are.
    decode_scale : {'auto', None}, default None
        'auto' decodes an upright JPEG at 1/2, 1/4 or 1/8 of its size where the first resizing shrinks it at least as
        much: faster, with fewer jagged edges, and not MXNet's pixels but libjpeg's of that scale, resized. None
        decodes at full size.
    on_damage : {'error', 'fill'}, default 'error'
        Whether damage in the image data of a JPEG is an error, or is filled as libjpeg and MXNet do: with grey where
        data is missing, with what can be made of it elsewhere. A damaged header is an error in any case. Only what a
        batch needs is decoded, so damage below a crop may pass unnoticed; a record that was cut off does not.
    on_error : {'raise', 'skip'} or callable, default 'raise'
        What becomes of a batch with a damaged record: an exception, or ``'skip'``: it is made without, kept full by the
        samples that follow, and the epoch has all others once. The records are listed in `errors`, logged as warnings
        by the logger ``recio``, and the same for any number of threads. A function is told each, once, as the
        exception (`recio.RecordError` or `recio.DecodeError`) that it would have been; what it raises, `next` raises.
        Exceptions of functions in `aug_list`, and errors of the machine, are never skipped. With several parts their
        numbers of batches stay the same: what is missing at the end is counted as pad.
    error_log : path, optional
        A file to which each skipped sample is appended, as a line of JSON: path, record, id, offset, reason.
    max_errors : int or float, optional
        How many samples may be skipped, or as a float which fraction of them; one more raises `recio.TooManyErrors`,
        from then on. Default: any.
    limits : recio.Limits, optional
        The largest image that is decoded. Default: 16,384 pixels a side, 178,956,970 in all, 512 MiB, 100 scans.
    formats : str or list of str, default ('jpeg', 'png')
        The formats that are decoded; also 'webp', 'bmp', 'gif', 'tiff'. Any other is a damaged record.

    Raises
    ------
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    ValueError
        For a value that makes no sense.
    FileNotFoundError
        If a file is missing.
    recio.RecordError, recio.DecodeError
        From the constructor if an index, a list or a scanned file is damaged; from `next` if a record or its image is.
        The message names the file, the record's number and id, and the byte offset. The iterator can be used on: the
        next `next` gives the batch after it. An exception of a function in `aug_list` comes from `next` as it is, with
        a note that names the record.

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
        num_parts: int = 1,
        part_index: int = 0,
        round_batch: bool = True,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
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
        shard_policy: Literal["pad", "drop", "uneven"] = "pad",
        on_error: OnError = "raise",
        error_log: StrPath | None = None,
        max_errors: float | None = None,
        limits: Limits | None = None,
        formats: str | Sequence[str] | None = None,
        **unknown: object,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in IMAGE_RECORD}
        validate.refuse_unknown("ImageRecordIter", unknown, IMAGE_RECORD)
        self._open(validate.keywords(IMAGE_RECORD, given))

    def _open(self, given: dict[str, Any], masks: tuple[list[str], list[str], int] | None = None) -> None:
        """Start the pipeline that checked keywords ask for; with masks, their files, indexes and fill value."""
        super().__init__(given["batch_size"])
        warn_of_chunks(given)
        aug_list = None if given["aug_list"] is None else list(given["aug_list"])
        options = loader_options(
            given,
            steps=_steps(given, aug_list),
            last_batch="pad" if given["round_batch"] else "zeros",
            masks=masks,
        )
        files, indexes = record_paths.record_files(given["path_imgrec"]), record_paths.split_paths(given["path_imgidx"])
        if given["mean_img"]:
            options = _mean_image.with_mean_image(options, given["mean_img"], files, indexes)
        self._start(
            _recio.ImagePipeline.of_records(files, indexes, options),
            options,
            ErrorPolicy.of_keywords(given),
            names=(given["data_name"], given["label_name"]),
            aug_list=aug_list or (),
        )
        if given["verbose"]:
            self._log_opened(files)


def _steps(given: dict[str, Any], aug_list: list[Any] | None) -> list[_recio.Step]:
    """Return the steps of ``aug_list`` or, without one, of the augmentation keywords."""
    if aug_list is None:
        _, height, width = given["data_shape"]
        return _record_augment.steps(given, (width, height))
    _record_augment.refuse_augmentation(given)
    return to_steps.to_steps(aug_list)


def warn_of_chunks(given: dict[str, Any]) -> None:
    """Log a warning, once, if a keyword asks for shuffling within chunks."""
    if given["shuffle_chunk_size"] or given["shuffle_chunk_seed"]:
        _warn_of_chunks()


@functools.cache
def _warn_of_chunks() -> None:
    _log.warning("shuffle_chunk_size and shuffle_chunk_seed have no effect: shuffle=True permutes all records")


def ImageRecordUInt8Iter(**settings: Any) -> ImageRecordIter:  # noqa: ANN401 as of ImageRecordIter
    """Give an `ImageRecordIter` with dtype uint8."""
    return ImageRecordIter(**{**settings, "dtype": "uint8"})


def ImageRecordInt8Iter(**settings: Any) -> ImageRecordIter:  # noqa: ANN401 as of ImageRecordIter
    """Give an `ImageRecordIter` with dtype int8."""
    return ImageRecordIter(**{**settings, "dtype": "int8"})


ImageRecordIter_v1 = ImageRecordIter
ImageRecordUInt8Iter_v1 = ImageRecordUInt8Iter
