"""Shards and manifests: ``recio.files.ShardWriter``, ``write_manifest`` and ``read_manifest``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from recio.files import Shard, ShardWriter, merge, read_manifest, split, write_manifest
from recio.recordio import MXIndexedRecordIO
from tests.support.records import RecordFile

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [bytes([number]) * (8 * number) for number in range(10)]


def crc32c(data: bytes) -> int:
    """Return the CRC32C of bytes, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def write(prefix: Path, **options: Any) -> list[Shard]:  # noqa: ANN401 of many types
    with ShardWriter(prefix, **options) as writer:
        for record in RECORDS:
            writer.write(record)
    return writer.shards


def read(shards: list[Shard]) -> dict[int, bytes]:
    records = {}
    for shard in shards:
        with MXIndexedRecordIO(shard.idx, shard.rec, "r") as reader:
            records.update({key: reader.read_idx(key) for key in reader.keys})
    return records


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def ten(tmp_path: Path) -> RecordFile:
    """Write `RECORDS` into one file."""
    file = RecordFile(tmp_path / "ten.rec", tmp_path / "ten.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        for key, record in enumerate(RECORDS):
            writer.write_idx(key, record)
    return file


class TestShardWriter:
    @pytest.mark.parametrize("shard_size", [None, 1, 100, 160, 10_000])
    def test_records_are_in_shards_of_at_most_a_size(self, shard_size: int | None, tmp_path: Path) -> None:
        shards = write(tmp_path / "a", shard_size=shard_size)
        assert read(shards) == dict(enumerate(RECORDS))
        assert [shard.rec.name for shard in shards] == [f"a_{number:05}.rec" for number in range(len(shards))]
        for shard in shards:
            data = shard.rec.read_bytes()
            assert (shard.bytes, shard.crc32c) == (len(data), crc32c(data))
            assert shard.bytes <= (shard_size or 10_000) or shard.records == 1

    def test_a_shard_is_as_large_as_it_may_be(self, tmp_path: Path) -> None:
        frames = [8 + len(record) for record in RECORDS]
        shards = write(tmp_path / "a", shard_size=sum(frames[:5]))
        assert shards[0].records == 5
        shards = write(tmp_path / "b", shard_size=sum(frames[:5]) - 1)
        assert shards[0].records == 4

    def test_keys_are_consecutive_or_given(self, tmp_path: Path) -> None:
        with ShardWriter(tmp_path / "a", shard_size=1, first_key=7, checksum=True) as writer:
            writer.write(b"seven")
            writer.write(b"twenty", key=20)
            writer.write(b"twenty-one")
        assert read(writer.shards) == {7: b"seven", 20: b"twenty", 21: b"twenty-one"}
        assert len(list(tmp_path.glob("*.rsum"))) == 3

    def test_a_shard_appears_when_it_is_complete(self, tmp_path: Path) -> None:
        with ShardWriter(tmp_path / "a", shard_size=1) as writer:
            writer.write(b"one")
            assert not list(tmp_path.glob("*.rec"))
            writer.write(b"two")
            assert names(tmp_path)[-2:] == ["a_00000.idx", "a_00000.rec"]
        with pytest.raises(ValueError, match="the writer is closed"):
            writer.write(b"three")

    def test_an_exception_in_the_block_leaves_nothing(self, tmp_path: Path) -> None:
        def fail() -> None:
            with ShardWriter(tmp_path / "a", shard_size=1, checksum=True) as writer:
                writer.write(b"one")
                writer.write(b"two")
                assert names(tmp_path)
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert names(tmp_path) == []

    def test_a_shard_that_cannot_be_written_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "a_00001.rec").mkdir()
        with pytest.raises(IsADirectoryError):
            write(tmp_path / "a", shard_size=60)
        assert names(tmp_path) == ["a_00001.rec"]

    def test_without_records_there_are_no_shards(self, tmp_path: Path) -> None:
        with ShardWriter(tmp_path / "a") as writer:
            pass
        assert (names(tmp_path), writer.shards) == ([], [])
        with pytest.raises(ValueError, match="at least one shard, got 0"):
            write_manifest(tmp_path / "a.recset.json", writer.shards)

    def test_a_key_that_is_there_already_is_refused(self, tmp_path: Path) -> None:
        def write_twice() -> None:
            with ShardWriter(tmp_path / "a") as writer:
                writer.write(b"one", key=7)
                writer.write(b"two", key=7)

        with pytest.raises(ValueError, match="the shard has a record with the key 7 already"):
            write_twice()
        assert names(tmp_path) == []

    def test_a_size_below_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="shard_size must be at least 1, got 0"):
            ShardWriter(tmp_path / "a", shard_size=0)


