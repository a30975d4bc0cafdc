"""Damaged samples that are passed over: which, what the batches are like, and how the caller hears of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import recio
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageDetRecordIter, ImageMaskRecordIter
from recio.recordio import IRHeader, pack
from tests.support.processes import run_python
from tests.support.records import (
    FIRST_ID,
    RecordFile,
    epochs,
    image_record,
    in_batch,
    noise,
    numbers,
    open_iter,
    png,
    write_records,
)

BAD = [1, 6, 7, 13]
GOOD = [n for n in range(17) if n not in BAD]


@pytest.fixture
def damaged(tmp_path: Path) -> RecordFile:
    """Seventeen records, of which some hold no whole image."""
    image = png(noise(8, 8))
    return write_records(tmp_path, (image_record(image[:60] if n in BAD else image, n) for n in range(17)), "damaged")


def skipping(file: RecordFile, **settings: Any) -> recio.io.ImageRecordIter:  # noqa: ANN401 they are of many types
    return open_iter(file, path_imgidx=file.idx, **{"on_error": "skip", **settings})


def test_batches_stay_full_and_every_other_sample_is_read_once(damaged: RecordFile) -> None:
    batches = skipping(damaged)
    given = [(in_batch(batch), batch.pad) for batch in batches]
    assert given == [([0, 2, 3, 4], 0), ([5, 8, 9, 10], 0), ([11, 12, 14, 15], 0), ([16, 0, 2, 3], 3)]


def test_skipped_samples_are_listed_with_position_and_reason(damaged: RecordFile) -> None:
    batches = skipping(damaged)
    assert batches.errors == []
    list(batches)
    assert [error.record for error in batches.errors] == BAD
    first = batches.errors[0]
    assert (first.path, first.id, first.offset) == (str(damaged.rec), FIRST_ID + 1, damaged.offsets[1])
    assert first.reason.startswith("PNG: the file is cut short: it has 60 bytes")


def test_skipped_sample_is_listed_once_for_any_number_of_epochs(damaged: RecordFile) -> None:
    batches = skipping(damaged, shuffle=True)
    for epoch in epochs(batches, 4):
        assert sorted(numbers(epoch)) == GOOD
    assert sorted(error.record or 0 for error in batches.errors) == BAD


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_do_not_depend_on_threads_prefetch_or_resume(damaged: RecordFile, shuffle: bool) -> None:
    settings: dict[str, Any] = {"shuffle": shuffle, "rand_mirror": True, "seed": 3}

    def stream(**more: int) -> tuple[list[Any], list[Any]]:
        batches = skipping(damaged, **settings, **more)
        taken = [(in_batch(b), b.pad, b.data[0].tobytes()) for epoch in epochs(batches, 3) for b in epoch]
        return taken, [error.record for error in batches.errors]

    expected = stream(preprocess_threads=1, prefetch_buffer=1)
    for threads in (2, 3, 8):
        for prefetch in (1, 2, 5):
            assert stream(preprocess_threads=threads, prefetch_buffer=prefetch) == expected
    for count in range(13):
        first = skipping(damaged, **settings)
        taken = 0
        while taken < count:
            for _ in first:
                taken += 1
                if taken == count:
                    break
            else:
                first.reset()
        resumed = skipping(damaged, **settings)
        resumed.load_state_dict(json.loads(json.dumps(first.state_dict())))
        rest: list[Any] = []
        while len(rest) < len(expected[0]) - count:
            rest += [(in_batch(b), b.pad, b.data[0].tobytes()) for b in resumed]
            resumed.reset()
        assert rest[: len(expected[0]) - count] == expected[0][count:]


def test_damaged_frame_is_skipped_if_an_index_lists_the_next(damaged: RecordFile) -> None:
    content = bytearray(damaged.rec.read_bytes())
    content[damaged.offsets[4]] ^= 0xFF
    damaged.rec.write_bytes(content)
    batches = skipping(damaged)
    assert sorted(numbers(list(batches))) == [n for n in GOOD if n != 4]
    frame = next(error for error in batches.errors if error.record == 4)
    assert frame.offset == damaged.offsets[4]
    assert "magic" in frame.reason


def test_damaged_sample_is_an_error_by_default(damaged: RecordFile) -> None:
    with pytest.raises(recio.DecodeError, match="record 1 "):
        open_iter(damaged).next()


def test_callback_gets_each_sample_once_and_may_raise(damaged: RecordFile) -> None:
    told: list[Any] = []
    batches = skipping(damaged, on_error=told.append)
    for _ in epochs(batches, 2):
        pass
    assert [error.record for error in told] == BAD
    assert all(isinstance(error, recio.DecodeError) for error in told)

    def refuse(error: Exception) -> None:
        raise RuntimeError("no") from error

    batches = skipping(damaged, on_error=refuse)
    with pytest.raises(RuntimeError, match="no"):
        batches.next()
    # It can be used on: the batch after the one whose sample was refused.
    batches = skipping(damaged, on_error=lambda error: None if error.record != 1 else refuse(error))
    with pytest.raises(RuntimeError, match="no"):
        batches.next()
    assert in_batch(batches.next()) == [5, 8, 9, 10]


def test_log_has_a_line_for_each_sample(damaged: RecordFile, tmp_path: Path) -> None:
    log = tmp_path / "errors.jsonl"
    list(skipping(damaged, error_log=log))
    list(skipping(damaged, error_log=log))
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["record"] for row in rows] == BAD * 2
    assert {*rows[0]} == {"path", "record", "id", "offset", "reason"}


@pytest.mark.parametrize("path", ["/dev/full", "missing/errors.jsonl", "a folder", "a file/errors.jsonl"])
def test_failing_log_costs_no_batch_and_is_reported_once(
    damaged: RecordFile, tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    batches = skipping(damaged, error_log=tmp_path / path)
    expected = [in_batch(batch) for batch in skipping(damaged)]
    caplog.clear()
    assert [in_batch(batch) for batch in batches] == expected
    assert [error.record for error in batches.errors] == BAD
    reports = [record.getMessage() for record in caplog.records if "error_log" in record.getMessage()]
    assert len(reports) == 1
    assert path in reports[0]


def test_log_that_becomes_writable_has_all_samples(damaged: RecordFile, tmp_path: Path) -> None:
    log = tmp_path / "later" / "errors.jsonl"
    batches = skipping(damaged, error_log=log)
    batches.next()
    log.parent.mkdir()
    list(batches)
    assert [json.loads(line)["record"] for line in log.read_text().splitlines()] == BAD


def test_log_on_a_full_disk_has_no_partial_line(damaged: RecordFile, tmp_path: Path) -> None:
    log = tmp_path / "errors.jsonl"
    script = """
