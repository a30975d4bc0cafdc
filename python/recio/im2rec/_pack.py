"""Packing the images of a list: checks of the arguments."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, TypeVar

from recio._loader import validate
from recio._storage import storage
from recio._util import available_cores, fills_damage
from recio.im2rec._list_packer import ListPacker
from recio.limits import limits_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from recio._recio import RemotePath
    from recio._storage import AnyPath, StorageOptions
    from recio._util import OnDamage
    from recio.im2rec._report import PackReport
    from recio.limits import Limits

T = TypeVar("T")


def pack(
    lst: AnyPath,
    root: AnyPath,
    *,
    pass_through: bool = False,
    resize: int = 0,
    center_crop: bool = False,
    quality: int = 95,
    color: Literal[-1, 0, 1] = 1,
    encoding: Literal[".jpg", ".png"] = ".jpg",
    seekable: bool = False,
    baseline: bool = False,
    on_damage: OnDamage = "error",
    pack_label: bool = False,
    checksum: bool = False,
    resume: bool = False,
    num_thread: int | None = None,
    allow_outside: bool = False,
    masks: AnyPath | None = None,
    mask_ext: str = ".png",
    rec: AnyPath | None = None,
    shards: int | None = None,
    shard_size: int | None = None,
    limits: Limits | None = None,
    progress: Callable[[int, int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> PackReport:
    """Pack the images of a list: ``train.lst`` becomes ``train.rec`` and ``train.idx`` beside it.

    Both files are complete or not written at all: they get their names when all data is on the disk. A killed run may
    leave temporary files (``.train.rec.*.tmp``), which the next run for the same list removes. An image that cannot be
    packed is skipped and reported, in the result and in ``train.skipped.jsonl`` (one JSON object per line, with the
    fields of `SkippedLine`). The records are in the order of the list, for any `num_thread`.

    The list, the images and the masks may be in object stores (``s3://bucket/photos``), in any combination; the outputs
    are beside the list. A store that does not answer ends the packing. Objects appear when all data is in the store.

    With `shards` or `shard_size`, each shard is complete or not written, and the manifest is written after all of them:
    readers take it in place of a record file. After an interruption, complete shards are left, and `resume` keeps them.

    With `masks`, the mask of each image is copied byte for byte to ``train_mask.rec`` and ``train_mask.idx``, with the
    same ids in the same order: a pair of files for `recio.io.ImageMaskRecordIter`. All four files are complete or none
    is written; if an image or its mask cannot be packed, both are skipped.

    Parameters
    ----------
    lst : path
        The list, whose name ends in ``.lst``.
    root : path
        Folder that the paths in the list are relative to.
    pass_through : bool, default False
        Whether to copy the images' files byte for byte. Then the next five parameters are ignored.
    resize : int, default 0
        Length of the shorter side in pixels after bilinear resizing, which also enlarges smaller images. 0 keeps the
        size.
    center_crop : bool, default False
        Whether to crop the central square, before resizing.
    quality : int in [1, 100], default 95
        JPEG quality; for PNG the zlib level, from 1 to 9. Larger values, such as the default, are level 3.
    color : {1, 0, -1}, default 1
        1 packs color images, 0 gray ones, both upright. -1 packs the stored channels: with alpha (not in a JPEG) and
        16 bits (in a PNG of the same size), not rotated.
    encoding : {'.jpg', '.png'}, default '.jpg'
        Format of the packed images.
    seekable : bool, default False
        Whether to rewrite JPEGs, also with `pass_through`, so that crops of them are decoded faster: with a restart
        marker after each row of blocks, which lets recio skip rows, and Huffman tables optimized for the image. The
        pixels stay the same in every decoder, and EXIF and other metadata are kept; bytes after the end of the JPEG are
        dropped. Damaged JPEGs are kept unchanged, and so are those that would become larger (progressive ones, by more
        than a tenth).
    baseline : bool, default False
        Whether to rewrite progressive JPEGs, also with `pass_through`, as baseline JPEGs with the same coefficients,
        which decode several times faster. What is kept is as with `seekable`, which rewrites progressive JPEGs too; so
        `baseline` has no further effect with it.
    on_damage : {'error', 'fill'}, default 'error'
        Whether an image whose JPEG data is damaged is skipped, or is packed with the damage filled, as for
        `recio.image.imdecode`. Without effect with `pass_through`, which does not decode.
    pack_label : bool, default False
        Whether to pack all labels of a line, as detection needs, or only the first.
    checksum : bool, default False
        Whether to write ``train.rsum`` too: a checksum of each record, with which readers detect damage that the format
        itself does not reveal. Other software ignores the file. If false, an existing ``.rsum`` is removed, as it would
        be wrong.
    resume : bool, default False
        Whether to keep the files if an earlier run has packed the list: if they are newer than the list, contain its
        indices in its order, except the lines reported as skipped, and are complete. The images and the other options
        of that run are not compared: resume with the same options. Of objects, the times that the store reports count.
    num_thread : int, optional
        Number of threads, at least 1; by default one for each core that the process may use.
    allow_outside : bool, default False
        Whether paths may be outside `root`: absolute paths, paths with ``..``, and links to other folders. Applies to
        `masks` too.
    masks : path, optional
        Folder of the masks, each with the path of its image except for the suffix. A mask is a PNG with one channel and
        at most 8 bits, of the displayed size of its image. Cannot be combined with `resize` and `center_crop`.
    mask_ext : str, default '.png'
        Replacement of the image's suffix in the name of its mask, such as ``'_mask.png'``; without a dot, one is
        prepended.
    rec : path, optional
        The record file, whose name ends in ``.rec``; the other outputs are beside it. By default it is beside the list.
    shards : int, optional
        Number of shards, from 1 to the number of lines: ``train_00000.rec``, ``train_00001.rec`` and so on, each with
        its index, and the manifest ``train.recset.json``. Shard k of n has the lines from ``lines * k // n`` on.
    shard_size : int, optional
        Instead of `shards`, the largest size of a shard in bytes. A record that is larger has a shard of its own.
    limits : Limits, optional
        Largest images that are decoded and encoded; by default those of `recio.Limits`.
    progress : callable, optional
        Called about every 100 ms with the lines done, all lines and the lines skipped. An exception that it raises
        stops the packing.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    PackReport
        The files, their size, and what was skipped.

    Warns
    -----
    UserWarning
        If labels look wrong: see ``warnings`` of `PackReport`.

    Raises
    ------
    ValueError
        If an argument is out of range. With `resume`, if a store does not report the times of its objects.
    RecordError
        If the list is not UTF-8.
    OSError
        If the list or the root cannot be read, or the files cannot be written, for example because another run is
        writing them; then they do not exist.
    """
    pass_through, center_crop = (
        validate.flag("pass_through", pass_through),
        validate.flag("center_crop", center_crop),
    )
    opened_with = storage(storage_options, filesystem)
    list_path, image_root = opened_with.path(lst), opened_with.path(root)
    target = _rec_path(list_path, None if rec is None else opened_with.path(rec))
    mask_root = None if masks is None else opened_with.path(masks)
    if mask_root and not pass_through and (resize or center_crop):
        raise ValueError("resize and center_crop cannot be combined with masks, which are packed unchanged")
    if shards is not None and shard_size is not None:
        raise ValueError("shards and shard_size exclude each other")
    if shard_size is not None:
        shard_size = validate.positive("shard_size", shard_size)
    settings = {
        "pass_through": pass_through,
        "resize": _check_range("resize", resize, 0, 16_384),
        "center_crop": center_crop,
        "quality": _check_range("quality", quality, 1, 100),
        "color": _check_choice("color", color, (-1, 0, 1)),
        "encoding": _check_choice("encoding", encoding, (".jpg", ".png")),
        "seekable": validate.flag("seekable", seekable),
        "baseline": validate.flag("baseline", baseline),
        "fill_damage": fills_damage(on_damage),
        "pack_label": validate.flag("pack_label", pack_label),
        "checksum": validate.flag("checksum", checksum),
        "num_thread": available_cores() if num_thread is None else _check_range("num_thread", num_thread, 1, 1024),
        "allow_outside": validate.flag("allow_outside", allow_outside),
        "limits": limits_tuple(limits),
    }
    packer = ListPacker(
        list_path,
        image_root,
        target,
        settings,
        None if mask_root is None else (mask_root, mask_ext if "." in mask_ext else f".{mask_ext}"),
        resume=validate.flag("resume", resume),
        progress=progress,
    )
    if shards is not None:
        shards = _check_range("shards", shards, 1, max(1, len(packer)))
    one_file = shards is None and shard_size is None
    report = packer.pack_file() if one_file else packer.pack_shards(shards, shard_size)
    for message in report.warnings:
        warnings.warn(f"{list_path}: {message}", stacklevel=2)
    return report


def _rec_path(lst: Path | RemotePath, rec: Path | RemotePath | None) -> Path | RemotePath:
    if lst.suffix != ".lst":
        raise ValueError(f"{lst}: the name of a list must end in .lst")
    if rec is not None and rec.suffix != ".rec":
        raise ValueError(f"{rec}: the name of a record file must end in .rec")
    return lst.with_suffix(".rec") if rec is None else rec


def _check_range(name: str, value: int, minimum: int, maximum: int) -> int:
    value = validate.integer(name, value)
    if not minimum <= value <= maximum:
        raise ValueError(f"{name} must be from {minimum} to {maximum}, got {value}")
    return value


def _check_choice(name: str, value: T, choices: Sequence[T]) -> T:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value