class TestManifest:
    def test_it_is_read_as_it_was_written_also_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "set").mkdir()
        shards = write(tmp_path / "set" / "a", shard_size=160)
        written = write_manifest(tmp_path / "set" / "a.recset.json", shards, ["cat", "Löwe"])
        assert read_manifest(str(written.path)) == written
        assert (written.records, written.bytes) == (10, sum(shard.bytes for shard in shards))
        moved = (tmp_path / "set").rename(tmp_path / "elsewhere")
        found = read_manifest(moved / "a.recset.json")
        assert [shard.rec.parent for shard in found.shards] == [moved] * len(shards)
        assert read(found.shards) == dict(enumerate(RECORDS))

    def test_shards_may_be_in_folders_below_and_nowhere_else(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        shards = write(tmp_path / "sub" / "a")
        written = write_manifest(tmp_path / "all.recset.json", shards)
        assert read_manifest(written.path).shards == shards
        (tmp_path / "other").mkdir()
        with pytest.raises(ValueError, match="a shard must be in the folder of its manifest"):
            write_manifest(tmp_path / "other" / "all.recset.json", shards)
        with pytest.raises(ValueError, match=r"sub/a_00000\.rec is there twice"):
            write_manifest(tmp_path / "all.recset.json", [*shards, *shards])
        with pytest.raises(ValueError, match=r"the name of a manifest must end in \.recset\.json"):
            write_manifest(tmp_path / "all.json", shards)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"recset": 2}, "the manifest has version 2; this recio reads version 1"),
            ({"recset": None}, "the manifest has version None"),
            ({"shards": {}}, "shards must be a list, got {}"),
            ({"shards": []}, "at least one shard, got 0"),
            ({"shards": [3]}, r"shards\[0\] must be an object, got 3"),
            ({"records": 11}, "records is 11, but the shards have 10"),
            ({"bytes": -1}, "bytes must be an integer of at least 0, got -1"),
            ({"classes": [1]}, r"classes must be a list of strings, got \[1\]"),
            ({"rec": "../a.rec"}, r"shards\[0\]\.rec must be the relative path .*, got '\.\./a\.rec'"),
            ({"rec": "/a.rec"}, r"got '/a\.rec'"),
            ({"rec": "b//a.rec"}, r"got 'b//a\.rec'"),
            ({"rec": "a.txt"}, r"got 'a\.txt'"),
            ({"rec": 1}, r"shards\[0\]\.rec must be a string, got 1"),
            ({"records of": True}, r"shards\[0\]\.records must be an integer of at least 0, got True"),
            ({"crc32c": "123"}, "crc32c must be eight hexadecimal digits or null, got '123'"),
        ],
    )
    def test_a_wrong_field_is_named(self, change: dict[str, Any], message: str, tmp_path: Path) -> None:
        path = write_manifest(tmp_path / "a.recset.json", write(tmp_path / "a")).path
        content = json.loads(path.read_bytes())
        for name, value in change.items():
            holder = content if name in ("recset", "shards", "bytes", "classes", "records") else content["shards"][0]
            holder[name.removesuffix(" of")] = value
        path.write_bytes(json.dumps(content).encode())
        with pytest.raises(ValueError, match=message) as caught:
            read_manifest(path)
        assert str(caught.value).startswith(f"{path}: ")

    @pytest.mark.parametrize(
        ("shard", "message"),
        [
            ({"records": -1}, r"shards\[0\]\.records must be an integer of at least 0, got -1"),
            ({"bytes": 1.5}, r"shards\[0\]\.bytes must be an integer of at least 0, got 1\.5"),
            ({"crc32c": 1 << 40}, "crc32c must be eight hexadecimal digits or null, got '10000000000'"),
            ({"rec": "b\\a.rec"}, "rec must be the relative path"),
            ({"rec": "a.dat"}, "rec must be the relative path"),
        ],
    )
    def test_what_cannot_be_read_is_not_written(self, shard: dict[str, Any], message: str, tmp_path: Path) -> None:
        fields: dict[str, Any] = {"rec": "a.rec", "records": 1, "bytes": 2, **shard}
        fields["rec"] = tmp_path / fields["rec"]
        with pytest.raises(ValueError, match=message):
            write_manifest(tmp_path / "a.recset.json", [Shard(**fields)])
        with pytest.raises(ValueError, match="classes must be a list of strings, got 'catdog'"):
            write_manifest(tmp_path / "a.recset.json", [Shard(tmp_path / "a.rec", 1, 2)], "catdog")
        assert names(tmp_path) == []

    def test_names_that_are_not_utf8(self, tmp_path: Path) -> None:
        shards = write(tmp_path / "b\udcff")
        path = write_manifest(tmp_path / "a.recset.json", shards).path
        assert read_manifest(path).shards == shards

    @pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
    def test_other_files_are_refused(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "a.recset.json"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="this is no manifest of a record set"):
            read_manifest(path)


