"""The command ``im2rec``: arguments, summary and exit code.

Results go to standard output; errors, skipped images and the progress bar to standard error.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from recio._recio import RemotePath
from recio._storage import LOCAL, Storage, size_and_version
from recio._util import available_cores, printable
from recio.cli._base import (
    MISUSED,
    OK,
    CommandParser,
    add_limits,
    add_storage_options,
    byte_size,
    fail,
    limits_of,
    run_command,
    storage_of,
    write_lines,
)
from recio.cli._progress import ProgressBars
from recio.errors import RecordError
from recio.im2rec._flags import translate_flags
from recio.im2rec._lists import EXTENSIONS, ListReport, find_lists, make_list
from recio.im2rec._pack import pack

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from recio.im2rec._report import PackReport

FAILED = 1
EXIT_CODES = {RecordError: FAILED, OSError: FAILED, ValueError: MISUSED}
MAX_SKIPPED = 10
"""Maximum number of skipped images that the summary names."""

DESCRIPTION = """\
Make record files of images, in two steps: --list writes lists of the images in
a folder; without it, the lists of PREFIX are packed into .rec and .idx files."""

EPILOG = """\
examples:
  im2rec --list --recursive data photos/     photos/cat/1.jpg ... -> data.lst
  im2rec --resize 256 data photos/           data.lst -> data.rec, data.idx
  im2rec --pass-through data photos/         the files, byte for byte
  im2rec --pass-through --seekable data photos/
                                             the same pixels, faster to crop
  im2rec --pass-through --masks masks/ data photos/
                                             photos/1.jpg, masks/1.png ... -> also
                                             data_mask.rec, data_mask.idx
  im2rec --list --recursive s3://bucket/data s3://bucket/photos
  im2rec s3://bucket/data s3://bucket/photos
  im2rec --checksum --resume data photos/    the lists that a killed run has not packed
  im2rec --list --recursive --train-ratio 0.8 --test-ratio 0.1 data photos/
                                             data_train.lst, _val, _test

a list has a line for each image, with fields separated by tabs:
  index, label (one or more), path relative to ROOT

exit codes:
  0    done
  1    something was skipped (not with --skip-bad), nothing was found, or a file
       cannot be read or written
  2    the arguments are wrong
  130  interrupted; no half-written file is left