import resource, signal
from recio.io import ImageRecordIter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (settings["room"], resource.RLIM_INFINITY))
batches = ImageRecordIter(
    path_imgrec=settings["rec"], path_imgidx=settings["idx"], data_shape=(3, 8, 8), batch_size=1, prefetch_buffer=1,
    on_error="skip", error_log=settings["log"],
)
print(sum(1 for _ in batches))
"""
    child = run_python(script, rec=str(damaged.rec), idx=str(damaged.idx), log=str(log), room=300)
    assert child.stdout == f"{len(GOOD)}\n", child.stderr
    assert child.stderr.count("error_log") == 1
    lines = log.read_text().splitlines()
    assert 0 < len(lines) < len(BAD)
    assert [json.loads(line)["record"] for line in lines] == BAD[: len(lines)]


def test_log_and_messages_have_no_control_characters(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Names that would change a terminal, or disguise themselves; the log still has the paths."""
    files = ["\x1b[31mred.png", "\x9b31m.png", "\u202egnp.png", "del\x7f.png", "line\n.png", "caf\u00e9.png"]
    for name in files:
        (tmp_path / name).write_bytes(b"nothing")
    (tmp_path / "good.png").write_bytes(png(noise(8, 8)))
    log = tmp_path / "errors.jsonl"
    with caplog.at_level("WARNING"):
        batches = ImageIter(
            1,
            (3, 8, 8),
            imglist=[[0.0, name] for name in [*files, "good.png"]],
            path_root=tmp_path,
            on_error="skip",
            error_log=log,
        )
        assert len(list(batches)) == 1
    text = log.read_text(encoding="utf-8")
    assert all(char.isprintable() or char == "\n" for char in text)
    assert [json.loads(line)["path"] for line in text.splitlines()] == [str(tmp_path / name) for name in files]
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(files)
    assert all(char.isprintable() for message in messages for char in message)


