"""The commands: arguments in, a call of `recio.files` or `recio.recordio`, words out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recio import __version__, files as api
from recio.cli import _output as words
from recio.cli._errors import DAMAGED, FAILED, SOUND, Command, in_words
from recio.cli._progress import Bars
from recio.recordio import rec2idx

if TYPE_CHECKING:
    from collections.abc import Sequence

A_FILE = click.Path(path_type=Path)
file_argument = click.argument("file", type=A_FILE)
files_argument = click.argument("files", type=A_FILE, nargs=-1, required=True, metavar="FILE...")
out_option = click.option("-o", "--out", type=A_FILE, required=True, help="The file to write, whose name ends in .rec.")
json_option = click.option("--json", "as_json", is_flag=True, help="Say it as an object of JSON, on one line.")
checksum_option = click.option("--checksum", is_flag=True, help="Write a .rsum too: a checksum of each record.")


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="recio")
def recio() -> None:
    """Look after RecordIO files (.rec) and their indexes (.idx).

    Exit codes: 0 done, and sound; 1 damaged; 2 a file cannot be read or written, or the arguments are wrong; 130
    interrupted. What is written is there whole or not at all.
    """


@recio.command()
@files_argument
@click.option("--no-decode", is_flag=True, help="Do not decode the images: many times as fast.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads that decode. Default: the cores there are.")
@json_option
@click.pass_context
def verify(ctx: click.Context, files: Sequence[Path], no_decode: bool, threads: int | None, as_json: bool) -> None:
    """Tell whether record files are sound.

    Looks at framing, index, checksums, headers and images. The .idx and the .rsum beside a file are compared with
    it, if they are there. Exits with 0 if all files are sound, 1 if one is damaged, 2 if one cannot be read.
    """
    bars = Bars()
    ctx.exit(max(_verify(file, bars, decode=not no_decode, threads=threads, as_json=as_json) for file in files))


def _verify(file: Path, bars: Bars, *, decode: bool, threads: int | None, as_json: bool) -> int:
    """Look at one file, and say what there is to say; a file that cannot be read does not keep others from it."""
    try:
        with bars.bar(file.name, "B") as progress:
            found = api.verify(file, decode=decode, threads=threads, progress=progress)
    except OSError as error:
        click.echo(f"recio: {in_words(error)}", err=True)
        if as_json:
            click.echo(json.dumps({"path": str(file), "ok": None, "error": in_words(error)}))
        return FAILED
    if as_json:
        words.say_json(found, ok=found.ok)
    else:
        words.say(words.verified(found))
    return SOUND if found.ok else DAMAGED


@recio.command()
@file_argument
@out_option
@json_option
@click.pass_context
def repair(ctx: click.Context, file: Path, out: Path, as_json: bool) -> None:
    """Save what is whole of a damaged file.

    All whole records are copied into another file, byte for byte and in their order. Says which regions were
    skipped, with begin, end and reason. Exits with 1 if there was no record to save; then nothing is written.
    """
    with Bars().bar(file.name, "B") as progress:
        made = api.repair(file, out, progress=progress)
    if as_json:
        words.say_json(made)
    else:
        words.say(words.repaired(made))
    ctx.exit(SOUND if made.records or not made.skipped else DAMAGED)


@recio.command()
@file_argument
@click.option("-o", "--out", type=A_FILE, help="The index to write. Default: FILE with .idx.")
def index(file: Path, out: Path | None) -> None:
    """Write the index of a file anew.

    Its keys are the ids of the records if all differ, else their numbers, from 0.
    """
    idx = file.with_suffix(".idx") if out is None else out
    keys = rec2idx(file, idx)
    words.say([f"{words.name(idx)}: the keys are {'the ids of the records' if keys == 'ids' else 'numbers from 0'}"])


@recio.command()
@file_argument
@json_option
def info(file: Path, as_json: bool) -> None:
    """Say what is in a file.

    How many records there are, the range of their ids and labels, the formats and sizes of their images.
    """
    with Bars().bar(file.name, "B") as progress:
        found = api.info(file, progress=progress)
    if as_json:
        words.say_json(found)
    else:
        words.say(words.summary(found))


@recio.command()
@files_argument
@out_option
@checksum_option
def merge(files: Sequence[Path], out: Path, checksum: bool) -> None:
    """Put several files into one.

    The records of one file stand behind those of another, the same byte for byte. Records keep their keys unless
    two have the same; then all are numbered from 0.
    """
    with Bars().bar(out.name, "rec") as progress:
        made = api.merge(files, out, checksum=checksum, progress=progress)
    words.say([words.copied(made)])


@recio.command()
@file_argument
@click.option("-n", "--parts", type=click.IntRange(1), required=True, help="The number of files to write.")
@click.option("-o", "--out", "prefix", type=A_FILE, help="How their paths begin, before _0.rec. Default: as FILE's.")
@checksum_option
def split(file: Path, parts: int, prefix: Path | None, checksum: bool) -> None:
    """Divide a file into several.

    They differ by one record at most; merge puts them together again.
    """
    with Bars().bar(file.name, "rec") as progress:
        made = api.split(file, parts, prefix, checksum=checksum, progress=progress)
    words.say(map(words.copied, made))


@recio.command()
@file_argument
@out_option
@click.option("--seed", type=click.IntRange(0, (1 << 64) - 1), required=True, help="Decides of the order.")
@checksum_option
def shuffle(file: Path, out: Path, seed: int, checksum: bool) -> None:
    """Put a file into random order.

    The records keep their keys. For readers that shuffle little or not at all.
    """
    with Bars().bar(file.name, "rec") as progress:
        made = api.shuffle(file, out, seed=seed, checksum=checksum, progress=progress)
    words.say([words.copied(made)])
