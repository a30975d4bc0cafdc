"""The command ``recio``: its output and exit codes. The functions that it calls are tested in tests/files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from recio import RecordError, __version__
from recio.cli import main
from recio.cli._commands import COMMANDS
from recio.cli._format import MAX_PROBLEMS, format_counts, format_range
from recio.recordio import MXIndexedRecordIO
from tests.support.faces import write_face_set
from tests.support.processes import on_terminal
from tests.support.records import FIRST_ID, RecordFile, image_record, noise, png, write_images, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMAND = [sys.executable, "-m", "recio.cli"]
RECORDS = 12


@pytest.fixture
def sound(tmp_path: Path) -> RecordFile:
    """Write a file of twelve images."""
    return write_images(tmp_path, [png(noise(8, 8, seed=n)) for n in range(RECORDS)], "train")


@pytest.fixture
def damaged(sound: RecordFile) -> RecordFile:
    """Write an indexed file and overwrite the magic word of record 5."""
    with sound.rec.open("r+b") as file:
        file.seek(sound.offsets[5])
        file.write(bytes(4))
    return sound


class Result(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def run(*arguments: object) -> Result:
    """Run the command in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
        try:
            exit_code = main([str(argument) for argument in arguments])
        except SystemExit as error:
            exit_code = int(error.code or 0)
    return Result(exit_code, stdout.getvalue(), stderr.getvalue())


def assert_result(result: Result, exit_code: int, *texts: object) -> None:
    """Check the exit code of a command and that its output, on either stream, contains the texts."""
    assert result.exit_code == exit_code, result.output
    for text in texts:
        assert str(text) in result.output


def keys_and_records(rec: Path) -> dict[Any, bytes]:
    with MXIndexedRecordIO(rec.with_suffix(".idx"), rec, "r") as reader:
        return {key: reader.read_idx(key) for key in reader.keys}


class TestVerify:
    def test_sound_file_exits_with_0(self, sound: RecordFile) -> None:
        size = sound.rec.stat().st_size
        assert_result(run("verify", sound.rec), 0, f"{sound.rec}: sound; 12 records, {size} bytes, index, no checksums")

    def test_damaged_file_exits_with_1_and_reports_the_position(self, damaged: RecordFile) -> None:
        begin, end = damaged.offsets[5:7]
        assert_result(
            run("verify", damaged.rec), 1, f"{damaged.rec}: damaged, ", f"  framing: at byte {begin} to {end}: "
        )

    @pytest.mark.parametrize("no_decode", [[], ["--no-decode"]])
    def test_undecodable_image_is_damage_with_decode(self, tmp_path: Path, no_decode: list[str]) -> None:
        image = png(noise(32, 32))
        file = write_images(tmp_path, [image, image[:500] + bytes(200) + image[700:]])
        result = run("verify", *no_decode, file.rec)
        if no_decode:
            assert_result(result, 0, ": sound")
        else:
            assert_result(result, 1, f"  image: record 1 (id {FIRST_ID + 1}) at byte {file.offsets[1]}")

    def test_unreadable_file_exits_with_2_after_verifying_the_others(self, damaged: RecordFile, tmp_path: Path) -> None:
        missing = tmp_path / "none.rec"
        assert_result(
            run("verify", missing, damaged.rec), 2, f"recio: {missing}: No such file or directory", ": damaged"
        )

    def test_json_is_one_object_a_line_with_all_findings(self, damaged: RecordFile, tmp_path: Path) -> None:
        missing = tmp_path / "none.rec"
        result = run("verify", "--json", damaged.rec, missing)
        damaged_report, missing_report = map(json.loads, result.stdout.splitlines())
        assert (damaged_report["path"], damaged_report["ok"], damaged_report["records"]) == (
            str(damaged.rec),
            False,
            RECORDS - 1,
        )
        framing = [problem for problem in damaged_report["problems"] if problem["kind"] == "framing"]
        assert [(problem["offset"], problem["end"]) for problem in framing] == [tuple(damaged.offsets[5:7])]
        assert (missing_report["path"], missing_report["ok"]) == (str(missing), None)
        assert result.exit_code == 2

    def test_first_of_many_problems_are_shown_and_all_are_counted(self, tmp_path: Path) -> None:
        file = write_records(tmp_path, [image_record(b"no image", n) for n in range(MAX_PROBLEMS + 7)])
        result = run("verify", file.rec)
        assert_result(result, 1, f"damaged, {MAX_PROBLEMS + 7} problems", "  ... and 7 more")
        assert result.output.count("  image: ") == MAX_PROBLEMS

    def test_output_does_not_depend_on_threads(self, damaged: RecordFile) -> None:
        assert run("verify", "--threads", 1, damaged.rec).output == run("verify", "--threads", 3, damaged.rec).output


