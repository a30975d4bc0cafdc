"""The command ``im2rec``: arguments in; messages, a summary and an exit code out.

What was done goes to standard output; what went wrong, and the progress bar, to standard error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from recio._util import available_cores
from recio.cli._progress import Bars
from recio.errors import RecordError
from recio.im2rec._lists import EXTENSIONS, ListReport, find_lists, make_list
from recio.im2rec._pack import PackReport, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OK, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
SHOWN = 10
"""How many of the things that were skipped the summary names."""

DESCRIPTION = """\
Make record files of images, in two steps: --list writes lists of the images in
a folder; without it, the lists of PREFIX are packed into .rec and .idx files."""

EPILOG = """\
examples:
  im2rec --list --recursive data photos/     photos/cat/1.jpg ... -> data.lst
  im2rec --resize 256 data photos/           data.lst -> data.rec, data.idx
  im2rec --pass-through data photos/         the files' bytes as they are
  im2rec --pass-through --seekable data photos/
                                             the same pixels, faster to crop
  im2rec --pass-through --masks masks/ data photos/
                                             photos/1.jpg, masks/1.png ... -> also
                                             data_mask.rec, data_mask.idx
  im2rec --checksum --resume data photos/    what a killed run has not finished
  im2rec --list --recursive --train-ratio 0.8 --test-ratio 0.1 data photos/
                                             data_train.lst, _val, _test

a list has a line an image, its fields separated by tabs:
  index, label (one or more), path relative to ROOT

exit codes:
  0  all is done
  1  something was skipped (not with --skip-bad), nothing was found, or a file
     cannot be read or written
  2  the arguments are wrong
  130  interrupted; no half-written file is left

