"""Sources in `path_imgrec` other than a file, and keywords and names for compatibility with MXNet."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio._loader.record_paths import expand
from recio.io import (
    ImageRecordInt8Iter,
    ImageRecordIter,
    ImageRecordIter_v1,
    ImageRecordUInt8Iter,
    ImageRecordUInt8Iter_v1,
    _image_record,
)
from tests.support.records import (
    RecordFile,
    digest,
    epochs,
    image_record,
    noise,
    numbers,
    open_iter,
    png,
    write_images,
    write_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable

AUGMENTED: dict[str, Any] = {"data_shape": (3, 6, 6), "rand_crop": True, "rand_mirror": True, "random_h": 30}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write three files, of records 0 to 2, 3 to 6 and 7, in another order than that of their names."""
    path = tmp_path / "records"
    path.mkdir()
    image = png(noise(8, 8))
    for name, record_numbers in (("c", range(7, 8)), ("a", range(3)), ("b-2", range(3, 7))):
        write_records(path, [image_record(image, number) for number in record_numbers], name)
    return path


def read(path: Any, **settings: Any) -> list[int]:  # noqa: ANN401 settings are of many types
    return numbers(ImageRecordIter(path_imgrec=path, data_shape=(3, 8, 8), batch_size=4, **settings))


class TestFolders:
    @pytest.mark.parametrize("kind", [str, lambda path: path, lambda path: f"{path}/", lambda path: [path]])
    def test_folder_is_its_record_files_sorted_by_name(self, folder: Path, kind: Callable[[Path], object]) -> None:
        assert read(kind(folder)) == list(range(8))

    def test_empty_files_and_folders_in_a_folder_are_skipped(self, folder: Path) -> None:
        (folder / "0.rec").touch()
        (folder / "1.rec").mkdir()
        assert read(folder) == list(range(8))

    def test_folder_without_record_files_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=f"{tmp_path.name}.* names no file"):
            read(tmp_path)

    def test_folder_may_be_one_of_several_sources(self, folder: Path, ten: RecordFile) -> None:
        assert read(f"{ten.rec};{folder}") == [*range(10), *range(8)]


class TestSemicolons:
    """A semicolon separates paths, unless it is in the name of a file or folder."""

    def test_path_with_a_semicolon_is_read(self, tmp_path: Path, ten: RecordFile) -> None:
        inner = tmp_path / "a;b"
        inner.mkdir()
        for file in (ten.rec, ten.idx):
            shutil.copy(file, inner / file.name)
        assert read(str(inner / ten.rec.name)) == [*range(10)]
        assert read(str(inner)) == [*range(10)]
        assert read(inner / ten.rec.name, path_imgidx=str(inner / ten.idx.name)) == [*range(10)]


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            (r".*\.rec", range(8)),
            (r"[ac]\.rec", [0, 1, 2, 7]),
            (r"b-\d+\.rec", range(3, 7)),
            (r"(a|b-2)\.rec", range(7)),
        ],
    )
    def test_file_name_may_be_a_regular_expression(self, folder: Path, pattern: str, expected: list[int]) -> None:
        assert read(f"{folder}/{pattern}") == list(expected)
        assert read(folder / pattern) == list(expected)

    def test_several_patterns(self, folder: Path) -> None:
        assert read(rf"{folder}/c\.re.;{folder}/a\.re.") == [7, 0, 1, 2]

    def test_file_of_that_name_takes_precedence_over_the_pattern(self, folder: Path) -> None:
        write_images(folder, [png(noise(8, 8))], "[ac]")
        assert read(folder / "[ac].rec") == [0]

    @pytest.mark.parametrize(
        ("pattern", "found"),
        [
            ("t_*.rec", ["t_0.rec", "t_1.rec"]),
            ("t_[0-9]*.rec", ["t_0.rec", "t_1.rec"]),
            ("t*.rec", ["t.rec", "t_0.rec", "t_1.rec"]),
            (r"t_\d\.rec", ["t_0.rec", "t_1.rec"]),
            (r"t.*\.rec", ["t.rec", "t_0.rec", "t_1.rec"]),
            ("t.*rec", ["t.rec", "t_0.rec", "t_1.rec"]),
            ("t_(0|1).rec", ["t_0.rec", "t_1.rec"]),
        ],
    )
    def test_patterns_of_the_shell_and_regular_expressions(
        self, pattern: str, found: list[str], tmp_path: Path
    ) -> None:
        for name in ("t", "t_0", "t_1"):
            write_images(tmp_path, [png(noise(8, 8))], name)
        assert [Path(str(path.rec)).name for path in expand(str(tmp_path / pattern))] == found

    @pytest.mark.parametrize("pattern", ["rec", "z.*", "z*.rec", "(", "nothing/.*"])
    def test_pattern_without_match_is_a_missing_file(self, folder: Path, pattern: str) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            read(folder / pattern)
        assert caught.value.filename == str(folder / pattern)


