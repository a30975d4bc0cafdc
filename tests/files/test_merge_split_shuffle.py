"""``recio.files.merge``, ``split`` and ``shuffle``: records are copied byte for byte to new files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.files import CopyReport, merge, shuffle, split
from recio.recordio import MXIndexedRecordIO, MXRecordIO, unpack
from tests.support.records import RecordFile, write_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._recio import RemotePath

MAGIC = 0xCED7230A.to_bytes(4, "little")
RECORDS = [b"0123456789"[:n] + MAGIC[: n % 5] + (b"x" * n + MAGIC) * (n % 3) for n in range(20)]
"""Records with every padding, and with magic words at aligned and unaligned positions."""


@pytest.fixture
def twenty(tmp_path: Path) -> RecordFile:
    """Write `RECORDS` under keys from 100."""
    file = RecordFile(tmp_path / "twenty.rec", tmp_path / "twenty.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w", checksum=True) as writer:
        for key, record in enumerate(RECORDS, start=100):
            writer.write_idx(key, record)
    return file


def frames(rec: Path | RemotePath) -> dict[int, bytes]:
    """Return the frame of each record by key."""
    data = rec.read_bytes()
    lines = [line.split() for line in rec.with_suffix(".idx").read_text().splitlines()]
    begins = [(int(offset), int(key)) for key, offset in lines]
    return {key: data[begin:end] for (begin, key), (end, _) in pairwise([*begins, (len(data), 0)])}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestSplitting:
    @pytest.mark.parametrize("num_shards", [1, 2, 3, 7, 20])
    def test_split_then_merge_gives_the_same_bytes(self, num_shards: int, twenty: RecordFile, tmp_path: Path) -> None:
        shards = split(twenty.rec, num_shards)
        assert [shard.rec.name for shard in shards] == [
            f"twenty_{number:0{1 if num_shards < 11 else 2}}.rec" for number in range(num_shards)
        ]
        counts = [shard.records for shard in shards]
        assert max(counts) - min(counts) <= 1
        assert sum(shard.bytes for shard in shards) == twenty.rec.stat().st_size
        merged = merge([shard.rec for shard in shards], tmp_path / "merged.rec", checksum=True)
        assert merged == CopyReport(merged.rec, merged.idx, 20, twenty.rec.stat().st_size, merged.crc32c)
        for end in (".rec", ".idx", ".rsum"):
            assert merged.rec.with_suffix(end).read_bytes() == twenty.rec.with_suffix(end).read_bytes()

    def test_outputs_are_written_to_the_given_prefix(self, twenty: RecordFile, tmp_path: Path) -> None:
        (tmp_path / "shards").mkdir()
        split(str(twenty.rec), 2, tmp_path / "shards" / "p.q", checksum=True)
        ends = ("idx", "rec", "rsum")
        shards = [f"p.q_{number}.{end}" for number in range(2) for end in ends]
        assert names(tmp_path / "shards") == ["p.q.recset.json", *shards]

    @pytest.mark.parametrize("num_shards", [0, 21, -1])
    def test_split_into_more_shards_than_records_is_refused(self, num_shards: int, twenty: RecordFile) -> None:
        with pytest.raises(ValueError, match="20 records cannot be split into"):
            split(twenty.rec, num_shards)

    def test_no_shard_is_left_if_one_cannot_be_written(self, twenty: RecordFile, tmp_path: Path) -> None:
        (tmp_path / "twenty_2.rec").mkdir()
        with pytest.raises(IsADirectoryError, match=r"twenty_2\.rec"):
            split(twenty.rec, 3)
        assert names(tmp_path) == ["twenty.idx", "twenty.rec", "twenty.rsum", "twenty_2.rec"]


class TestMerging:
    def test_unique_keys_are_kept(self, file: RecordFile, twenty: RecordFile, tmp_path: Path) -> None:
        merged = merge([twenty.rec, file.rec], tmp_path / "all.rec")
        assert (merged.records, merged.renumbered) == (30, False)
        assert frames(merged.rec) == {**frames(twenty.rec), **frames(file.rec)}
        assert list(frames(merged.rec)) == [*range(100, 120), *range(10)]

    def test_records_are_renumbered_if_keys_repeat(self, file: RecordFile, tmp_path: Path) -> None:
        merged = merge([file.rec, file.rec], tmp_path / "all.rec")
        assert merged.renumbered
        assert frames(merged.rec) == dict(enumerate([*frames(file.rec).values()] * 2))

    def test_no_index_is_needed(self, twenty: RecordFile, tmp_path: Path) -> None:
        twenty.idx.unlink()
        merged = merge([twenty.rec], tmp_path / "all.rec")
        assert merged.rec.read_bytes() == twenty.rec.read_bytes()
        assert list(frames(merged.rec)) == list(range(20))

    def test_merging_empty_files_writes_an_empty_file(self, tmp_path: Path) -> None:
        empty = write_records(tmp_path, [], "empty")
        merged = merge([empty.rec] * 2, tmp_path / "all.rec")
        assert (merged.records, merged.rec.read_bytes(), merged.idx.read_bytes()) == (0, b"", b"")

    def test_merging_no_files_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no files to merge"):
            merge([], tmp_path / "all.rec")


class TestClassNames:
    """Names of classes beside the files."""

    def test_copies_have_the_names(self, twenty: RecordFile, tmp_path: Path) -> None:
        names = b"caf\xc3\xa9\ndog\n"
        twenty.rec.with_suffix(".classes.txt").write_bytes(names)
        shards = split(twenty.rec, 2)
        merge([shard.rec for shard in shards], tmp_path / "merged.rec")
        shuffle(twenty.rec, tmp_path / "shuffled.rec", seed=0)
        for name in ("twenty_0", "twenty_1", "merged", "shuffled"):
            assert (tmp_path / f"{name}.classes.txt").read_bytes() == names

    @pytest.mark.parametrize("other", [None, "dog\ncat\n"])
    def test_merged_files_need_the_same_names(self, twenty: RecordFile, tmp_path: Path, other: str | None) -> None:
        shards = [shard.rec for shard in split(twenty.rec, 2)]
        shards[0].with_suffix(".classes.txt").write_bytes(b"cat\ndog\n")
        if other:
            shards[1].with_suffix(".classes.txt").write_bytes(other.encode())
        with pytest.warns(UserWarning, match=r"merged.classes.txt was not written: the names of the classes"):
            merge(shards, tmp_path / "merged.rec")
        assert not (tmp_path / "merged.classes.txt").exists()


class TestShuffling:
    def test_records_move_with_their_keys(self, twenty: RecordFile, tmp_path: Path) -> None:
        shuffled = shuffle(twenty.rec, tmp_path / "some.rec", seed=3)
        assert frames(shuffled.rec) == frames(twenty.rec)
        assert list(frames(shuffled.rec)) != list(frames(twenty.rec))
        with MXIndexedRecordIO(shuffled.idx, shuffled.rec, "r") as reader:
            assert [reader.read_idx(key) for key in range(100, 120)] == RECORDS

    def test_order_depends_on_the_seed_only(self, twenty: RecordFile, tmp_path: Path) -> None:
        orders = []
        for name, seed in (("a", 1), ("b", 1), ("c", 2), ("d", 2**64 - 1)):
            orders.append(list(frames(shuffle(twenty.rec, tmp_path / f"{name}.rec", seed=seed).rec)))
        assert orders[0] == orders[1]
        assert len({tuple(order) for order in orders}) == 3
        with pytest.raises(OverflowError):
            shuffle(twenty.rec, tmp_path / "e.rec", seed=-1)

    def test_order_never_changes_between_versions(self, file: RecordFile, tmp_path: Path) -> None:
        shuffled = shuffle(file.rec, tmp_path / "a.rec", seed=0)
        assert list(frames(shuffled.rec)) == [2, 8, 6, 7, 3, 9, 4, 5, 0, 1]


COPIES: list[Callable[[Path, Path], object]] = [
    lambda rec, out: merge([rec], out),
    lambda rec, out: split(rec, 1, str(out).removesuffix("_0.rec")),
    lambda rec, out: shuffle(rec, out, seed=0),
]


@pytest.mark.parametrize("copy", COPIES)
class TestEveryCopy:
    def test_damaged_record_is_an_error(self, copy: Callable[[Path, Path], object], tmp_path: Path) -> None:
        file = write_records(tmp_path, RECORDS)
        data = bytearray(file.rec.read_bytes())
        data[file.offsets[11]] ^= 1
        file.rec.write_bytes(data)
        with pytest.raises(RecordError) as error:
            copy(file.rec, tmp_path / "copy_0.rec")
        assert error.value.path == str(file.rec)
        # Record 10 has several fragments; the error names the last one, which record 11 should
        # follow.
        assert file.offsets[10] < (error.value.offset or 0) < file.offsets[11]
        assert names(tmp_path) == ["some.idx", "some.rec"]

    def test_wrong_checksum_is_an_error(
        self, copy: Callable[[Path, Path], object], twenty: RecordFile, tmp_path: Path
    ) -> None:
        data = bytearray(twenty.rec.read_bytes())
        data[twenty.offsets[9] + 8] ^= 1
        twenty.rec.write_bytes(data)
        with pytest.raises(RecordError, match="record 9 at byte") as error:
            copy(twenty.rec, tmp_path / "copy_0.rec")
        assert "twenty.rsum" in str(error.value)
        assert names(tmp_path) == ["twenty.idx", "twenty.rec", "twenty.rsum"]

    def test_index_that_lists_only_some_records_is_refused(
        self, copy: Callable[[Path, Path], object], twenty: RecordFile, tmp_path: Path
    ) -> None:
        twenty.idx.write_text("7\t0\n")
        with pytest.raises(RecordError, match=r"twenty\.idx: lists 1 records, but .* has 20.*`recio index`"):
            copy(twenty.rec, tmp_path / "copy_0.rec")

    @pytest.mark.parametrize("name", ["in_0.rec", "link_0.rec", "folder/../in_0.rec"])
    def test_output_that_would_overwrite_an_input_is_refused(
        self, name: str, copy: Callable[[Path, Path], object], tmp_path: Path
    ) -> None:
        file = write_records(tmp_path, RECORDS, "in_0")
        (tmp_path / "link_0.rec").symlink_to(file.rec)
        (tmp_path / "folder").mkdir()
        before = file.rec.read_bytes()
        with pytest.raises(ValueError, match="would overwrite an input"):
            copy(file.rec, tmp_path / name)
        assert file.rec.read_bytes() == before

    def test_missing_output_folder_is_an_error(
        self, copy: Callable[[Path, Path], object], twenty: RecordFile, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError, match="missing"):
            copy(twenty.rec, tmp_path / "missing" / "copy_0.rec")

    def test_checksums_of_the_replaced_file_are_removed(
        self, copy: Callable[[Path, Path], object], twenty: RecordFile, tmp_path: Path
    ) -> None:
        (tmp_path / "copy_0.rsum").write_bytes(b"of another file")
        copy(twenty.rec, tmp_path / "copy_0.rec")
        assert not (tmp_path / "copy_0.rsum").exists()
        with MXRecordIO(tmp_path / "copy_0.rec", "r") as reader:
            assert sorted(reader) == sorted(RECORDS)


def test_exception_in_progress_stops_copying(twenty: RecordFile, tmp_path: Path) -> None:
    def progress(done: int, total: int) -> None:
        raise LookupError(f"{done} of {total}")

    with pytest.raises(LookupError, match="20 of 20"):
        merge([twenty.rec], tmp_path / "a.rec", progress=progress)
    with pytest.raises(LookupError):
        split(twenty.rec, 3, progress=progress)
    with pytest.raises(LookupError):
        shuffle(twenty.rec, tmp_path / "a.rec", seed=0, progress=progress)
    assert names(tmp_path) == ["twenty.idx", "twenty.rec", "twenty.rsum"]


def test_other_extension_than_rec_is_refused(twenty: RecordFile, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.idx: the name of a record file must end in \.rec"):
        merge([twenty.rec], tmp_path / "a.idx")


def test_mxnets_files_are_shuffled_and_read_by_id(tmp_path: Path) -> None:
    golden = sorted((Path(__file__).parents[1] / "data" / "golden").glob("**/*.rec"))
    indexed = [rec for rec in golden if rec.with_suffix(".idx").exists()]
    assert indexed
    for number, rec in enumerate(indexed):
        shuffled = shuffle(rec, tmp_path / f"{number}.rec", seed=7)
        assert frames(shuffled.rec) == frames(rec), rec


def test_keys_of_image_records_without_index_are_their_ids(ten: RecordFile, tmp_path: Path) -> None:
    ten.idx.unlink()
    merged = merge([ten.rec], tmp_path / "all.rec")
    with MXIndexedRecordIO(merged.idx, merged.rec, "r") as reader:
        assert reader.keys == list(range(100, 110))
        assert all(unpack(reader.read_idx(key))[0].id == key for key in reader.keys)
