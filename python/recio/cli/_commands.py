"""The subcommands of ``recio``: arguments, a call of `recio.files` or `recio.recordio`, output."""

from __future__ import annotations

import json
import sys
from argparse import SUPPRESS
from typing import TYPE_CHECKING, NamedTuple

import recio
from recio import _recio
from recio._manifest import is_manifest
from recio.cli import _convert, _format
from recio.cli._base import (
    MISUSED,
    CommandParser,
    add_limits,
    add_storage_options,
    describe_error,
    fail,
    integer_from,
    limits_of,
    run_command,
    storage_of,
    write_lines,
)
from recio.cli._progress import ProgressBars
from recio.errors import RecordError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from recio._recio import RemotePath
    from recio.files import Shard, VerifyReport

SOUND, DAMAGED, FAILED, UNCHECKED = 0, 1, 2, 3
EXIT_CODES = {RecordError: DAMAGED, OSError: FAILED, ValueError: FAILED}

DESCRIPTION = "Check, repair, index, merge, split, shuffle and convert RecordIO files (.rec)."

EPILOG = """\
commands:
{commands}

'recio COMMAND --help' explains a command.

exit codes:
  0    done; the files are sound
  1    a file is damaged, or has no record
  2    a file cannot be read or written, or the arguments are wrong
  3    no file is damaged, but images are not supported or over a limit (verify)
  130  interrupted

Output files are complete or not written at all."""


class Command(NamedTuple):
    """Subcommand of ``recio``.

    Attributes
    ----------
    run : callable
        Takes the parsed arguments, and returns an exit code.
    add_arguments : callable
        Adds the arguments to the subcommand's parser.
    summary, details : str
        The sentence in the list of commands, and what follows it in the command's help.
    """

    run: Callable[[Namespace], int]
    add_arguments: Callable[[CommandParser], None]
    summary: str
    details: str

    def parse(self, name: str, arguments: Sequence[str]) -> Namespace:
        """Parse the arguments after the command's name."""
        parser = CommandParser(
            prog=f"recio {name}", description=f"{self.summary}\n\n{self.details}", allow_abbrev=False
        )
        self.add_arguments(parser)
        add_storage_options(parser)
        # Options may be between files.
        parsed = parser.parse_intermixed_args(arguments)
        try:
            _locate_paths(parsed)
        except ValueError as error:
            parser.error(str(error))
        return parsed


def _locate_paths(arguments: Namespace) -> None:
    """Replace paths as they were passed by those that are opened."""
    opened_with = storage_of(arguments)
    for name in ("file", "out"):
        if getattr(arguments, name, None) is not None:
            setattr(arguments, name, opened_with.path(getattr(arguments, name)))
    if hasattr(arguments, "files"):
        arguments.files = [opened_with.path(file) for file in arguments.files]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``recio``.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name. Default: those of the process.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    SystemExit
        With code 0 after ``--help`` and ``--version``, with 2 if the arguments are wrong.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = _parser()
    if not argv:
        parser.print_help(sys.stderr)
        return MISUSED
    name = parser.parse_args(argv[:1]).command
    command = COMMANDS[name]
    arguments = command.parse(name, argv[1:])
    return run_command("recio", lambda: command.run(arguments), EXIT_CODES, describe_error)


def _parser() -> CommandParser:
    """Make the parser of the first argument: an option, or the name of a subcommand."""
    commands = "\n".join(f"  {name:9}{command.summary}" for name, command in COMMANDS.items())
    parser = CommandParser(
        prog="recio",
        usage="recio [-h] [--version] COMMAND ...",
        description=DESCRIPTION,
        epilog=EPILOG.format(commands=commands),
        allow_abbrev=False,
    )
    version = f"%(prog)s, version {recio.__version__}"
    parser.add_argument("--version", action="version", version=version, help="show the version and exit")
    parser.add_argument("command", metavar="COMMAND", choices=COMMANDS, help=SUPPRESS)
    return parser