class TestRepair:
    def test_repair_keeps_complete_records_and_reports_skipped_regions(
        self, damaged: RecordFile, tmp_path: Path
    ) -> None:
        begin, end = damaged.offsets[5:7]
        out, size = tmp_path / "saved.rec", damaged.rec.stat().st_size
        result = run("repair", damaged.rec, "-o", out)
        assert_result(
            result, 0, f"{out}: 11 records, {size - (end - begin)} bytes", f"  bytes {begin} to {end} ({end - begin}): "
        )
        assert_result(result, 0, f"1 region skipped, {end - begin} of {size} bytes")
        assert len(keys_and_records(out)) == RECORDS - 1
        assert run("verify", out).exit_code == 0

    def test_json_regions_and_records_add_up_to_the_file(self, damaged: RecordFile, tmp_path: Path) -> None:
        size = damaged.rec.stat().st_size
        report = json.loads(run("repair", "--json", damaged.rec, "-o", tmp_path / "saved.rec").output)
        skipped = sum(region["end"] - region["begin"] for region in report["skipped"])
        assert (report["bytes"] + skipped, report["records"]) == (size, RECORDS - 1)
        assert all(region["reason"] for region in report["skipped"])

    def test_nothing_to_salvage_exits_with_1_and_writes_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "noise.rec").write_bytes(bytes(64))
        assert_result(run("repair", tmp_path / "noise.rec", "-o", tmp_path / "saved.rec"), 1, "64 of 64 bytes")
        assert [path.name for path in tmp_path.iterdir()] == ["noise.rec"]

    def test_input_is_not_overwritten(self, damaged: RecordFile) -> None:
        before = damaged.rec.read_bytes()
        assert_result(run("repair", damaged.rec, "-o", damaged.rec), 2, "recio: ")
        assert damaged.rec.read_bytes() == before


class TestIndex:
    def test_index_is_rebuilt(self, sound: RecordFile) -> None:
        before = keys_and_records(sound.rec)
        sound.idx.unlink()
        assert_result(run("index", sound.rec), 0, f"{sound.idx}: the keys are the ids of the records")
        assert keys_and_records(sound.rec) == {FIRST_ID + key: record for key, record in before.items()}

    def test_records_without_ids_are_numbered(self, tmp_path: Path) -> None:
        file = write_records(tmp_path, [b"one", b"two"])
        assert_result(run("index", file.rec, "-o", tmp_path / "new.idx"), 0, "new.idx: the keys are numbers from 0")
        assert (tmp_path / "new.idx").read_text() == file.idx.read_text()

    def test_index_of_images_leaves_the_complete_index_alone(self, tmp_path: Path) -> None:
        faces, out = write_face_set(tmp_path), tmp_path / "train.images.idx"
        before = (faces.root / "train.idx").read_bytes()
        assert_result(run("index", "--images-only", faces.root / "train.rec"), 0, f"{out}: the keys are the ids")
        assert [line.split()[0] for line in out.read_text().splitlines()] == list("123456")
        assert (faces.root / "train.idx").read_bytes() == before

    def test_index_of_a_damaged_file_is_not_written(self, damaged: RecordFile, tmp_path: Path) -> None:
        assert_result(run("index", damaged.rec, "-o", tmp_path / "new.idx"), 1, f"recio: {damaged.rec}: record ")
        assert not (tmp_path / "new.idx").exists()


