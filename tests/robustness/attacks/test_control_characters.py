"""Row R42: names and contents of files with characters that a terminal or the reader of a log would act on."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio._util import json_line, printable
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.cli.test_cli import run
from tests.support.records import write_tiny

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "a\x1b[31m\x07\u202e\x9b2J\n\x7f"
ESCAPED = r"a\x1b[31m\x07\u202e\x9b2J\n\x7f"


def test_control_characters_are_escaped_and_other_text_is_the_same() -> None:
    assert printable(EVIL) == ESCAPED
    assert printable(printable(EVIL)) == ESCAPED
    assert printable("b\udcff") == r"b\udcff"
    assert printable("猫 ñ\\x.jpg") == "猫 ñ\\x.jpg"


def test_line_of_a_log_is_printable_and_keeps_its_values() -> None:
    line = json_line({"path": EVIL, "id": 3, "name": "猫\udcff"})
    assert line.isprintable()
    assert "猫" in line
    assert json.loads(line) == {"path": EVIL, "id": 3, "name": "猫\udcff"}


def test_errors_and_logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write_tiny(tmp_path, 3, EVIL)
    with file.rec.open("r+b") as rec:
        rec.seek(file.offsets[1])
        rec.write(b"\x1b[2J")
    log = tmp_path / "log.jsonl"
    for action in (
        lambda: list(MXRecordIO(file.rec, "r")),
        lambda: MXIndexedRecordIO(tmp_path / f"none{EVIL}", file.rec, "r"),
        lambda: MXRecordIO(tmp_path / f"none{EVIL}", "r"),
    ):
        with pytest.raises((RecordError, OSError)) as caught:
            action()
        assert str(caught.value).isprintable()
    with caplog.at_level(logging.WARNING):
        batches = ImageRecordIter(
            path_imgrec=[file.rec], data_shape=(3, 8, 8), batch_size=1, on_error="skip", error_log=log
        )
        list(batches)
    assert all(record.getMessage().isprintable() for record in caplog.records)
    (line,) = log.read_text().splitlines()
    assert line.isprintable()
    assert json.loads(line)["path"] == str(file.rec)


def test_index_with_escapes(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 1)
    file.idx.write_text("\x1b[31m\t0\n")
    for key_type in (int, float):
        with pytest.raises(RecordError) as caught:
            MXIndexedRecordIO(file.idx, file.rec, "r", key_type)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("command", ["verify", "info", "index"])
def test_output_of_the_command(command: str, tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 2, EVIL)
    result = run(command, file.rec)
    assert result.exit_code == 0
    assert all(line.isprintable() for line in result.output.split("\n"))
    assert ESCAPED in result.output
    missing = run(command, tmp_path / f"none{EVIL}.rec")
    assert missing.exit_code == 2
    assert all(line.isprintable() for line in missing.output.split("\n"))