def _add_file(parser: CommandParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the record file")


def _add_files(parser: CommandParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="the record files")


def _add_out(parser: CommandParser) -> None:
    parser.add_argument("-o", "--out", metavar="PATH", required=True, help="the file to write, named *.rec (required)")


def _add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print an object of JSON, on one line")


def _add_checksum(parser: CommandParser) -> None:
    parser.add_argument("--checksum", action="store_true", help="write a .rsum too: a checksum of each record")


def _print(lines: Iterable[str]) -> None:
    write_lines(sys.stdout, lines)


def _verify_arguments(parser: CommandParser) -> None:
    _add_files(parser)
    parser.add_argument("--no-decode", action="store_true", help="do not decode the images: many times as fast")
    parser.add_argument(
        "--threads", metavar="N", type=integer_from(1, 1024), help="decoding threads, 1 to 1024 (default: all cores)"
    )
    add_limits(parser.add_argument)
    _add_json(parser)


def _verify(arguments: Namespace) -> int:
    bars = ProgressBars()
    codes = {code for file in arguments.files for code in _verify_path(file, bars, arguments)}
    return next(code for code in (FAILED, DAMAGED, UNCHECKED, SOUND) if code in codes)


def _verify_path(path: Path | RemotePath, bars: ProgressBars, arguments: Namespace) -> Iterator[int]:
    """Verify a file, or the shards of a manifest, and yield the exit code for each."""
    if not is_manifest(path):
        yield _verify_file(path, None, bars, arguments)
        return
    for shard in recio.files.read_manifest(path).shards:
        yield _verify_file(shard.rec, shard, bars, arguments)


def _verify_file(file: Path | RemotePath, shard: Shard | None, bars: ProgressBars, arguments: Namespace) -> int:
    """Verify one file; report one that cannot be read, so that the others are verified all the same."""
    try:
        with bars.bar(file.name, "B") as progress:
            report = recio.files.verify(
                file,
                decode=not arguments.no_decode,
                threads=arguments.threads,
                limits=limits_of(arguments),
                progress=progress,
            )
        differences = [*_differences(shard, report)] if shard else []
    except OSError as error:
        reason = describe_error(error)
        if arguments.json:
            _print([json.dumps({"path": str(file), "ok": None, "error": reason})])
        return fail("recio", reason, FAILED)
    more = {"ok": report.ok and not differences, "total": report.total, "damaged": report.damaged}
    if arguments.json:
        _print([_format.to_json(report, **more, **({"manifest": differences} if shard else {}))])
    else:
        _print([*_format.verify_lines(report), *(f"  manifest: {difference}" for difference in differences)])
    if report.damaged or differences:
        return DAMAGED
    return SOUND if report.ok else UNCHECKED


def _differences(shard: Shard, report: VerifyReport) -> Iterator[str]:
    """Yield what differs between a shard and what its manifest states."""
    if report.bytes != shard.bytes:
        yield f"it states {shard.bytes} bytes, the file has {report.bytes}"
    elif shard.crc32c is not None and (crc := _recio.crc32c(shard.rec)) != shard.crc32c:
        yield f"it states the CRC32C {shard.crc32c:08x}, the file has {crc:08x}"
    if report.records != shard.records:
        yield f"it states {shard.records} records, the file has {report.records}"
    if not report.has_index:
        yield "a shard must have an index, which is missing"
    elif report.unlisted:
        yield f"a shard must have an index of all records, which lacks {report.unlisted}"
    if shard.has_checksums and not report.has_checksums:
        yield "it states a .rsum, which is missing"


def _repair_arguments(parser: CommandParser) -> None:
    _add_file(parser)
    _add_out(parser)
    _add_json(parser)


def _repair(arguments: Namespace) -> int:
    with ProgressBars().bar(arguments.file.name, "B") as progress:
        report = recio.files.repair(arguments.file, arguments.out, progress=progress)
    _print([_format.to_json(report)] if arguments.json else _format.repair_lines(report))
    return SOUND if report.records or not report.skipped else DAMAGED


def _index_arguments(parser: CommandParser) -> None:
    _add_file(parser)
    parser.add_argument(
        "-o",
        "--out",
        metavar="PATH",
        help="the index to write (default: FILE with .idx or, with --images-only, .images.idx)",
    )
    parser.add_argument("--images-only", action="store_true", help="list only the records with an image")


def _index(arguments: Namespace) -> int:
    suffix = ".images.idx" if arguments.images_only else ".idx"
    idx = arguments.out or arguments.file.with_suffix(suffix)
    keys = recio.recordio.rec2idx(arguments.file, idx, images_only=arguments.images_only)
    _print([f"{idx}: the keys are {'the ids of the records' if keys == 'ids' else 'numbers from 0'}"])
    return SOUND


def _info_arguments(parser: CommandParser) -> None:
    _add_file(parser)
    _add_json(parser)


def _info(arguments: Namespace) -> int:
    if is_manifest(arguments.file):
        manifest = recio.files.read_manifest(arguments.file)
        more = {"records": manifest.records, "bytes": manifest.bytes}
        _print([_format.to_json(manifest, **more)] if arguments.json else _format.manifest_lines(manifest))
        return SOUND
    with ProgressBars().bar(arguments.file.name, "B") as progress:
        info = recio.files.info(arguments.file, progress=progress)
    _print([_format.to_json(info)] if arguments.json else _format.info_lines(info))
    return SOUND if info.records else DAMAGED


def _merge_arguments(parser: CommandParser) -> None:
    _add_files(parser)
    _add_out(parser)
    _add_checksum(parser)


def _merge(arguments: Namespace) -> int:
    with ProgressBars().bar(arguments.out.name, "rec") as progress:
        report = recio.files.merge(arguments.files, arguments.out, checksum=arguments.checksum, progress=progress)
    _print([_format.copy_line(report)])
    return SOUND


def _split_arguments(parser: CommandParser) -> None:
    _add_file(parser)
    parser.add_argument(
        "-n", "--parts", metavar="N", type=integer_from(1), required=True, help="number of files to write (required)"
    )
    parser.add_argument("-o", "--out", metavar="PREFIX", help="their paths up to _0.rec, _1.rec ... (default: FILE's)")
    _add_checksum(parser)


def _split(arguments: Namespace) -> int:
    with ProgressBars().bar(arguments.file.name, "rec") as progress:
        reports = recio.files.split(
            arguments.file, arguments.parts, arguments.out, checksum=arguments.checksum, progress=progress
        )
    _print(map(_format.copy_line, reports))
    return SOUND


def _shuffle_arguments(parser: CommandParser) -> None:
    _add_file(parser)
    _add_out(parser)
    parser.add_argument(
        "--seed",
        metavar="N",
        type=integer_from(0, (1 << 64) - 1),
        required=True,
        help="seed of the order, 0 to 2^64-1 (required)",
    )
    _add_checksum(parser)


def _shuffle(arguments: Namespace) -> int:
    with ProgressBars().bar(arguments.file.name, "rec") as progress:
        report = recio.files.shuffle(
            arguments.file, arguments.out, seed=arguments.seed, checksum=arguments.checksum, progress=progress
        )
    _print([_format.copy_line(report)])
    return SOUND


COMMANDS = {
    "convert": Command(_convert.run, _convert.add_arguments, _convert.SUMMARY, _convert.DETAILS),
    "index": Command(
        _index,
        _index_arguments,
        "Rebuild the index of a record file.",
        "The keys are the ids of the records if all differ, else their numbers, from 0.\n"
        "With --images-only, records without an image are not listed, such as the header\n"
        "record and the identity records of a face data set.",
    ),
    "info": Command(
        _info,
        _info_arguments,
        "Summarize a record file, or a manifest.",
        "Prints the number of records, the ranges of their ids and labels, and the formats and\nsizes of their images. "
        "Exits with 1 if there is no record.",
    ),
    "merge": Command(
        _merge,
        _merge_arguments,
        "Merge record files into one.",
        "The records of the files follow one another, the same byte for byte. They keep\n"
        "their keys unless two have the same; then all are numbered from 0. Face data sets\n"
        "become one face data set, whose identities are those of the files in turn.",
    ),
    "repair": Command(
        _repair,
        _repair_arguments,
        "Copy the undamaged records of a damaged file.",
        "All complete records are copied to another file, byte for byte and in their\n"
        "order. Prints the skipped regions with begin, end and reason. Exits with 1 if\n"
        "there was no record to copy; then nothing is written.",
    ),
    "shuffle": Command(
        _shuffle,
        _shuffle_arguments,
        "Copy the records of a file in random order.",
        "The records keep their keys. For readers that shuffle little or not at all.",
    ),
    "split": Command(
        _split,
        _split_arguments,
        "Split a record file into several.",
        "Their numbers of records differ by one at most; merge puts them together again.\n"
        "The files of a face data set are face data sets.",
    ),
    "verify": Command(
        _verify,
        _verify_arguments,
        "Check record files for damage.",
        "Checks framing, index, checksums, headers and images. The .idx and the .rsum\n"
        "beside a file are compared with it, if they exist. Exits with 0 if all files\n"
        "are sound, 1 if one is damaged, 2 if one cannot be read; 3 if none is damaged, but\n"
        "images are not supported or over a limit, and so were not checked. Of a manifest\n"
        "(.recset.json), all shards are checked and compared with it.",
    ),
}
