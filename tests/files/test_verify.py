"""`recio.verify` and `recio.info` on sound and on damaged files."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest

import recio
from recio.recordio import IRHeader, MXIndexedRecordIO, pack
from tests.support.records import (
    FIRST_ID,
    PHOTOS,
    RecordFile,
    image_record,
    noise,
    open_iter,
    png,
    write_images,
    write_records,
    write_tiny,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recio.files import Problem, VerifyReport


def change(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(content)


def only(verified: VerifyReport) -> Problem:
    assert verified.total == 1, verified.problems
    assert not verified.ok
    return verified.problems[0]


def test_sound_file_has_no_problems(tmp_path: Path) -> None:
    file = write_images(tmp_path, [PHOTOS[0].read_bytes(), png(noise(8, 8)), png(noise(9, 7, 1))])
    for decode in (True, False):
        report = recio.verify(file.rec, decode=decode)
        assert (report.path, report.records, report.bytes) == (file.rec, 3, file.rec.stat().st_size)
        assert (report.has_index, report.has_checksums, report.unlisted, report.identities) == (True, False, 0, None)
        assert (report.problems, report.total) == ([], 0)
    assert recio.verify(file.rec).ok


@pytest.mark.parametrize("threads", [1, 3])
def test_damaged_header_is_a_framing_problem_up_to_the_next_record(ten: RecordFile, threads: int) -> None:
    change(ten.rec, ten.offsets[4], b"\0")
    problem, index = recio.verify(ten.rec, threads=threads).problems
    assert (problem.kind, problem.offset, problem.end) == ("framing", ten.offsets[4], ten.offsets[5])
    assert problem.reason == "magic 0xced72300, expected 0xced7230a"
    assert (index.kind, index.offset) == ("index", ten.offsets[4])


def test_record_numbers_equal_those_of_iterators(tmp_path: Path) -> None:
    photo = png(noise(8, 8))
    file = write_images(tmp_path, [photo, photo, b"not an image", photo])
    change(file.rec, file.offsets[0], b"\0")
    image = recio.verify(file.rec).problems[-1]
    batches = open_iter(file, path_imgidx=file.idx, batch_size=1, on_error="skip")
    assert len(list(batches)) == 2
    skipped = {error.offset: error.record for error in batches.errors}
    assert skipped == {file.offsets[0]: 0, image.offset: image.record} == {file.offsets[0]: 0, file.offsets[2]: 2}


def test_truncation_is_a_framing_problem(ten: RecordFile) -> None:
    size, begin = ten.rec.stat().st_size, ten.offsets[9]
    ten.idx.unlink()
    with ten.rec.open("r+b") as stream:
        stream.truncate(size - 10)
    problem = only(recio.verify(ten.rec))
    assert (problem.kind, problem.offset, problem.end) == ("framing", begin, size - 10)


def test_record_without_a_valid_header_is_a_header_problem(tmp_path: Path) -> None:
    good = [image_record(png(noise(8, 8)), number) for number in range(3)]
    for bad, reason in [
        (b"short", "5 bytes are too short"),
        (struct.pack("<IfQQ", 1000, 0, 7, 0), "the header claims 1000 labels"),
    ]:
        file = write_records(tmp_path, [*good[:2], bad, good[2]])
        problem = only(recio.verify(file.rec, decode=False))
        assert (problem.kind, problem.record, problem.offset) == ("header", 2, file.offsets[2])
        assert reason in problem.reason


def test_undecodable_image_is_an_image_problem(tmp_path: Path) -> None:
    photo = PHOTOS[0].read_bytes()
    for bad in (b"not an image", photo[: len(photo) // 2]):
        file = write_images(tmp_path, [photo, bad, photo])
        problem = only(recio.verify(file.rec))
        location = (problem.kind, problem.record, problem.id, problem.offset, problem.end)
        assert location == ("image", 1, FIRST_ID + 1, file.offsets[1], file.offsets[2])
        assert recio.verify(file.rec, decode=False).ok


def test_image_with_unused_data_is_an_image_problem(tmp_path: Path) -> None:
    """A lost sector of zeros is valid entropy-coded data: iterators accept such an image, as MXNet did."""
    photo = PHOTOS[4].read_bytes()
    damaged = photo[: len(photo) // 2] + bytes(4096) + photo[len(photo) // 2 + 4096 :]
    file = write_images(tmp_path, [photo, damaged, photo])
    problem = only(recio.verify(file.rec))
    assert (problem.kind, problem.record) == ("image", 1)
    assert re.search(r"\d+ bytes of image data remain after the last pixel", problem.reason)
    assert open_iter(file, batch_size=3).next().pad == 0


def test_padding_bytes_after_an_image_are_accepted(tmp_path: Path) -> None:
    photo = PHOTOS[0].read_bytes()
    padded = [photo[:-2] + bytes(count) + photo[-2:] + b"after" for count in (16, 17)]
    file = write_images(tmp_path, padded)
    assert only(recio.verify(file.rec)).record == 1


def test_limits_and_formats_can_be_set(tmp_path: Path) -> None:
    file = write_images(tmp_path, [png(noise(8, 40))])
    assert "8" in only(recio.verify(file.rec, limits=recio.Limits(side=39))).reason
    assert 'but formats allows only jpeg: add "png"' in only(recio.verify(file.rec, formats="jpeg")).reason
    with pytest.raises(ValueError, match='unknown format "jpg"'):
        recio.verify(file.rec, formats=["jpg"])
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        recio.verify(file.rec, threads=0)


def test_records_without_an_image_are_accepted(tmp_path: Path) -> None:
    head = pack(IRHeader(0, [3.0, 5.0], 0, 0), b"")
    file = write_records(tmp_path, [head, image_record(png(noise(8, 8)), 1)])
    assert recio.verify(file.rec).ok


def test_file_of_records_without_headers_is_accepted(file: RecordFile) -> None:
    assert recio.verify(file.rec).ok


def test_index_with_wrong_offsets_is_a_problem(ten: RecordFile) -> None:
    lines = ten.idx.read_text().splitlines()
    lines[3] = f"3\t{ten.offsets[3] + 4}"
    ten.idx.write_text("\n".join(lines))
    report = recio.verify(ten.rec)
    problem = only(report)
    assert (problem.kind, problem.offset) == ("index", ten.offsets[3])
    assert "key 3" in problem.reason
    assert report.unlisted == 1


def test_records_missing_in_the_index_are_counted_and_accepted(ten: RecordFile) -> None:
    ten.idx.write_text("\n".join(ten.idx.read_text().splitlines()[:7]))
    report = recio.verify(ten.rec)
    assert (report.ok, report.unlisted, report.has_index) == (True, 3, True)


def test_unreadable_index_is_a_problem(ten: RecordFile) -> None:
    ten.idx.write_text("0\tx\n")
    report = recio.verify(ten.rec)
    problem = only(report)
    assert (problem.kind, report.has_index, report.records) == ("index", False, 10)
    assert "line 1" in problem.reason


def test_path_of_the_index_can_be_set(ten: RecordFile, tmp_path: Path) -> None:
    other = ten.idx.rename(tmp_path / "other.idx")
    assert not recio.verify(ten.rec).has_index
    assert recio.verify(ten.rec, other).has_index
    with pytest.raises(FileNotFoundError):
        recio.verify(ten.rec, tmp_path / "none.idx")


@pytest.fixture
def summed(tmp_path: Path) -> RecordFile:
    """Write ten images with checksums."""
    file = RecordFile(tmp_path / "summed.rec", tmp_path / "summed.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w", checksum=True) as writer:
        for number in range(10):
            writer.write_idx(number, image_record(png(noise(8, 8)), number))
    return file


def test_changed_bytes_are_a_checksum_problem(summed: RecordFile) -> None:
    assert recio.verify(summed.rec).has_checksums
    # A byte of the label.
    change(summed.rec, summed.offsets[3] + 12, b"\x77")
    problem = only(recio.verify(summed.rec, decode=False))
    assert (problem.kind, problem.record, problem.offset) == ("checksum", 3, summed.offsets[3])


def test_file_truncated_between_records_does_not_match_its_checksums(summed: RecordFile) -> None:
    end = summed.offsets[8]
    with summed.rec.open("r+b") as stream:
        stream.truncate(end)
    summed.idx.unlink()
    report = recio.verify(summed.rec)
    assert [problem.kind for problem in report.problems] == ["checksum", "checksum"]
    assert f"the file has {end} bytes" in report.problems[0].reason
    assert "2 of the 10 records" in report.problems[1].reason


def test_damaged_checksum_file_is_a_problem_and_the_rest_is_verified(summed: RecordFile) -> None:
    rsum = summed.rec.with_suffix(".rsum")
    rsum.write_bytes(rsum.read_bytes()[:-1])
    report = recio.verify(summed.rec)
    problem = only(report)
    assert (problem.kind, report.has_checksums, report.records) == ("checksum", False, 10)
    assert "summed.rsum" in problem.reason


def test_progress_counts_bytes_and_may_raise(ten: RecordFile) -> None:
    calls: list[tuple[int, int]] = []
    recio.verify(ten.rec, progress=lambda done, total: calls.append((done, total)))
    size = ten.rec.stat().st_size
    assert calls[-1] == (size, size)

    def stop(done: int, total: int) -> None:
        raise RuntimeError(f"{done} of {total}")

    with pytest.raises(RuntimeError, match=f"of {size}"):
        recio.verify(ten.rec, progress=stop)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    for function in (recio.verify, recio.info):
        with pytest.raises(FileNotFoundError):
            function(tmp_path / "none.rec")


def labelled(folder: Path, labels: Sequence[list[float]]) -> RecordFile:
    images = [png(noise(8 + number, 20)) for number in range(len(labels))]
    return write_records(folder, [image_record(image, n, labels[n]) for n, image in enumerate(images)])


def test_info_counts_records_labels_and_formats(tmp_path: Path) -> None:
    file = labelled(tmp_path, [[1, 2], [-3, 4], [7, 0.5]])
    info = recio.info(file.rec)
    assert (info.records, info.bytes, info.damaged) == (3, file.rec.stat().st_size, 0)
    assert (info.indexed, info.has_checksums) == (3, False)
    assert (info.ids, info.has_unique_ids) == ((FIRST_ID, FIRST_ID + 2), True)
    assert (info.label_widths, info.labels) == ({2: 3}, (-3.0, 7.0))
    assert (info.formats, info.widths, info.heights) == ({"png": 3}, (20, 20), (8, 10))
    file.idx.unlink()
    assert recio.info(file.rec).indexed is None


def test_info_separates_formats_and_records_without_image(tmp_path: Path) -> None:
    file = write_images(tmp_path, [PHOTOS[0].read_bytes(), png(noise(8, 8)), b"", b"junk"])
    assert recio.info(file.rec).formats == {"jpeg": 1, "none": 1, "png": 1, "unknown": 1}


def test_info_counts_damage(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 10)
    change(file.rec, file.offsets[4], b"\0")
    info = recio.info(file.rec)
    assert (info.records, info.damaged) == (9, file.offsets[5] - file.offsets[4])


def test_unsupported_images_and_those_over_a_limit_are_no_damage(tmp_path: Path) -> None:
    file = write_images(tmp_path, [png(noise(8, 8)), png(noise(8, 40)), PHOTOS[0].read_bytes()])
    report = recio.verify(file.rec, formats="png", limits=recio.Limits(side=39))
    assert (report.ok, report.damaged, report.total) == (False, 0, 2)
    assert report.counts == {"limit": 1, "unsupported": 1}
    assert [(problem.kind, problem.record) for problem in report.problems] == [("limit", 1), ("unsupported", 2)]


def test_any_number_of_records_without_headers_is_sound(tmp_path: Path) -> None:
    rec = tmp_path / "a.rec"
    rec.write_bytes(recio.recordio.frame(b"text") * 100_001)
    assert recio.verify(rec).ok