class TestInfo:
    def test_info_lists_the_contents(self, sound: RecordFile) -> None:
        lines = run("info", sound.rec).output.splitlines()
        assert lines[0] == str(sound.rec)
        values = dict(line.strip().split(maxsplit=1) for line in lines[1:])
        assert values["records"] == "12"
        assert values["ids"] == f"{FIRST_ID} to {FIRST_ID + 11}, all different"
        assert values["labels"] == "0 to 11, 1 a record"
        assert (values["images"], values["widths"], values["heights"]) == ("png", "8 to 8", "8 to 8")

    def test_json_has_the_numbers(self, sound: RecordFile) -> None:
        report = json.loads(run("info", "--json", sound.rec).output)
        assert (report["records"], report["ids"], report["formats"]) == (
            RECORDS,
            [FIRST_ID, FIRST_ID + 11],
            {"png": RECORDS},
        )

    def test_non_finite_labels_are_strings_in_json(self, tmp_path: Path) -> None:
        file = write_records(tmp_path, [image_record(png(noise(2, 2)), 0, float("inf"))])
        assert json.loads(run("info", "--json", file.rec).output)["labels"] == ["inf", "inf"]

    def test_empty_values_are_printed_as_none(self) -> None:
        assert (format_range(None), format_counts({})) == ("none", "none")
        assert format_counts({"jpeg": 3, "png": 1}) == "jpeg (3), png (1)"


class TestCopies:
    def test_split_then_merge_gives_the_same_file(self, sound: RecordFile, tmp_path: Path) -> None:
        shard = tmp_path / "shard"
        assert_result(
            run("split", sound.rec, "-n", 5, "-o", shard), 0, f"{shard}_0.rec: 2 records", f"{shard}_4.rec: 3 records"
        )
        out = tmp_path / "all.rec"
        assert_result(run("merge", *(f"{shard}_{n}.rec" for n in range(5)), "-o", out), 0, f"{out}: 12 records, ")
        assert (out.read_bytes(), out.with_suffix(".idx").read_text()) == (
            sound.rec.read_bytes(),
            sound.idx.read_text(),
        )

    def test_repeated_keys_are_reported(self, sound: RecordFile, tmp_path: Path) -> None:
        assert_result(
            run("merge", sound.rec, sound.rec, "-o", tmp_path / "two.rec"), 0, "24 records", "new keys, from 0"
        )

    def test_shuffle_depends_on_the_seed_and_keeps_all_records(self, sound: RecordFile, tmp_path: Path) -> None:
        outs = [tmp_path / f"{name}.rec" for name in "abc"]
        for out, seed in zip(outs, (7, 7, 8), strict=True):
            assert_result(run("shuffle", sound.rec, "-o", out, "--seed", seed), 0, f"{out}: 12 records")
        assert outs[0].read_bytes() == outs[1].read_bytes() != outs[2].read_bytes()
        assert keys_and_records(outs[0]) == keys_and_records(sound.rec)

    @pytest.mark.parametrize("command", [["split", "-n", "2"], ["shuffle", "--seed", "1", "-o"], ["merge", "-o"]])
    def test_damage_is_not_copied(self, command: list[str], damaged: RecordFile, tmp_path: Path) -> None:
        before = sorted(path.name for path in tmp_path.iterdir())
        arguments = [*command, tmp_path / "out.rec"] if "-o" in command else command
        assert_result(run(*arguments, damaged.rec), 1, f"recio: {damaged.rec}: record ")
        assert sorted(path.name for path in tmp_path.iterdir()) == before

    def test_checksums_are_written_on_request(self, sound: RecordFile, tmp_path: Path) -> None:
        out = tmp_path / "a.rec"
        assert_result(run("shuffle", "--checksum", sound.rec, "-o", out, "--seed", 1), 0)
        assert_result(run("verify", out), 0, "index, checksums")


class TestArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["verify"],
            ["verify", "--threads", "0", "a.rec"],
            ["repair", "a.rec"],
            ["split", "a.rec", "-n", "0"],
            ["shuffle", "a.rec", "-o", "b.rec"],
            ["shuffle", "a.rec", "-o", "b.rec", "--seed", "-1"],
            ["merge", "-o", "b.rec"],
            ["unknown"],
            ["verify", "--unknown", "a.rec"],
        ],
        ids=" ".join,
    )
    def test_invalid_arguments_exit_with_2(self, arguments: list[str]) -> None:
        assert_result(run(*arguments), 2, "usage: recio")

    @pytest.mark.parametrize("command", ["repair", "index", "info", "merge", "split", "shuffle"])
    def test_missing_files_exit_with_2(self, command: str, tmp_path: Path) -> None:
        more = {"split": ["-n", "2"], "shuffle": ["--seed", "1"]}.get(command, [])
        out = [] if command in ("index", "info", "split") else ["-o", tmp_path / "out.rec"]
        missing = tmp_path / "none.rec"
        assert_result(run(command, missing, *more, *out), 2, f"recio: {missing}: No such file or directory")

    def test_every_command_has_help(self) -> None:
        for name, command in COMMANDS.items():
            assert_result(run(name, "--help"), 0, f"usage: recio {name}", command.summary)
        assert_result(run("--help"), 0, "130", *COMMANDS)

    def test_options_may_be_between_files(self, sound: RecordFile, tmp_path: Path) -> None:
        assert_result(run("merge", sound.rec, "-o", tmp_path / "two.rec", sound.rec), 0, "24 records")

    def test_version(self) -> None:
        assert_result(run("--version"), 0, __version__)


class TestProcess:
    """The command as a process: exit codes and streams."""

    @pytest.mark.parametrize(
        ("make", "code"),
        [(lambda file: file.rec, 0), (lambda file: damage(file).rec, 1), (lambda file: file.rec.with_name("none"), 2)],
        ids=["sound", "damaged", "missing"],
    )
    def test_exit_code_of_the_process(self, make: Callable[[RecordFile], Path], code: int, sound: RecordFile) -> None:
        done = subprocess.run([*COMMAND, "verify", str(make(sound))], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert (done.stdout == "") == (code == 2)
        assert (done.stderr == "") == (code != 2)

    def test_progress_bar_is_shown_on_a_terminal(self, sound: RecordFile) -> None:
        pytest.importorskip("tqdm")
        shown = on_terminal(*COMMAND, "verify", sound.rec)
        assert "train.rec: 100%" in shown
        assert "B/s" in shown

    def test_closed_output_pipe_is_no_error(self, sound: RecordFile) -> None:
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([*COMMAND, "info", str(sound.rec)], stdout=write, stderr=subprocess.PIPE, check=False)
        os.close(write)
        assert (done.returncode, done.stderr) == (1, b"")

    def test_interruption_leaves_no_files_and_exits_with_130(
        self, sound: RecordFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("recio.files.shuffle", interrupted)
        assert_result(run("shuffle", sound.rec, "-o", tmp_path / "a.rec", "--seed", 1), 130, "recio: interrupted")

    def test_undecodable_file_name_is_shown(self, sound: RecordFile) -> None:
        odd = os.fsencode(sound.rec.parent) + b"/\xff.rec"
        sound.rec.rename(os.fsdecode(odd))
        done = subprocess.run([*map(os.fsencode, COMMAND), b"info", odd], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def damage(file: RecordFile) -> RecordFile:
    with file.rec.open("r+b") as opened:
        opened.seek(file.offsets[5])
        opened.write(bytes(4))
    return file


def test_other_record_errors_exit_with_1(sound: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RecordError("a.rec: record 3 at byte 8: bad")

    monkeypatch.setattr("recio.files.info", refuse)
    assert_result(run("info", sound.rec), 1, "recio: a.rec: record 3 at byte 8: bad")


def test_verify_exits_with_3_if_images_could_not_be_checked(sound: RecordFile, damaged: RecordFile) -> None:
    limited = ("verify", "--max-side", "4")
    assert run(*limited, damaged.rec).exit_code == 1
    with sound.rec.open("r+b") as file:
        file.seek(sound.offsets[5])
        file.write(bytes.fromhex("0a23d7ce"))
    result = run(*limited, sound.rec)
    assert (result.exit_code, f"{RECORDS} images over a limit" in result.stdout) == (3, True)
    report = json.loads(run(*limited, "--json", sound.rec).stdout)
    assert (report["ok"], report["damaged"], report["counts"]) == (False, 0, {"limit": RECORDS})