class TestSplit:
    def test_the_manifest_of_the_shards_is_written(self, ten: RecordFile) -> None:
        ten.rec.with_suffix(".classes.txt").write_text("cat\ndog\n")
        reports = split(ten.rec, 3)
        manifest = read_manifest(ten.rec.with_suffix(".recset.json"))
        assert manifest.shards == [report.shard() for report in reports]
        assert (manifest.records, manifest.classes) == (10, ["cat", "dog"])
        assert all(shard.crc32c == crc32c(shard.rec.read_bytes()) for shard in manifest.shards)

    def test_names_of_classes_may_have_characters_that_end_lines_elsewhere(self, ten: RecordFile) -> None:
        classes = ["a\u2028b", "c\x0bd", "e\x85", "f"]
        ten.rec.with_suffix(".classes.txt").write_bytes("\r\n".join(["\ufeff" + classes[0], *classes[1:], ""]).encode())
        split(ten.rec, 3)
        assert read_manifest(ten.rec.with_suffix(".recset.json")).classes == classes

    def test_shards_of_an_older_set_are_removed(self, ten: RecordFile, tmp_path: Path) -> None:
        split(ten.rec, 4, tmp_path / "b", checksum=True)
        (tmp_path / "b_x.rec").write_bytes(b"")
        split(ten.rec, 2, tmp_path / "b")
        left = [name for name in names(tmp_path) if name.startswith("b")]
        assert left == ["b.recset.json", "b_0.idx", "b_0.rec", "b_1.idx", "b_1.rec", "b_x.rec"]

    def test_names_of_more_than_ten_shards_sort_in_their_order(self, tmp_path: Path) -> None:
        with ShardWriter(tmp_path / "more") as writer:
            for number in range(11):
                writer.write(bytes([number]))
        shards = [report.rec for report in split(writer.shards[0].rec, 11, tmp_path / "b")]
        assert [shard.name for shard in shards] == [f"b_{number:02}.rec" for number in range(11)]
        merged = merge(shards, tmp_path / "all.rec")
        assert merged.rec.read_bytes() == writer.shards[0].rec.read_bytes()
        assert merged.crc32c == writer.shards[0].crc32c