class TestCache:
    def test_cache_is_written_and_read(self, folder: Path, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        assert read(f"{folder}/a.rec;{folder}/c.rec#{cache}") == [0, 1, 2, 7]
        assert cache.read_bytes() == (folder / "a.rec").read_bytes() + (folder / "c.rec").read_bytes()
        assert {path.name for path in tmp_path.iterdir()} == {"records", "cache"}

    def test_file_mode_follows_the_umask(self, folder: Path, tmp_path: Path) -> None:
        read(f"{folder}/a.rec#{tmp_path}/cache")
        (tmp_path / "new").touch()
        assert (tmp_path / "cache").stat().st_mode == (tmp_path / "new").stat().st_mode

    def test_cache_is_used_while_size_and_time_match(self, folder: Path, tmp_path: Path) -> None:
        """Other content of the same size distinguishes the cache from its source."""
        cache, image = tmp_path / "cache", png(noise(8, 8))
        read(f"{folder}/a.rec#{cache}")
        other = write_records(tmp_path, [image_record(image, number) for number in (9, 8, 7)], "other")
        original = cache.stat()
        cache.write_bytes(other.rec.read_bytes())
        os.utime(cache, ns=(original.st_atime_ns, original.st_mtime_ns))
        state = cache.stat()
        assert read(f"{folder}/a.rec#{cache}") == [9, 8, 7]
        assert (cache.stat().st_mtime_ns, cache.stat().st_ino) == (state.st_mtime_ns, state.st_ino)

    def test_cache_is_rewritten_if_a_file_grows(self, folder: Path, tmp_path: Path) -> None:
        path = f"{folder}/a.rec#{tmp_path}/cache"
        read(path)
        (folder / "a.rec").write_bytes((folder / "b-2.rec").read_bytes())
        assert read(path) == [3, 4, 5, 6]

    @pytest.mark.parametrize("seconds", [10, -10])
    def test_cache_is_rewritten_if_a_file_is_modified(self, seconds: int, folder: Path, tmp_path: Path) -> None:
        """An older time counts as well: a file may be replaced by an older one."""
        path, image = f"{folder}/a.rec#{tmp_path}/cache", png(noise(8, 8))
        read(path)
        write_records(folder, [image_record(image, number) for number in (9, 8, 7)], "a")
        time = (tmp_path / "cache").stat().st_mtime + seconds
        os.utime(folder / "a.rec", (time, time))
        assert read(path) == [9, 8, 7]

    def test_cache_is_not_a_source(self, folder: Path) -> None:
        first = read(f"{folder}#{folder}/cache.rec")
        assert read(f"{folder}#{folder}/cache.rec") == first

    def test_cache_does_not_replace_another_file(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("precious")
        with pytest.raises(ValueError, match=r"notes\.txt exists and is no record file"):
            read(f"{folder}/a.rec#{tmp_path}/notes.txt")
        assert (tmp_path / "notes.txt").read_text() == "precious"

    def test_old_cache_stays_complete_if_rewriting_fails(self, folder: Path, tmp_path: Path) -> None:
        read(f"{folder}/a.rec#{tmp_path}/cache")
        before = (tmp_path / "cache").read_bytes()
        with pytest.raises(FileNotFoundError):
            read(f"{folder}/a.rec;{folder}/absent.rec#{tmp_path}/cache")
        assert (tmp_path / "cache").read_bytes() == before
        assert {path.name for path in tmp_path.iterdir()} == {"records", "cache"}

    def test_failed_copy_leaves_no_file(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def run_full(_source: object, target: Any) -> None:  # noqa: ANN401 an open file
            target.write(b"some")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("shutil.copyfileobj", run_full)
        with pytest.raises(OSError, match="No space"):
            read(f"{folder}/a.rec#{tmp_path}/cache")
        assert {path.name for path in tmp_path.iterdir()} == {"records"}

    def test_file_name_with_a_hash_is_not_a_cache(self, folder: Path, tmp_path: Path) -> None:
        (folder / "c.rec").rename(folder / "a.rec#1")
        assert read(f"{folder}/a.rec#1") == [7]
        assert not (tmp_path / "1").exists()

    def test_shards_share_the_cache(self, folder: Path, tmp_path: Path) -> None:
        path = f"{folder}#{tmp_path}/cache"
        assert [read(path, num_parts=2, part_index=index) for index in range(2)] == [[0, 1, 2, 3], [4, 5, 6, 7]]


class TestSeeds:
    def test_seed_controls_the_order_if_seed_aug_is_set(self, ten: RecordFile) -> None:
        first, second = (open_iter(ten, shuffle=True, seed=seed, seed_aug=7, **AUGMENTED) for seed in (1, 2))
        assert numbers(first) != numbers(second)
        assert [first.plan(record) for record in range(10)] == [second.plan(record) for record in range(10)]

    def test_seed_aug_controls_the_augmentation_only(self, ten: RecordFile) -> None:
        first, second = (open_iter(ten, shuffle=True, seed=1, seed_aug=seed, **AUGMENTED) for seed in (1, 2))
        assert numbers(first) == numbers(second)
        assert [first.plan(record) for record in range(10)] != [second.plan(record) for record in range(10)]

    def test_without_seed_aug_seed_controls_both(self, ten: RecordFile) -> None:
        first, second = (
            open_iter(ten, shuffle=True, seed=5, **seed_aug, **AUGMENTED) for seed_aug in ({}, {"seed_aug": 5})
        )
        assert digest(first) == digest(second)

    def test_epochs_differ_with_fixed_seeds(self, ten: RecordFile) -> None:
        """In MXNet, an image with `seed_aug` has the same augmentation in every epoch."""
        first, second = (digest(epoch) for epoch in epochs(open_iter(ten, seed_aug=3, **AUGMENTED), 2))
        assert first != second


class TestMXNetCompatibility:
    @pytest.mark.parametrize(
        "settings",
        [
            {"aug_seq": "aug_default"},
            {"ctx": "cpu"},
            {"ctx": "gpu", "device_id": 3},
            {"device_id": -1},
            {"shuffle_chunk_size": 64, "shuffle_chunk_seed": 5},
        ],
        ids=str,
    )
    def test_ignored_keywords_change_nothing(self, ten: RecordFile, settings: dict[str, Any]) -> None:
        plain, other = (open_iter(ten, shuffle=True, **AUGMENTED, **keywords) for keywords in ({}, settings))
        assert digest(plain) == digest(other)

    @pytest.mark.parametrize("name", ["path_imgidx", "path_imglist", "mean_img", "rotate_list"])
    def test_empty_str_means_none(self, ten: RecordFile, name: str) -> None:
        """It is MXNet's default."""
        assert numbers(open_iter(ten, **{name: ""})) == list(range(10))

    @pytest.mark.parametrize("name", ["shuffle_chunk_size", "shuffle_chunk_seed"])
    def test_shuffle_chunk_keywords_warn_once(
        self, ten: RecordFile, caplog: pytest.LogCaptureFixture, name: str
    ) -> None:
        _image_record._warn_of_chunks.cache_clear()
        with caplog.at_level(logging.WARNING, "recio"):
            open_iter(ten, **{name: 0})
            assert caplog.messages == []
            for _ in range(3):
                open_iter(ten, **{name: 64})
        assert len(caplog.messages) == 1
        assert "have no effect" in caplog.messages[0]

    @pytest.mark.parametrize(
        ("make", "dtype"),
        [
            (ImageRecordUInt8Iter, np.uint8),
            (ImageRecordUInt8Iter_v1, np.uint8),
            (ImageRecordInt8Iter, np.int8),
            (ImageRecordIter_v1, np.float32),
        ],
    )
    def test_aliases_only_set_the_dtype(
        self, ten: RecordFile, make: Callable[..., ImageRecordIter], dtype: type[np.generic]
    ) -> None:
        settings: dict[str, Any] = {"path_imgrec": ten.rec, "batch_size": 4, "mean_r": 100.0, **AUGMENTED}
        batches = make(**settings)
        assert batches.provide_data[0].dtype == dtype
        assert digest(batches) == digest(ImageRecordIter(dtype=dtype, **settings))

    @pytest.mark.parametrize("make", [ImageRecordUInt8Iter, ImageRecordInt8Iter])
    def test_dtype_of_aliases_cannot_be_changed(self, ten: RecordFile, make: Callable[..., ImageRecordIter]) -> None:
        plain, other = (
            make(path_imgrec=ten.rec, data_shape=(3, 8, 8), batch_size=4, **dtype)
            for dtype in ({}, {"dtype": "float32"})
        )
        assert digest(plain) == digest(other)

    def test_keywords_of_aliases_are_checked(self, ten: RecordFile) -> None:
        with pytest.raises(TypeError, match="did you mean 'shuffle'"):
            ImageRecordUInt8Iter(path_imgrec=ten.rec, data_shape=(3, 8, 8), batch_size=4, shufle=True)