def test_log_of_a_record_file_whose_name_is_not_text(damaged: RecordFile, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9\x1b")
    folder.mkdir()
    files = RecordFile(folder / "a.rec", folder / "a.idx")
    shutil.copy(damaged.rec, files.rec)
    shutil.copy(damaged.idx, files.idx)
    log = folder / "errors.jsonl"
    batches = skipping(files, error_log=log)
    assert sum(1 for _ in batches) == 4
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(row["record"], row["path"]) for row in rows] == [(record, str(files.rec)) for record in BAD]


@pytest.mark.parametrize(("most", "allowed"), [(0, 0), (3, 3), (0.2, 3), (0.0, 0)])
def test_exceeding_max_errors_raises(damaged: RecordFile, most: float, allowed: int) -> None:
    batches = skipping(damaged, max_errors=most)
    with pytest.raises(recio.TooManyErrors, match=rf"{max(allowed, 0) + 1 if allowed != 0 else 1} of 17|of 17 samples"):
        list(batches)
    assert len(batches.errors) > allowed
    with pytest.raises(recio.TooManyErrors):
        batches.next()


@pytest.mark.parametrize("most", [4, 17, 0.25, 1.0, None])
def test_reaching_max_errors_does_not_raise(damaged: RecordFile, most: float | None) -> None:
    assert len(list(skipping(damaged, max_errors=most))) == 4


def test_fully_damaged_data_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    file = write_records(tmp_path, (image_record(b"no image", n) for n in range(5)))
    batches = skipping(file)
    for _ in range(2):
        with pytest.raises(recio.DecodeError, match=r"none of the 5 samples can be read; the first: .*record 0 "):
            batches.next()
        assert len(batches.errors) == 5
        batches.reset()


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize("policy", ["pad", "drop"])
def test_ranks_have_equal_batch_counts_despite_damage(damaged: RecordFile, parts: int, policy: str) -> None:
    given = [
        [list(epoch) for epoch in epochs(skipping(damaged, num_parts=parts, part_index=part, shard_policy=policy), 2)]
        for part in range(parts)
    ]
    assert len({len(epoch) for rank in given for epoch in rank}) == 1
    if policy == "pad":
        for epoch in range(2):
            assert sorted(n for rank in given for n in numbers(rank[epoch])) == GOOD


