"""Records, labels, batches, epochs and shards of `ImageRecordIter`."""

from __future__ import annotations

import logging
import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio
from recio.io import DataDesc
from recio.recordio import IRHeader, pack
from tests.support.records import (
    RecordFile,
    epochs,
    image_record,
    in_batch,
    labels,
    noise,
    numbers,
    open_iter,
    png,
    write_images,
    write_records,
    write_tiny,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class TestFiles:
    @pytest.fixture
    def two(self, tmp_path: Path) -> tuple[RecordFile, RecordFile]:
        """Write records 0 to 2 to one file, 3 to 6 to another."""
        image = png(noise(8, 8))
        records = [image_record(image, number) for number in range(7)]
        return write_records(tmp_path, records[:3], "a"), write_records(tmp_path, records[3:], "b")

    @pytest.mark.parametrize("kind", ["str", "Path"])
    def test_one_file_by_its_path(self, ten: RecordFile, kind: str) -> None:
        path = str(ten.rec) if kind == "str" else ten.rec
        assert numbers(open_iter(ten, path_imgrec=path)) == list(range(10))

    @pytest.mark.parametrize("kind", ["semicolons", "list", "paths"])
    def test_several_files_are_read_as_one(self, two: tuple[RecordFile, RecordFile], kind: str) -> None:
        paths = [file.rec for file in two]
        texts = [str(path) for path in paths]
        path_imgrec = {"semicolons": ";".join(texts), "list": texts, "paths": tuple(paths)}[kind]
        assert numbers(open_iter(two[0], path_imgrec=path_imgrec)) == list(range(7))

    def test_index_of_each_file_selects_its_records(self, two: tuple[RecordFile, RecordFile]) -> None:
        two[1].idx.write_text(f"9\t{two[1].offsets[3]}\n4\t{two[1].offsets[1]}\n")
        batches = open_iter(two[0], path_imgrec=[file.rec for file in two], path_imgidx=[file.idx for file in two])
        assert numbers(batches) == [0, 1, 2, 4, 6]

    def test_one_index_covers_all_files(self, two: tuple[RecordFile, RecordFile]) -> None:
        first, second = two
        start = first.rec.stat().st_size
        offsets = [first.offsets[2], start + second.offsets[0], start + second.offsets[3]]
        first.idx.write_text("".join(f"{key}\t{offset}\n" for key, offset in enumerate(offsets)))
        batches = open_iter(first, path_imgrec=[file.rec for file in two], path_imgidx=first.idx)
        assert numbers(batches) == [2, 3, 6]

    def test_records_are_in_file_order_for_any_index_order(self, ten: RecordFile) -> None:
        lines = ten.idx.read_text().splitlines(keepends=True)
        ten.idx.write_text("".join(reversed(lines)))
        assert numbers(open_iter(ten, path_imgidx=ten.idx)) == list(range(10))

    def test_wrong_number_of_indexes_is_refused(self, ten: RecordFile) -> None:
        with pytest.raises(ValueError, match="2 index files for 1 record files"):
            open_iter(ten, path_imgidx=[ten.idx, ten.idx])

    @pytest.mark.parametrize("name", ["path_imgrec", "path_imgidx", "path_imglist"])
    def test_missing_file_is_named(self, ten: RecordFile, tmp_path: Path, name: str) -> None:
        missing = tmp_path / "missing"
        with pytest.raises(FileNotFoundError, match="missing") as caught:
            open_iter(ten, **{name: missing})
        assert caught.value.filename == str(missing)

    def test_empty_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(recio.RecordError, match="the file is empty"):
            open_iter(write_records(tmp_path, []))

    def test_opened_files_are_logged_if_verbose(self, ten: RecordFile, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "recio"):
            open_iter(ten, verbose=False)
            assert caplog.messages == []
            open_iter(ten)
        assert caplog.messages == [f"{ten.rec}: 3 batches of 4, 2 threads"]


class TestLabels:
    @pytest.fixture
    def mixed(self, tmp_path: Path) -> RecordFile:
        """Write four records, with one, three, two and one label."""
        label_list: list[float | list[float]] = [7.0, [1.0, 2.0, 3.0], [4.0, 5.0], [6.0]]
        image = png(noise(8, 8))
        return write_records(tmp_path, [image_record(image, n, label) for n, label in enumerate(label_list)])

    def write_list(self, folder: Path, lines: Sequence[str]) -> Path:
        path = folder / "some.lst"
        path.write_text("".join(line.replace(" ", "\t") + "\timage.png\n" for line in lines))
        return path

    def test_single_labels_are_a_vector(self, ten: RecordFile) -> None:
        batch = open_iter(ten).next()
        assert labels(batch) == [0, 1, 2, 3]
        assert batch.label is not None
        assert batch.label[0].shape == (4,)
        assert batch.label[0].dtype == np.float32

    def test_label_width_minus_1_pads_to_the_widest(self, mixed: RecordFile) -> None:
        batches = open_iter(mixed, label_width=-1, label_pad_value=-9)
        assert labels(batches.next()) == [[7, -9, -9], [1, 2, 3], [4, 5, -9], [6, -9, -9]]
        assert batches.provide_label == [("softmax_label", (4, 3))]

    def test_label_width_minus_1_of_single_labels_is_a_column(self, ten: RecordFile) -> None:
        assert labels(open_iter(ten, label_width=-1).next()) == [[0], [1], [2], [3]]

    @pytest.mark.parametrize(("width", "record", "count"), [(1, 1, 3), (3, 0, 1), (2, 0, 1)])
    def test_wrong_label_width_is_an_error_that_names_the_record(
        self, mixed: RecordFile, width: int, record: int, count: int
    ) -> None:
        with pytest.raises(recio.RecordError, match=f"{count} labels, but label_width={width}") as caught:
            open_iter(mixed, label_width=width).next()
        assert (caught.value.record, caught.value.id) == (record, 100 + record)

    def test_labels_of_a_list_replace_those_of_the_records_by_id(self, ten: RecordFile, tmp_path: Path) -> None:
        lines = [f"{100 + n} {n / 2}" for n in reversed(range(10))]
        batches = open_iter(ten, path_imglist=self.write_list(tmp_path, lines))
        assert labels(batches.next()) == [0, 0.5, 1, 1.5]

    def test_list_may_have_another_label_width_than_the_records(self, ten: RecordFile, tmp_path: Path) -> None:
        path = self.write_list(tmp_path, [f"{100 + n} {n} {-n}" for n in range(10)])
        assert labels(open_iter(ten, path_imglist=path, label_width=2).next()) == [[0, 0], [1, -1], [2, -2], [3, -3]]

    def test_label_width_minus_1_pads_labels_of_a_list(self, ten: RecordFile, tmp_path: Path) -> None:
        path = self.write_list(tmp_path, ["100 5", "101 6 7", *(f"{100 + n} 0" for n in range(2, 10))])
        batches = open_iter(ten, path_imglist=path, label_width=-1, label_pad_value=-1)
        assert labels(batches.next()) == [[5, -1], [6, 7], [0, -1], [0, -1]]

    def test_id_missing_in_the_list_is_an_error(self, ten: RecordFile, tmp_path: Path) -> None:
        path = self.write_list(tmp_path, [f"{100 + n} 0" for n in range(10) if n != 2])
        with pytest.raises(recio.RecordError, match="path_imglist has no line for id 102") as caught:
            open_iter(ten, path_imglist=path).next()
        assert (caught.value.record, caught.value.id) == (2, 102)

    @pytest.mark.parametrize("indexed", [False, True])
    def test_equal_ids_are_refused_with_a_list(self, indexed: bool, tmp_path: Path) -> None:
        """Each would get the label of the same line, as in MXNet."""
        file = write_records(tmp_path, [pack(IRHeader(0, 1.0, n, 0), png(noise(8, 8))) for n in (4, 5, 4)])
        path = self.write_list(tmp_path, ["4 0", "5 0"])
        assert labels(open_iter(file, batch_size=3).next()) == [1, 1, 1]
        settings: dict[str, Any] = {"path_imgidx": file.idx} if indexed else {}
        with pytest.raises(recio.RecordError, match=r"record 2 \(id 4\).*record 0 has the same id, so labels"):
            open_iter(file, path_imglist=path, **settings)

    def test_label_that_float32_would_change_is_refused(self, ten: RecordFile, tmp_path: Path) -> None:
        path = self.write_list(tmp_path, ["100 0", "101 25130987"])
        with pytest.raises(recio.RecordError, match=r"some\.lst: line 2: the label 25130987 is not .* become 25130988"):
            open_iter(ten, path_imglist=path)

    def test_list_of_the_wrong_label_width_is_an_error(self, ten: RecordFile, tmp_path: Path) -> None:
        path = self.write_list(tmp_path, [f"{100 + n} 0 1" for n in range(10)])
        with pytest.raises(recio.RecordError, match="2 labels, but label_width=1"):
            open_iter(ten, path_imglist=path).next()

    def test_invalid_line_is_named(self, ten: RecordFile, tmp_path: Path) -> None:
        path = self.write_list(tmp_path, ["100 0", "101 cat"])
        with pytest.raises(recio.RecordError, match=r'some\.lst: line 2: the label must be a number, got "cat"'):
            open_iter(ten, path_imglist=path)


class TestEpochs:
    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("batch_size", [1, 3, 4, 5, 10, 11, 25])
    def test_every_epoch_has_every_record_once(self, ten: RecordFile, batch_size: int, shuffle: bool) -> None:
        batches = open_iter(ten, batch_size=batch_size, shuffle=shuffle)
        assert len(batches) == math.ceil(10 / batch_size)
        for epoch in epochs(batches, 4):
            assert len(epoch) == len(batches)
            assert sorted(numbers(epoch)) == list(range(10))
            assert [batch.pad for batch in epoch] == [0] * (len(epoch) - 1) + [-10 % batch_size]

    @pytest.mark.parametrize("batch_size", [4, 25])
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_incomplete_batch_is_padded_from_the_start_of_the_epoch(
        self, ten: RecordFile, batch_size: int, shuffle: bool
    ) -> None:
        for epoch in epochs(open_iter(ten, batch_size=batch_size, shuffle=shuffle), 3):
            in_order = numbers(epoch)
            batch_numbers = list(chain.from_iterable(in_batch(batch) for batch in epoch))
            assert batch_numbers == [in_order[i % 10] for i in range(len(batch_numbers))]

    def test_padding_has_its_own_data_and_labels(self, tmp_path: Path) -> None:
        pixels = [noise(8, 8, seed=seed) for seed in range(3)]
        batch = open_iter(write_images(tmp_path, map(png, pixels)), batch_size=5, layout="NHWC").next()
        assert labels(batch) == [0, 1, 2, 0, 1]
        np.testing.assert_array_equal(batch.data[0], [pixels[n] for n in (0, 1, 2, 0, 1)])

    @pytest.mark.parametrize("batch_size", [4, 25])
    def test_without_round_batch_padding_is_zeros(self, ten: RecordFile, batch_size: int) -> None:
        """Also in later epochs, in which the batch reuses memory."""
        batches = open_iter(ten, batch_size=batch_size, round_batch=False, label_width=-1)
        for epoch in epochs(batches, 10):
            last = epoch[-1]
            pad = -10 % batch_size
            assert last.pad == pad
            assert last.index is not None
            assert last.label is not None
            assert [array[-pad:].any() for array in (last.data[0], last.label[0], last.index)] == [False] * 3
            assert last.data[0][: batch_size - pad].any(axis=(1, 2, 3)).all()

    @pytest.mark.parametrize("read", [0, 1, 2, 3])
    @pytest.mark.parametrize("times", [1, 2])
    def test_reset_starts_a_new_epoch_at_any_time(self, ten: RecordFile, read: int, times: int) -> None:
        batches = open_iter(ten)
        for _ in range(5):
            for _ in range(read):
                batches.next()
            for _ in range(times):
                batches.reset()
        assert numbers(batches) == list(range(10))

    def test_second_reset_does_not_skip_an_epoch(self, ten: RecordFile) -> None:
        once, twice = open_iter(ten, shuffle=True), open_iter(ten, shuffle=True)
        for batches, resets in ((once, 1), (twice, 2)):
            list(batches)
            for _ in range(resets):
                batches.reset()
        assert numbers(once) == numbers(twice)

    def test_epoch_order_does_not_depend_on_how_the_last_epoch_ended(self, ten: RecordFile) -> None:
        complete, partial = open_iter(ten, shuffle=True), open_iter(ten, shuffle=True)
        list(complete)
        partial.next()
        for batches in (complete, partial):
            batches.reset()
        assert numbers(complete) == numbers(partial)

    def test_end_lasts_until_reset(self, ten: RecordFile) -> None:
        batches = open_iter(ten)
        list(batches)
        for _ in range(3):
            with pytest.raises(StopIteration):
                batches.next()
            assert not batches.iter_next()
        batches.reset()
        assert batches.iter_next()

    def test_iter_next_advances_and_getters_return_one_array_of_the_current_batch(self, ten: RecordFile) -> None:
        batches = open_iter(ten)
        assert batches.iter_next()
        assert batches.iter_next()
        index, label = batches.getindex(), batches.getlabel()
        assert index is not None
        assert (index.tolist(), label.tolist()) == ([104, 105, 106, 107], [4, 5, 6, 7])
        assert (batches.getdata().shape, batches.getpad()) == ((4, 3, 8, 8), 0)

    @pytest.mark.parametrize("restart", [False, True])
    def test_getters_return_the_first_batch_before_it_is_asked_for(self, ten: RecordFile, restart: bool) -> None:
        """MXNet makes it at construction."""
        batches = open_iter(ten)
        if restart:
            list(batches)
            batches.reset()
        state = batches.state_dict()
        index = batches.getindex()
        assert index is not None
        assert index.tolist() == [100, 101, 102, 103]
        assert (batches.getlabel().tolist(), batches.getpad()) == ([0, 1, 2, 3], 0)
        assert batches.state_dict() == state
        first = batches.next()
        assert first.data[0] is batches.getdata()
        assert batches.iter_next()
        assert batches.getlabel().tolist() == [4, 5, 6, 7]
        assert batches.next().pad == batches.getpad() == 2

    def test_iter_next_moves_to_the_batch_that_a_getter_made(self, ten: RecordFile) -> None:
        batches = open_iter(ten)
        batches.getdata()
        positions = []
        while batches.iter_next():
            positions.append(batches.getlabel().tolist())
        assert positions == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]

    def test_getters_raise_after_the_end(self, ten: RecordFile) -> None:
        batches = open_iter(ten)
        list(batches)
        for get in (batches.getdata, batches.getlabel, batches.getindex, batches.getpad):
            with pytest.raises(ValueError, match="there is no current batch"):
                get()

    def test_provide_data_and_provide_label(self, ten: RecordFile) -> None:
        batches = open_iter(ten, layout="NHWC", data_name="x", label_name="y")
        batch = batches.next()
        assert batches.provide_data == batch.provide_data == [DataDesc("x", (4, 8, 8, 3))]
        assert batches.provide_label == batch.provide_label == [DataDesc("y", (4,))]
        assert (batches.provide_data[0].dtype, batches.provide_data[0].layout) == (np.uint8, "NHWC")
        assert (batches.provide_label[0].dtype, batches.provide_label[0].layout) == (np.float32, "N")

    def test_ids_are_64_bit_integers(self, tmp_path: Path) -> None:
        ids = [0, 2**24 + 1, 2**53 + 1, 2**64 - 1]
        image = png(noise(8, 8))
        records = [recio.recordio.pack(recio.recordio.IRHeader(0, 1.0, id_, 0), image) for id_ in ids]
        batch = open_iter(write_records(tmp_path, records)).next()
        assert batch.index is not None
        assert batch.index.dtype == np.uint64
        assert batch.index.tolist() == ids


