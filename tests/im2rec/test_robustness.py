"""``im2rec`` in odd circumstances: signals, closed streams, names that no terminal or parser expects, large images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from recio import Limits
from recio.im2rec import pack
from tests.support.commands import run_im2rec
from tests.support.faults import compile_shim
from tests.support.records import DATA

if TYPE_CHECKING:
    from pathlib import Path

PHOTOS = DATA / "photos"
IM2REC = [sys.executable, "-m", "recio.im2rec"]


def write_list(path: Path, *images: str) -> Path:
    path.write_text("".join(f"{n}\t{n}\t{image}\n" for n, image in enumerate(images)))
    return path


@pytest.mark.parametrize("options", [["--pass-through"], ["--resize", "32"]])
def test_signals_do_not_change_what_is_packed(options: list[str], tmp_path: Path) -> None:
    """Row R54: system calls that a signal interrupts are repeated."""
    write_list(tmp_path / "a.lst", *(f"cat/{n:02}.jpg" for n in range(6)))
    command = [*IM2REC, *options, "--num-thread", "2", str(tmp_path / "a"), str(PHOTOS)]
    subprocess.run(command, check=True)
    expected = [(tmp_path / name).read_bytes() for name in ("a.rec", "a.idx")]
    preloaded = {**os.environ, "LD_PRELOAD": str(compile_shim(tmp_path, "signals"))}
    done = subprocess.run(command, env=preloaded, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(tmp_path / name).read_bytes() for name in ("a.rec", "a.idx")] == expected


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["--list --recursive", "--pass-through", "--nonsense"])
def test_closed_streams_are_no_error(arguments: str, redirection: str, tmp_path: Path) -> None:
    write_list(tmp_path / "a.lst", "cat/00.jpg", "cat/01.jpg")
    command = f'"{sys.executable}" -m recio.im2rec {arguments} "{tmp_path}/a" "{PHOTOS}" {redirection}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == (2 if "nonsense" in arguments else 0)
    assert "Traceback" not in done.stderr
    if arguments == "--pass-through":
        assert pack(tmp_path / "a.lst", PHOTOS, pass_through=True, resume=True).kept


ODD_NAMES = ["\u2028", "a\u2029b", "\x85", "\x9b31m", "\x1b[31m", "\u202egpj", "\x7f", "😀"]


class TestOddNames:
    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_report_has_no_control_characters_and_is_resumed(self, name: str, tmp_path: Path) -> None:
        lst = write_list(tmp_path / "a.lst", f"x{name}.jpg", "cat/00.jpg")
        report = pack(lst, PHOTOS, pass_through=True).report
        text = report.read_text(encoding="utf-8")
        assert text.count("\n") == 1
        assert text.removesuffix("\n").isprintable()
        assert json.loads(text)["path"] == f"x{name}.jpg"
        assert pack(lst, PHOTOS, pass_through=True, resume=True).kept

    def test_output_has_no_control_characters(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        root = tmp_path / "root"
        for name in ODD_NAMES:
            (root / f"c{name}").mkdir(parents=True)
            (root / f"c{name}" / f"x{name}.jpg").touch()
        assert run_im2rec("--list", "--recursive", tmp_path / "a", root) in {0, 1}
        write_list(tmp_path / "b.lst", *(f"no/x{name}.jpg" for name in ODD_NAMES))
        assert run_im2rec("--pass-through", tmp_path / "b", root) == 1
        assert run_im2rec(tmp_path / "none\x1b[31m", root) == 1
        captured = capsys.readouterr()
        shown = (captured.out + captured.err).splitlines()
        assert [line for line in shown if not line.isprintable()] == []
        assert any("x1b[31m" in line for line in shown)


class TestLimits:
    def test_options_admit_images_over_the_limits(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        root = tmp_path / "root"
        root.mkdir()
        Image.new("L", (20_000, 3)).save(root / "wide.png")
        write_list(tmp_path / "a.lst", "wide.png")
        assert run_im2rec("--encoding", ".png", tmp_path / "a", root) == 1
        assert (
            "20000x3 pixels; the limit is 16384 a side: limits=Limits(side=...) or --max-side"
            in capsys.readouterr().err
        )
        assert run_im2rec("--encoding", ".png", "--max-side", 20_000, tmp_path / "a", root) == 0
        assert pack(tmp_path / "a.lst", root, limits=Limits(side=20_000)).skipped == []

    @pytest.mark.parametrize(
        ("option", "limits", "name"),
        [
            (["--max-pixels", "59999"], Limits(pixels=59_999), "pixels"),
            (["--max-bytes", "1000"], Limits(bytes=1000), "bytes"),
            (["--max-side", "100"], Limits(side=100), "side"),
        ],
    )
    def test_options_refuse_images(self, option: list[str], limits: Limits, name: str, tmp_path: Path) -> None:
        lst = write_list(tmp_path / "a.lst", "cat/00.jpg")
        assert run_im2rec(*option, tmp_path / "a", PHOTOS) == 1
        (skipped,) = pack(lst, PHOTOS, limits=limits).skipped
        assert f"limits=Limits({name}=...) or --max-{name} raises it" in skipped.reason

    def test_invalid_limit_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_list(tmp_path / "a.lst", "cat/00.jpg")
        assert run_im2rec("--max-side", 0, tmp_path / "a", PHOTOS) == 2
        assert "side must be an integer from 1" in capsys.readouterr().err