a run that is killed leaves no half-written .rec, .idx or .rsum either, at most
hidden files (.data.rec.*.tmp), which the next run for the same list removes"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name. Default: those of the process.

    Returns
    -------
    int
        The exit code: 0 all done, 1 skipped something or failed, 2 wrong arguments, 130
        interrupted.
    """
    arguments = _parse(argv)
    try:
        return _list(arguments) if arguments.list else _pack(arguments)
    except KeyboardInterrupt:
        return _fail("interrupted; no half-written file is left", INTERRUPTED)
    except (RecordError, OSError) as error:
        return _fail(str(error), FAILED)
    except ValueError as error:
        return _fail(str(error), MISUSED)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="im2rec",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "prefix",
        metavar="PREFIX",
        type=Path,
        help="path and beginning of the names of .lst, .rec and .idx",
    )
    parser.add_argument("root", metavar="ROOT", type=Path, help="the folder of the images")
    parser.add_argument("--skip-bad", action="store_true", help="exit with 0 even if something was skipped")
    _add_list_options(parser.add_argument_group("making lists"))
    _add_pack_options(parser.add_argument_group("packing"))
    arguments = parser.parse_args(argv)
    if not arguments.root.is_dir():
        parser.error(f"ROOT: {arguments.root}: no such folder")
    if arguments.masks and not arguments.masks.is_dir():
        parser.error(f"--masks: {arguments.masks}: no such folder")
    if not arguments.prefix.absolute().parent.is_dir():
        parser.error(f"PREFIX: {arguments.prefix.parent}: no such folder")
    return arguments


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
        help="take the folders in ROOT too, each with a label of its own: 0, 1, 2 ...",
    )
    add("--no-shuffle", dest="shuffle", action="store_false", help="keep the order of the names")
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
        help="fraction for PREFIX_test.lst (default: 0); what the two leave over goes to "
        "PREFIX_val.lst, or, if they add to 1, to PREFIX_train.lst",
    )


def _add_pack_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--pass-through",
        action="store_true",
        help="pack the files' bytes as they are; the next five do not matter",
    )
    add(
        "--resize",
        type=int,
        default=0,
        metavar="N",
        help="make the shorter side N pixels long (default: 0, as it is)",
    )
    add("--center-crop", action="store_true", help="cut out the middle square, before resizing")
    add(
        "--quality",
        type=int,
        default=95,
        metavar="Q",
        help="JPEG quality, 1-100, or PNG level, 1-9 (default: 95)",
    )
    add(
        "--color",
        type=int,
        default=1,
        choices=[-1, 0, 1],
        help="1: colour, 0: grey, -1: as stored, with alpha and 16 bits if the encoding can (default: 1)",
    )
    add(
        "--encoding",
        default=".jpg",
        choices=[".jpg", ".png"],
        help="format of the packed images (default: .jpg)",
    )
    add(
        "--seekable",
        action="store_true",
        help="write JPEGs anew, with the same pixels and such that crops of them are decoded faster, unless they "
        "become larger (progressive ones may by a tenth); with --pass-through too",
    )
    add("--pack-label", action="store_true", help="pack all labels of a line, not only the first")
    add(
        "--checksum",
        action="store_true",
        help="write PREFIX.rsum too: a checksum of each record, by which recio finds any damage",
    )
    add(
        "--resume",
        action="store_true",
        help="leave as they are the files of lists that an earlier run, with the same options, has packed: that are "
        "younger than the list, complete, and hold what it lists",
    )
    add(
        "--num-thread",
        type=int,
        default=available_cores(),
        metavar="N",
        help="threads (default: the cores, %(default)s here)",
    )
    add(
        "--allow-outside",
        action="store_true",
        help="pack what lies outside ROOT, by '..', absolute paths or links",
    )
    add(
        "--masks",
        type=Path,
        metavar="FOLDER",
        help="pack the images' masks too, as they are, into PREFIX_mask.rec and .idx with the same ids: for each image "
        "a PNG of class numbers in FOLDER, at the image's path but for the suffix; not with --resize, --center-crop",
    )
    add(
        "--mask-ext",
        default=".png",
        metavar="EXT",
        help="what a mask's name has in place of the image's suffix (default: .png)",
    )


def _list(arguments: argparse.Namespace) -> int:
    listed = make_list(
        arguments.prefix,
        arguments.root,
        exts=arguments.exts,
        recursive=arguments.recursive,
        shuffle=arguments.shuffle,
        chunks=arguments.chunks,
        train_ratio=arguments.train_ratio,
        test_ratio=arguments.test_ratio,
    )
    _say_listed(listed, labels=arguments.recursive)
    return FAILED if listed.skipped and not arguments.skip_bad else OK


def _pack(arguments: argparse.Namespace) -> int:
    lists = find_lists(arguments.prefix)
    if not lists:
        return _fail(f"no list found: {arguments.prefix}.lst; --list makes one", FAILED)
    bars = Bars()
    complete = [_pack_one(lst, arguments, bars) for lst in lists]
    return OK if all(complete) else FAILED


def _pack_one(lst: Path, arguments: argparse.Namespace, bars: Bars) -> bool:
    """Pack a list and say so; give whether that is a success."""
    with bars.bar(lst.name, "img") as progress:
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
            pack_label=arguments.pack_label,
            checksum=arguments.checksum,
            resume=arguments.resume,
            num_thread=arguments.num_thread,
            allow_outside=arguments.allow_outside,
            masks=arguments.masks,
            mask_ext=arguments.mask_ext,
            progress=progress,
        )
    _say_packed(lst, packed)
    return packed.records > 0 and (arguments.skip_bad or not packed.skipped)


def _say_listed(listed: ListReport, *, labels: bool) -> None:
    if labels:
        _write(sys.stdout, (f"{folder} {label}" for folder, label in listed.labels.items()))
    _write(sys.stdout, (f"{path}: {images} images" for path, images in listed.lists.items()))
    _complain_of([f"{path}: {reason}" for path, reason in listed.skipped])


def _say_packed(lst: Path, packed: PackReport) -> None:
    if packed.records:
        kept = ", complete already" if packed.kept else ""
        _write(sys.stdout, [f"{packed.rec}: {packed.records} records, {packed.bytes} bytes{kept}"])
        if packed.mask_rec:
            size = packed.mask_rec.stat().st_size
            _write(sys.stdout, [f"{packed.mask_rec}: {packed.records} records, {size} bytes{kept}"])
    else:
        _fail(f"{lst}: no image to pack; nothing was written", FAILED)
    entries = [f"line {entry.line}: {entry.path or '?'}: {entry.reason}" for entry in packed.skipped]
    _complain_of(entries, f", all in {packed.report}")


def _complain_of(skipped: Sequence[str], where: str = "") -> None:
    if skipped:
        left = len(skipped) - SHOWN
        more = [f"... and {left} more"] if left > 0 else []
        _write(sys.stderr, [f"{len(skipped)} skipped{where}:"])
        _write(sys.stderr, (f"  {line}" for line in [*skipped[:SHOWN], *more]))


def _fail(message: str, code: int) -> int:
    _write(sys.stderr, [f"im2rec: {message}"])
    return code


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    """Write lines; what the stream's encoding lacks, such as a name that is no text, is escaped."""
    encoding = stream.encoding or "utf-8"
    escaped = (line.encode(encoding, "backslashreplace").decode(encoding) for line in lines)
    stream.writelines(f"{line}\n" for line in escaped)