a killed run leaves no half-written .rec, .idx or .rsum either, only hidden
files (.data.rec.*.tmp), which the next run for the same list removes; in a
bucket, parts of an unfinished upload, which only a rule of the bucket removes"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``im2rec``.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name. Default: those of the process.

    Returns
    -------
    int
        The exit code: 0 done, 1 something was skipped or failed, 2 wrong arguments, 130 interrupted.

    Raises
    ------
    SystemExit
        With code 0 after ``--help``, with 2 if the arguments cannot be parsed.
    """
    arguments = _parse(argv)
    command = _list if arguments.list else _pack
    return run_command("im2rec", lambda: command(arguments), EXIT_CODES, str)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = CommandParser(prog="im2rec", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "prefix",
        metavar="PREFIX",
        help="path and beginning of the names of .lst, .rec and .idx",
    )
    parser.add_argument("root", metavar="ROOT", help="the folder of the images, or its URL")
    parser.add_argument("--skip-bad", action="store_true", help="exit with 0 even if something was skipped")
    _add_list_options(parser.add_argument_group("making lists"))
    _add_pack_options(parser.add_argument_group("packing"))
    add_storage_options(parser)
    arguments = parser.parse_args(translate_flags(parser, sys.argv[1:] if argv is None else argv))
    try:
        _locate(arguments, storage_of(arguments))
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    return arguments


def _locate(arguments: argparse.Namespace, opened_with: Storage) -> None:
    """Replace paths as they were passed by those that are opened, and check local folders.

    Raises
    ------
    ValueError
        If a folder does not exist, or a URL is wrong.
    """
    for name, argument in (("root", "ROOT"), ("masks", "--masks")):
        folder = getattr(arguments, name)
        if folder is None:
            continue
        setattr(arguments, name, path := opened_with.path(folder))
        if isinstance(path, Path) and not path.is_dir():
            raise ValueError(f"{argument}: {path}: no such folder")
    if arguments.classes is not None:
        arguments.classes = opened_with.path(arguments.classes)
    prefix = opened_with.path(arguments.prefix)
    if isinstance(prefix, Path) and not prefix.absolute().parent.is_dir():
        raise ValueError(f"PREFIX: {prefix.parent}: no such folder")


def _add_list_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--list", action="store_true", help="write lists instead of packing")
    add(
        "--exts",
        nargs="+",
        default=EXTENSIONS,
        metavar="EXT",
        help="extensions of images (default: .jpeg .jpg .png)",
    )
    add(
        "--recursive",
        action="store_true",
        help="include subfolders, each with its label: 0, 1, 2 ...; their names go to PREFIX.classes.txt",
    )
    add("--no-shuffle", dest="shuffle", action="store_false", help="keep the order of the names")
    add("--natural-sort", action="store_true", help="sort numbers in names by value: 2 before 10")
    add(
        "--classes",
        metavar="FILE",
        help="take the labels from FILE, a folder's name a line, from 0; for those of another list, its .classes.txt",
    )
    add("--chunks", type=int, default=1, metavar="N", help="divide into N lists (default: 1)")
    add(
        "--train-ratio",
        type=float,
        default=1.0,
        metavar="R",
        help="fraction for PREFIX_train.lst (default: 1.0, no split)",
    )
    add(
        "--test-ratio",
        type=float,
        default=0.0,
        metavar="R",
        help="fraction for PREFIX_test.lst (default: 0), without effect while --train-ratio is 1; the rest goes to "
        "PREFIX_val.lst or, if the two add to 1, to PREFIX_train.lst",
    )


def _add_pack_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--pass-through",
        action="store_true",
        help="copy the files byte for byte; the next five options are ignored",
    )
    add(
        "--resize",
        type=int,
        default=0,
        metavar="N",
        help="resize the shorter side to N pixels (default: 0, keep the size)",
    )
    add("--center-crop", action="store_true", help="crop the central square, before resizing")
    add(
        "--quality",
        type=int,
        default=95,
        metavar="Q",
        help="JPEG quality, 1-100 (default: 95), or PNG level, 1-9 (default: 3)",
    )
    add(
        "--color",
        type=int,
        default=1,
        choices=[-1, 0, 1],
        help="1: color, 0: gray, -1: as stored, with alpha and 16 bits if the encoding has them (default: 1)",
    )
    add(
        "--encoding",
        default=".jpg",
        type=lambda text: text if text.startswith(".") else f".{text}",
        choices=[".jpg", ".png"],
        help="format of the packed images (default: .jpg)",
    )
    add(
        "--seekable",
        action="store_true",
        help="rewrite JPEGs with the same pixels so that crops of them are decoded faster, unless they become larger "
        "(progressive ones by more than a tenth); also with --pass-through",
    )
    add(
        "--baseline",
        action="store_true",
        help="rewrite progressive JPEGs with the same pixels as baseline JPEGs, which decode several times faster, "
        "unless they become larger by more than a tenth; also with --pass-through; --seekable includes it",
    )
    add(
        "--on-damage",
        default="error",
        choices=["error", "fill"],
        help="error: skip an image whose JPEG data is damaged; fill: pack it as libjpeg decodes it, gray where data is "
        "missing (default: error); without effect with --pass-through",
    )
    add("--pack-label", action="store_true", help="pack all labels of a line, not only the first")
    add(
        "--checksum",
        action="store_true",
        help="also write PREFIX.rsum: a checksum of each record, with which recio detects any damage",
    )
    add(
        "--resume",
        action="store_true",
        help="keep the files of lists that an earlier run with the same options has packed: if they are newer than "
        "the list, complete, and contain the images that it lists",
    )
    add(
        "--num-thread",
        type=int,
        default=available_cores(),
        metavar="N",
        help="number of threads (default: one per core, here %(default)s)",
    )
    add(
        "--allow-outside",
        action="store_true",
        help="allow paths outside ROOT: '..', absolute paths and links",
    )
    add(
        "--masks",
        metavar="FOLDER",
        help="also pack the images' masks, unchanged, into PREFIX_mask.rec and .idx with the same ids: for each image "
        "a PNG of class numbers in FOLDER, with the image's path except for the suffix; not with --resize or "
        "--center-crop",
    )
    shards = group.add_mutually_exclusive_group()
    shards.add_argument(
        "--shards",
        type=int,
        metavar="N",
        help="pack a list into N record files, PREFIX_00000.rec ..., and their manifest PREFIX.recset.json, which "
        "is read in place of a record file",
    )
    shards.add_argument(
        "--shard-size",
        type=byte_size,
        metavar="SIZE",
        help="the same, with record files of at most SIZE bytes: 500M, 2G",
    )
    add_limits(add)
    add(
        "--mask-ext",
        default=".png",
        metavar="EXT",
        help="replacement of the image's suffix in the mask's name (default: .png)",
    )


def _list(arguments: argparse.Namespace) -> int:
    with warnings.catch_warnings():
        # They are in the report.
        warnings.simplefilter("ignore")
        listed = make_list(
            arguments.prefix,
            arguments.root,
            exts=arguments.exts,
            recursive=arguments.recursive,
            shuffle=arguments.shuffle,
            chunks=arguments.chunks,
            train_ratio=arguments.train_ratio,
            test_ratio=arguments.test_ratio,
            classes=arguments.classes,
            natural_sort=arguments.natural_sort,
            storage_options=dict(arguments.storage_option),
        )
    _print_list_report(listed, labels=arguments.recursive)
    return FAILED if listed.skipped and not arguments.skip_bad else OK


def _missing_list(prefix: str) -> str:
    path = prefix.rstrip("/")
    if path != prefix:
        return f"{prefix} has none; to pack {path}.lst, pass {path} without the slash"
    for suffix in (".rec", ".idx"):
        if path.endswith(suffix):
            return f"{path}.lst; PREFIX is the path without {suffix}: {path.removesuffix(suffix)}"
    return f"{path.removesuffix('.lst')}.lst; --list makes one"


def _pack(arguments: argparse.Namespace) -> int:
    lists = find_lists(arguments.prefix, storage_options=dict(arguments.storage_option))
    if not lists:
        located = LOCAL.locate(arguments.prefix)
        shown = str(located) if isinstance(located, RemotePath) else arguments.prefix
        return fail("im2rec", f"no list found: {_missing_list(shown)}", FAILED)
    bars = ProgressBars()
    complete = [_pack_one(lst, arguments, bars) for lst in lists]
    return OK if all(complete) else FAILED


def _pack_one(lst: Path | RemotePath, arguments: argparse.Namespace, bars: ProgressBars) -> bool:
    """Pack a list and print the result; return whether it is a success."""
    with bars.bar(printable(lst.name), "img") as progress, warnings.catch_warnings():
        # They are in the report.
        warnings.simplefilter("ignore")
        packed = pack(
            lst,
            arguments.root,
            pass_through=arguments.pass_through,
            resize=arguments.resize,
            center_crop=arguments.center_crop,
            quality=arguments.quality,
            color=arguments.color,
            encoding=arguments.encoding,
            seekable=arguments.seekable,
            baseline=arguments.baseline,
            on_damage=arguments.on_damage,
            pack_label=arguments.pack_label,
            checksum=arguments.checksum,
            resume=arguments.resume,
            num_thread=arguments.num_thread,
            allow_outside=arguments.allow_outside,
            masks=arguments.masks,
            mask_ext=arguments.mask_ext,
            shards=arguments.shards,
            shard_size=arguments.shard_size,
            limits=limits_of(arguments),
            progress=progress,
        )
    _print_pack_report(lst, packed)
    return packed.records > 0 and (arguments.skip_bad or not packed.skipped)


def _print_list_report(report: ListReport, *, labels: bool) -> None:
    if labels:
        write_lines(sys.stdout, (f"{folder} {label}" for folder, label in report.labels.items()))
    write_lines(sys.stdout, (f"{path}: {images} images" for path, images in report.lists.items()))
    if report.classes:
        write_lines(sys.stdout, [f"{report.classes}: {len(report.labels)} classes"])
    write_lines(sys.stderr, (f"warning: {warning}" for warning in report.warnings))
    write_lines(sys.stderr, (f"ignored: {line}" for line in report.ignored))
    _print_skipped([f"{path}: {reason}" for path, reason in report.skipped])


def _print_pack_report(lst: Path | RemotePath, report: PackReport) -> None:
    if report.records:
        kept = ", complete already" if report.kept else ""
        for manifest in filter(None, (report.manifest, report.mask_manifest)):
            shown = f"{len(manifest.shards)} shards, {manifest.records} records, {manifest.bytes} bytes"
            write_lines(sys.stdout, [f"{manifest.path}: {shown}{kept}"])
        if report.manifest is None:
            write_lines(sys.stdout, [f"{report.rec}: {report.records} records, {report.bytes} bytes{kept}"])
        if report.mask_rec and report.manifest is None:
            size, _ = size_and_version(report.mask_rec)
            write_lines(sys.stdout, [f"{report.mask_rec}: {report.records} records, {size} bytes{kept}"])
    else:
        fail("im2rec", f"{lst}: no image to pack; nothing was written", FAILED)
    write_lines(sys.stderr, (f"warning: {lst}: {warning}" for warning in report.warnings))
    # The option instead of the keyword.
    reasons = [entry.reason.replace('on_damage="fill"', "--on-damage fill") for entry in report.skipped]
    lines = zip(report.skipped, reasons, strict=True)
    entries = [f"line {entry.line}: {entry.path or '?'}: {reason}" for entry, reason in lines]
    _print_skipped(entries, f", all in {report.report}")


def _print_skipped(skipped: Sequence[str], file_note: str = "") -> None:
    if skipped:
        hidden = len(skipped) - MAX_SKIPPED
        more = [f"... and {hidden} more"] if hidden > 0 else []
        write_lines(sys.stderr, [f"{len(skipped)} skipped{file_note}:"])
        write_lines(sys.stderr, (f"  {line}" for line in [*skipped[:MAX_SKIPPED], *more]))