def test_exception_of_a_user_function_is_not_skipped(damaged: RecordFile) -> None:
    def fail(_: object) -> NoReturn:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        skipping(damaged, aug_list=[fail]).next()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"on_error": "ignore"}, "on_error must be 'raise', 'skip' or a function, got 'ignore'"),
        ({"on_error": "raise", "max_errors": 3}, "nothing is skipped otherwise"),
        ({"on_error": "raise", "error_log": "x"}, "nothing is skipped otherwise"),
        ({"max_errors": -1}, "max_errors must be an integer of at least 0, .*, got -1"),
        ({"max_errors": 1.5}, "max_errors must .*, got 1.5"),
        ({"max_errors": True}, "max_errors must .*, got True"),
    ],
)
def test_invalid_settings_are_refused(damaged: RecordFile, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        skipping(damaged, **settings)


def test_image_iter_skips_missing_and_invalid_files(tmp_path: Path) -> None:
    image = png(noise(8, 8))
    for n in range(6):
        (tmp_path / f"{n}.png").write_bytes(b"nothing" if n == 2 else image)
    (tmp_path / "4.png").unlink()
    batches = ImageIter(
        2, (3, 8, 8), imglist=[[float(n), f"{n}.png"] for n in range(6)], path_root=tmp_path, on_error="skip"
    )
    assert [batch.label[0].tolist() for batch in batches if batch.label] == [[0, 1], [3, 5]]
    assert [(Path(error.path or "").name, error.record) for error in batches.errors] == [("2.png", 2), ("4.png", 4)]


def test_boxes_and_masks_are_skipped_with_their_images(tmp_path: Path) -> None:
    image = png(noise(8, 8))
    label = [2, 5, 1, 0.1, 0.1, 0.9, 0.9]

    def records(name: str, payloads: list[bytes], labels: Any) -> RecordFile:  # noqa: ANN401 a number or several
        rows = (pack(IRHeader(0, labels, n, 0), payload) for n, payload in enumerate(payloads))
        return write_records(tmp_path, rows, name)

    boxes = records("boxes", [image, image[:40], image, image], label)
    det = ImageDetRecordIter(
        path_imgrec=boxes.rec, data_shape=(3, 8, 8), batch_size=3, on_error="skip", label_pad_width=20
    )
    assert det.next().index is not None
    assert [error.record for error in det.errors] == [1]
    table = ImageDetIter(3, (3, 8, 8), path_imgrec=boxes.rec, on_error="skip")
    assert len(list(table)) == 1
    assert [error.record for error in table.errors] == [1]
    masks = records("masks", [png(np.zeros((8, 8, 1), np.uint8)), png(np.zeros((8, 8, 1), np.uint8)), b"none"], 0.0)
    pairs = records("pairs", [image, image[:40], image], 0.0)
    both = ImageMaskRecordIter(
        path_imgrec=pairs.rec, path_maskrec=masks.rec, data_shape=(3, 8, 8), batch_size=1, on_error="skip"
    )
    assert len(list(both)) == 1
    assert [error.id for error in both.errors] == [1, 2]


def test_hooks_skip_unreadable_and_undecodable_samples(damaged: RecordFile) -> None:
    class Hooked(ImageIter):
        def postprocess_data(self, datum: Any) -> Any:  # noqa: ANN401 an image
            return super().postprocess_data(datum)

    batches = Hooked(4, (3, 8, 8), path_imgrec=damaged.rec, path_imgidx=damaged.idx, on_error="skip")
    for _ in range(2):
        labels = [n for batch in batches if batch.label for n in batch.label[0][: 4 - (batch.pad or 0)].tolist()]
        assert labels == GOOD
        batches.reset()
    assert [error.record for error in batches.errors] == BAD
    with pytest.raises(recio.DecodeError):
        list(Hooked(4, (3, 8, 8), path_imgrec=damaged.rec))


def test_without_an_index_complete_records_of_a_damaged_file_are_salvaged(tmp_path: Path) -> None:
    file = write_records(tmp_path, (image_record(png(noise(8, 8)), n) for n in range(12)))
    content = bytearray(file.rec.read_bytes())
    content[file.offsets[5] : file.offsets[5] + 3] = b"???"
    file.rec.write_bytes(content)
    with pytest.raises(recio.RecordError, match="record 4 "):
        open_iter(file)
    batches = open_iter(file, on_error="skip", batch_size=3)
    found = [FIRST_ID + n for n in range(12) if n not in {4, 5}]
    given = [int(n) for batch in batches if batch.index is not None for n in batch.index[: 3 - (batch.pad or 0)]]
    # Record 4 is whole, but what follows it is not the head of a record.
    assert [n for n in given if n != FIRST_ID + 4] == found
    lost = batches.errors[0]
    assert (lost.path, lost.offset) == (str(file.rec), file.offsets[5])
    assert f"skipped up to byte {file.offsets[6]}" in lost.reason


def test_object_tables_and_padded_labels_skip_damaged_headers(tmp_path: Path) -> None:
    image, label = png(noise(8, 8)), [2, 5, 1, 0.1, 0.1, 0.9, 0.9]
    file = write_records(tmp_path, (pack(IRHeader(0, label, n, 0), image) for n in range(4)))
    content = bytearray(file.rec.read_bytes())
    content[file.offsets[2] + 8 : file.offsets[2] + 12] = b"\xff\xff\xff\x7f"
    file.rec.write_bytes(content)
    indexed: dict[str, Any] = {"path_imgrec": file.rec, "path_imgidx": file.idx, "on_error": "skip"}
    assert [batch.pad for batch in ImageDetIter(3, (3, 8, 8), **indexed)] == [0]
    padded = open_iter(file, label_width=-1, batch_size=3, **indexed)
    assert [in_batch(batch) for batch in padded] == [[n - FIRST_ID for n in (0, 1, 3)]]
    assert [error.record for error in padded.errors] == [2]
