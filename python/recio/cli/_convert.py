"""The subcommand ``recio convert``.

`recio.convert` is imported when the subcommand runs: it uses `recio.im2rec`, which uses this package.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from recio.cli import _format
from recio.cli._base import MISUSED, CommandParser, byte_size, fail, integer_from, write_lines
from recio.cli._progress import ProgressBars

if TYPE_CHECKING:
    from argparse import Namespace

    from recio.convert import ConvertReport

SUMMARY = "Convert between record files, folders, tar, TFRecord and Parquet."
DETAILS = """\
The formats are those of the names: NAME.rec, .tar (WebDataset), .tfrecord and
.parquet (Hugging Face), or a folder of images. The bytes of images are copied, and
the way back to a record file restores each byte of it. SRC may be several files, a
pattern, or a folder of such files. With --shards or --shard-size, DST is a folder."""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of the subcommand."""
    from recio.convert._formats import FORMATS  # noqa: PLC0415 see above

    add = parser.add_argument
    add("files", metavar="SRC", nargs="+", help="the files, or the folder, to read")
    add("out", metavar="DST", help="the file or folder to write")
    add("--from", dest="src_format", choices=FORMATS, help="the format of SRC, if its name does not state it")
    add("--to", dest="dst_format", choices=FORMATS, help="the format of DST, if its name does not state it")
    shards = parser.add_mutually_exclusive_group()
    shards.add_argument("--shards", metavar="N", type=integer_from(1), help="number of files to write into DST")
    shards.add_argument(
        "--shard-size", metavar="SIZE", type=byte_size, help="size of each file in DST, about, such as 500MB or 1GB"
    )
    add("--classes", metavar="FILE", help="names of the labels 0, 1, 2 ..., one a line")
    add("--image-column", metavar="NAME", help="column, feature or suffix of the image")
    add("--label-column", metavar="NAME", help="column, feature or suffix of the label")
    add("--root", metavar="DIR", help="folder of images that a Parquet file only names")
    add("--renumber", action="store_true", help="number the records from 0, whatever the names of the images")
    add("--checksum", action="store_true", help="write a .rsum for each record file too: a checksum of each record")
    add("--json", action="store_true", help="print an object of JSON, on one line")


def run(arguments: Namespace) -> int:
    """Run the subcommand, and return the exit code."""
    from recio.convert import convert  # noqa: PLC0415 see above

    names = ("src_format", "dst_format", "shards", "shard_size", "classes", "image_column", "label_column", "root")
    options = {name: getattr(arguments, name) for name in (*names, "renumber", "checksum")}
    with ProgressBars().bar(arguments.out.name, "img") as progress, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            report = convert(arguments.files, arguments.out, **options, progress=progress)
        except ModuleNotFoundError as error:
            return fail("recio", str(error), MISUSED)
    for warning in caught:
        fail("recio", str(warning.message), 0)
    write_lines(sys.stdout, [_format.to_json(report) if arguments.json else line(report)])
    return 0


def line(report: ConvertReport) -> str:
    """Format what was written."""
    count = len(report.files)
    shards = f" in {count} files" if count > 1 else ""
    classes = "" if report.classes is None else f", {report.classes} names of classes"
    keys = "; its records have new keys, from 0" if report.renumbered else ""
    images = "1 image" if report.records == 1 else f"{report.records} images"
    return f"{report.path}: {images}, {report.bytes} bytes{shards}{classes}{keys}"
