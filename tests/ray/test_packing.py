"""Packing images into shards by tasks of Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import recio
import recio.im2rec
import recio.ray
from tests.ray.clusters import contents, names
from tests.support.records import PHOTOS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.servers.moto import Moto

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("two_cores")]

FOLDER = PHOTOS[0].parents[1]


def write_list(path: Path, lines: Sequence[str]) -> Path:
    """Write a list."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def lines_of_photos() -> list[str]:
    """Return the lines of a list of the photographs."""
    return [f"{number}\t{number}.0\t{photo.relative_to(FOLDER)}" for number, photo in enumerate(PHOTOS)]


def test_a_folder_is_packed(tmp_path: Path) -> None:
    packed = recio.ray.pack(FOLDER, tmp_path / "pets", shards=4, recursive=True, pass_through=True)
    shards = [f"pets_{number:05}{end}" for number in range(4) for end in (".idx", ".rec")]
    assert names(tmp_path) == ["pets.classes.txt", "pets.lst", "pets.recset.json", *shards]
    assert packed.manifest == recio.files.read_manifest(tmp_path / "pets.recset.json")
    assert [shard.records for shard in packed.manifest.shards] == [7, 8, 7, 8]
    assert packed.manifest.classes == (tmp_path / "pets.classes.txt").read_text().split()


@pytest.mark.parametrize("settings", [{"pass_through": True}, {"resize": 64, "checksum": True}])
@pytest.mark.parametrize("shards", [1, 3, 7])
def test_files_are_those_of_im2rec(shards: int, settings: dict[str, Any], tmp_path: Path) -> None:
    lines = lines_of_photos()
    # An index counts if its line is valid, whether the image can be packed or not.
    lines[20:20] = ["007\t1\tagain.jpg", "", "99\tx\tmissing.jpg", "+99\t1\tmissing.jpg"]
    lines[5:5] = ["no line", "  ", "98\t1\tmissing.jpg"]
    lines += ["99\t1\tmissing.jpg", "3\t25130987\tx.jpg"]
    for folder in ("im2rec", "ray"):
        (tmp_path / folder).mkdir()
        write_list(tmp_path / folder / "a.lst", lines)
        (tmp_path / folder / "a.classes.txt").write_text("cat\ndog\n")
    whole = recio.im2rec.pack(tmp_path / "im2rec" / "a.lst", FOLDER, shards=shards, **settings)
    packed = recio.ray.pack(tmp_path / "ray" / "a.lst", tmp_path / "ray" / "a", root=FOLDER, shards=shards, **settings)
    assert contents(tmp_path / "ray") == contents(tmp_path / "im2rec")
    assert packed.skipped == whole.skipped
    assert len(packed.skipped) == 7
    assert packed.manifest.records == len(PHOTOS)


def test_warnings_have_the_numbers_of_the_list(tmp_path: Path) -> None:
    lines = lines_of_photos()
    lines[17] = lines[17].replace("\t", "\t1\t", 1)
    lst = write_list(tmp_path / "a.lst", lines)
    with pytest.warns(UserWarning, match="line 18") as caught:
        packed = recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=3, pass_through=True)
    assert len(packed.warnings) == len([entry for entry in caught if entry.category is UserWarning]) == 1


def test_an_older_set_is_replaced(tmp_path: Path) -> None:
    lst = write_list(tmp_path / "a.lst", lines_of_photos())
    for shards in (4, 2):
        recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=shards, pass_through=True)
    files = [f"a_{number:05}{end}" for number in range(2) for end in (".idx", ".rec")]
    assert names(tmp_path) == ["a.lst", "a.recset.json", *files]


def test_progress_is_reported(tmp_path: Path) -> None:
    lst = write_list(tmp_path / "a.lst", [*lines_of_photos(), "99\t1\tmissing.jpg"])
    calls: list[tuple[int, int, int]] = []
    report = lambda *numbers: calls.append(numbers)  # noqa: E731
    recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=2, pass_through=True, progress=report)
    assert len(calls) == 2
    assert calls[-1] == (31, 31, 1)


def test_packing_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    lst = write_list(tmp_path / "a.lst", lines_of_photos())

    def stop(*numbers: int) -> None:
        del numbers
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=6, progress=stop)
    assert names(tmp_path) == ["a.lst"]


def test_wrong_options_leave_an_older_set(tmp_path: Path) -> None:
    lst = write_list(tmp_path / "a.lst", lines_of_photos())
    recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=2, pass_through=True)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=r"quality must be from 1 to 100, got 0"):
        recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=2, quality=0)
    with pytest.raises(FileNotFoundError, match="missing"):
        recio.ray.pack(lst, tmp_path / "a", root=tmp_path / "missing", shards=2)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"shards": 0}, ValueError, r"shards must be at least 1, got 0"),
        ({"shards": 31}, ValueError, r"shards must be from 1 to 30, the number of lines, got 31"),
        ({"root": None}, ValueError, r"a\.lst is a list: pass root"),
        ({"recursive": True}, ValueError, r"a\.lst is a list: recursive is for lists that are made of folders"),
        ({"images": FOLDER}, ValueError, r"root must be given with a list only"),
        ({"resume": True}, TypeError, r"unexpected keyword argument 'resume'"),
        ({"qualty": 1}, TypeError, r"unexpected keyword argument 'qualty'"),
    ],
)
def test_wrong_arguments_are_named(
    settings: dict[str, Any], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    lst = write_list(tmp_path / "a.lst", lines_of_photos())
    arguments = {"images": lst, "path": tmp_path / "a", "root": FOLDER, "shards": 2, **settings}
    with pytest.raises(kind, match=message):
        recio.ray.pack(**arguments)


def test_a_list_without_images_is_named(tmp_path: Path) -> None:
    lst = write_list(tmp_path / "a.lst", ["1\t1\tmissing.jpg", "2\t1\tmissing.jpg"])
    with pytest.raises(ValueError, match=r"a\.lst: no image to pack"):
        recio.ray.pack(lst, tmp_path / "a", root=FOLDER, shards=2)
    assert names(tmp_path) == ["a.lst", "a.skipped.jsonl"]


def test_images_of_a_store_are_packed_into_it(tmp_path: Path, moto: Moto, options: dict[str, str]) -> None:
    moto.create_bucket("packed")
    for photo in PHOTOS:
        moto.put_file("packed", f"photos/{photo.relative_to(FOLDER)}", photo)
    settings: dict[str, Any] = {"shards": 3, "recursive": True, "pass_through": True}
    recio.ray.pack("s3://packed/photos", "s3://packed/a", storage_options=options, **settings)
    recio.ray.pack(FOLDER, tmp_path / "a", **settings)
    stored = {key: moto.get("packed", key) for key in moto.keys("packed") if not key.startswith("photos/")}
    assert stored == contents(tmp_path)