class TestShards:
    @pytest.mark.parametrize("indexed", [False, True])
    @pytest.mark.parametrize("num_parts", [1, 2, 3, 4, 6, 10])
    def test_shards_are_even_and_cover_all_records(self, ten: RecordFile, num_parts: int, indexed: bool) -> None:
        index = {"path_imgidx": ten.idx} if indexed else {}
        shards = [numbers(open_iter(ten, num_parts=num_parts, part_index=i, **index)) for i in range(num_parts)]
        assert sorted(chain.from_iterable(shards)) == list(range(10))
        assert max(map(len, shards)) - min(map(len, shards)) <= 1

    def test_shard_is_shuffled_and_padded_within_itself(self, ten: RecordFile) -> None:
        batches = open_iter(ten, num_parts=2, part_index=1, shuffle=True)
        for epoch in epochs(batches, 5):
            assert sorted(numbers(epoch)) == [5, 6, 7, 8, 9]
            assert {*chain.from_iterable(in_batch(batch) for batch in epoch)} == {5, 6, 7, 8, 9}

    def test_empty_shard_has_no_batches(self, tmp_path: Path) -> None:
        batches = open_iter(write_tiny(tmp_path, 1), num_parts=2, part_index=0, shard_policy="uneven")
        assert (list(batches), len(batches), bool(batches)) == ([], 0, True)
        batches.reset()
        assert list(batches) == []
