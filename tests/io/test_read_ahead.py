"""Reading ahead: where reads are slow, batches are the same as from the page cache, and almost as fast."""

from __future__ import annotations

import itertools
import os
import signal
import struct
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

import recio
from recio import image
from recio.io import ImageDetRecordIter, ImageMaskRecordIter
from recio.samplers import Sampler
from tests.support.processes import becomes_true, python, start
from tests.support.records import RecordFile, image_record, noise, open_iter, png, threads, write_images, write_records
from tests.support.slow_storage import SlowStorage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELAY = 0.003
COUNT = 60


@pytest.fixture(scope="module", name="storage")
def _storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowStorage]:
    with SlowStorage(tmp_path_factory.mktemp("storage"), ".rec", ".png") as storage:
        yield storage


@pytest.fixture
def slow(storage: SlowStorage) -> SlowStorage:
    """Storage in which each read takes a few milliseconds."""
    storage.set_delay(DELAY)
    return storage


@pytest.fixture(scope="module", name="file")
def _file(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write images of different lengths."""
    images = (png(noise(8 + i % 7, 9, seed=i)) for i in range(COUNT))
    return write_images(tmp_path_factory.mktemp("file"), images)


def contents(batches: Any, epochs: int = 2) -> tuple[list[Any], bool]:  # noqa: ANN401 any iterator
    """Return the batches of some epochs, and whether there were readers."""
    with batches:
        read: list[Any] = []
        for _ in range(epochs):
            read += [
                (batch.data[0].tobytes(), batch.label[0].tobytes(), batch.index.tolist(), batch.pad)
                for batch in batches
            ]
            batches.reset()
        return read, has_readers()


def has_readers() -> bool:
    return "recio-reader" in threads()


def batches_of(file: RecordFile, **settings: Any) -> tuple[list[Any], bool]:  # noqa: ANN401 of many types
    return contents(open_iter(file, path_imgidx=file.idx, seed=3, rand_crop=True, **settings))


class Watched(Sampler):
    """Sampler that takes its time, and counts its callers."""

    def __init__(self) -> None:
        super().__init__(COUNT)
        self.callers = self.most = 0

    def order(self, epoch: int) -> list[int]:
        self.callers += 1
        self.most = max(self.most, self.callers)
        # Another thread may get the interpreter meanwhile.
        time.sleep(0.1)
        self.callers -= 1
        return [(7 * number + epoch) % COUNT for number in range(COUNT)]


def sampled(file: RecordFile) -> tuple[tuple[list[Any], bool], int]:
    """Return the batches of an iterator with a sampler, and the threads that called it at once, at most."""
    sampler = Watched()
    return batches_of(file, sampler=sampler, preprocess_threads=3), sampler.most


def test_a_sampler_is_called_by_one_thread_at_a_time(slow: SlowStorage, file: RecordFile) -> None:
    (read, has_readers), callers = slow.call(sampled, file)
    assert (has_readers, callers) == (True, 1)
    assert read == sampled(file)[0][0]


@pytest.mark.parametrize(
    "settings",
    [
        {"preprocess_threads": count, "batch_size": size, "shuffle": shuffle}
        for (count, size), shuffle in itertools.product([(1, 7), (3, 1), (3, 16)], [True, False])
    ],
    ids=str,
)
@pytest.mark.parametrize("bounds", [{}, {"read_ahead": 3}, {"read_ahead_bytes": 1000}], ids=str)
def test_batches_are_those_of_fast_storage(
    slow: SlowStorage, file: RecordFile, settings: dict[str, Any], bounds: dict[str, int]
) -> None:
    expected, _ = batches_of(file, **{**settings, "preprocess_threads": 1})
    assert slow.call(batches_of, file, **settings, **bounds) == (expected, True)


def test_nothing_is_read_ahead_if_the_caller_says_so(slow: SlowStorage, file: RecordFile) -> None:
    expected, _ = batches_of(file, batch_size=16)
    assert slow.call(batches_of, file, batch_size=16, read_ahead=0) == (expected, False)


def test_records_in_the_page_cache_are_not_read_ahead(storage: SlowStorage, file: RecordFile) -> None:
    storage.set_delay(0)
    _, had_readers = storage.call(batches_of, file, batch_size=16)
    assert not had_readers


def until_fast(file: RecordFile, delay: str) -> bool:
    """Read slow storage, and then fast storage until there are no readers."""
    with open_iter(file, batch_size=16) as batches:
        list(batches)
        assert has_readers()
        with open(delay, "w") as text:  # noqa: PTH123 the name of a file
            text.write("0")

        def read_epoch() -> bool:
            batches.reset()
            list(batches)
            return not has_readers()

        return becomes_true(read_epoch)


def test_readers_end_when_storage_becomes_fast(slow: SlowStorage, file: RecordFile) -> None:
    assert slow.call(until_fast, file, slow.environment["RECIO_SLOW_FILE"])


@pytest.fixture(name="damaged")
def _damaged(file: RecordFile, tmp_path: Path) -> RecordFile:
    """Damage every fifth record: some frames, some images."""
    damaged = RecordFile(tmp_path / "damaged.rec", tmp_path / "damaged.idx")
    content = bytearray(file.rec.read_bytes())
    for number, offset in enumerate(file.offsets):
        if number % 10 == 2:
            content[offset : offset + 4] = b"oops"
        elif number % 10 == 7:
            content[offset + 40 : offset + 60] = bytes(20)
    damaged.rec.write_bytes(content)
    damaged.idx.write_bytes(file.idx.read_bytes())
    return damaged


def skipping(file: RecordFile, **settings: Any) -> tuple[list[Any], list[str]]:  # noqa: ANN401 of many types
    with open_iter(file, path_imgidx=file.idx, on_error="skip", shuffle=True, batch_size=7, **settings) as batches:
        read = [(batch.data[0].tobytes(), batch.index.tolist(), batch.pad) for batch in batches]
        batches.reset()
        read += [(batch.data[0].tobytes(), batch.index.tolist(), batch.pad) for batch in batches]
        return read, sorted(str(skipped) for skipped in batches.errors)


def raising(file: RecordFile, **settings: Any) -> list[Any]:  # noqa: ANN401 of many types
    read: list[Any] = []
    with open_iter(file, path_imgidx=file.idx, shuffle=True, batch_size=7, **settings) as batches:
        for _ in range(9):
            try:
                read.append(batches.next().index.tolist())
            except (recio.RecordError, recio.DecodeError) as error:
                read.append(str(error))
    return read


@pytest.mark.parametrize("work", [skipping, raising])
def test_damaged_records_are_skipped_or_raised_as_from_fast_storage(
    slow: SlowStorage,
    damaged: RecordFile,
    work: Any,  # noqa: ANN401 a function
) -> None:
    expected = work(damaged, preprocess_threads=1)
    for count in (1, 3):
        assert slow.call(work, damaged, preprocess_threads=count) == expected


def cut(file: RecordFile, read_ahead: int | None) -> list[str]:
    """Truncate a file that is being read; return the errors of the rest."""
    size = file.rec.stat().st_size
    errors = []
    with open_iter(file, path_imgidx=file.idx, batch_size=4, read_ahead=read_ahead, read_ahead_bytes=4000) as batches:
        for _ in range(5):
            batches.next()
        os.truncate(file.rec, size * 9 // 10)
        for _ in range(10):
            try:
                batches.next()
            except (recio.RecordError, recio.DecodeError) as error:
                errors.append(str(error))
    return errors


def test_errors_of_reads_name_the_record(slow: SlowStorage, file: RecordFile, tmp_path: Path) -> None:
    shortened = RecordFile(tmp_path / "cut.rec", file.idx)
    texts = []
    for read_ahead in (0, None):
        shortened.rec.write_bytes(file.rec.read_bytes())
        texts.append(slow.call(cut, shortened, read_ahead))
    assert texts[0] == texts[1]
    assert len(texts[0]) == 2
    assert f"{shortened.rec}: record 53 at byte {file.offsets[53]}: the file was truncated" in texts[0][0]


def resumed(file: RecordFile, state: dict[str, Any]) -> list[Any]:
    with open_iter(file, path_imgidx=file.idx, shuffle=True, preprocess_threads=3) as batches:
        list(itertools.islice(batches, 3))
        batches.load_state_dict(state)
        read = [batch.index.tolist() for batch in batches]
        batches.reset()
        return read + [batch.index.tolist() for batch in batches]


def test_state_resumes_in_the_middle_of_an_epoch(slow: SlowStorage, file: RecordFile) -> None:
    with open_iter(file, path_imgidx=file.idx, shuffle=True) as batches:
        list(itertools.islice(batches, 7))
        state = batches.state_dict()
        rest = [batch.index.tolist() for batch in batches]
        batches.reset()
        rest += [batch.index.tolist() for batch in batches]
    assert slow.call(resumed, file, state) == rest


def moving(file: RecordFile) -> list[Any]:
    """Reset and change the epoch in the middle of epochs, in different places."""
    read: list[Any] = []
    with open_iter(file, path_imgidx=file.idx, shuffle=True, preprocess_threads=3) as batches:
        for count in (1, 5, 2, 15, 9):
            read += [batch.index.tolist() for batch in itertools.islice(batches, count)]
            batches.reset()
        for epoch in (9, 2, 3, 40):
            batches.set_epoch(epoch)
            read += [batch.index.tolist() for batch in itertools.islice(batches, epoch % 7)]
    return read


def test_resets_and_epochs_begin_where_they_should(slow: SlowStorage, file: RecordFile) -> None:
    assert slow.call(moving, file) == moving(file)


def large(file: RecordFile, **settings: Any) -> tuple[list[Any], bool]:  # noqa: ANN401 of many types
    return contents(open_iter(file, batch_size=3, resize=16, rand_crop=True, **settings), epochs=1)


@pytest.mark.parametrize("bounds", [{}, {"read_ahead_bytes": 400_000}, {"read_ahead_bytes": 1_500_000}], ids=str)
def test_records_longer_than_the_first_read_or_the_bound(
    slow: SlowStorage, tmp_path: Path, bounds: dict[str, int]
) -> None:
    sizes = [(20, 30), (330, 330), (9, 9), (500, 700)] * 4
    images = [png(noise(*size, seed=number)) for number, size in enumerate(sizes)]
    # An image with magic numbers, so that its record is split.
    split = png(noise(300, 320)) + struct.pack("<I", 0xCED7230A) * 3
    file = write_images(tmp_path, [*images, split + bytes(-len(split) % 4) + struct.pack("<I", 0xCED7230A)])
    expected, _ = large(file)
    assert slow.call(large, file, **bounds)[0] == expected


def masked(file: RecordFile, masks: RecordFile, **settings: Any) -> tuple[list[Any], bool]:  # noqa: ANN401 of many types
    batches = ImageMaskRecordIter(
        path_imgrec=file.rec,
        path_imgidx=file.idx,
        path_maskrec=masks.rec,
        data_shape=(3, 8, 8),
        batch_size=5,
        shuffle=True,
        rand_crop=True,
        **settings,
    )
    return contents(batches)


def test_masks_are_read_ahead(slow: SlowStorage, tmp_path: Path) -> None:
    numbers = range(30)
    file = write_images(tmp_path, (png(noise(12, 12, seed=i)) for i in numbers), "images")
    records = [image_record(png(noise(12, 12, 1, seed=99 + i)), i) for i in reversed(numbers)]
    masks = write_records(tmp_path, records, "masks")
    expected, _ = masked(file, masks)
    for bounds in ({}, {"read_ahead_bytes": 140_000}):
        assert slow.call(masked, file, masks, preprocess_threads=3, **bounds) == (expected, True)


def listed(folder: Path, **settings: Any) -> tuple[list[Any], bool]:  # noqa: ANN401 of many types
    batches = image.ImageIter(
        4,
        (3, 8, 8),
        path_imglist=folder / "some.lst",
        path_root=folder,
        shuffle=True,
        seed=1,
        rand_crop=True,
        **settings,
    )
    return contents(batches)


def test_image_files_are_read_ahead(slow: SlowStorage, tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(png(noise(8, 9 + number % 5, seed=number)))
    large = png(noise(300, 300))
    (tmp_path / "4.png").write_bytes(large)
    (tmp_path / "some.lst").write_text("".join(f"{number}\t{number}\t{number}.png\n" for number in range(30)))
    expected, _ = listed(tmp_path)
    for bounds in ({}, {"read_ahead_bytes": 150_000}):
        assert slow.call(listed, tmp_path, preprocess_threads=3, **bounds) == (expected, True)


def detected(file: RecordFile, **settings: Any) -> tuple[list[Any], bool]:  # noqa: ANN401 of many types
    return contents(
        ImageDetRecordIter(path_imgrec=file.rec, path_imgidx=file.idx, data_shape=(3, 8, 8), batch_size=4, **settings)
    )


def test_detection_iterators_read_ahead(slow: SlowStorage, tmp_path: Path) -> None:
    label = [2.0, 5.0, 1.0, 0.1, 0.2, 0.7, 0.8]
    records = [image_record(png(noise(8, 8, seed=i)), i, label) for i in range(30)]
    file = write_records(tmp_path, records)
    expected, _ = detected(file)
    assert slow.call(detected, file, shuffle=False) == (expected, True)


def closing(file: RecordFile) -> tuple[float, list[str]]:
    batches = open_iter(file, path_imgidx=file.idx, shuffle=True, preprocess_threads=3)
    batches.next()
    batches.next()
    begin = time.monotonic()
    batches.close()
    return time.monotonic() - begin, threads()


@pytest.mark.alone
def test_closing_waits_for_one_read_at_most(storage: SlowStorage, file: RecordFile) -> None:
    storage.set_delay(0.3)
    took, left = storage.call(closing, file)
    assert took < 0.8
    assert left == []


INTERRUPTED = """
import time
from recio.io import ImageRecordIter
batches = ImageRecordIter(**settings)
batches.next()
print("waiting", flush=True)
try:
    while True:
        for batch in batches:
            pass
        batches.reset()
except KeyboardInterrupt:
    print(time.monotonic())
"""


@pytest.mark.alone
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_interrupts_waiting_for_slow_storage(storage: SlowStorage, file: RecordFile) -> None:
    storage.set_delay(0.4)
    paths = {"path_imgrec": str(file.rec), "path_imgidx": str(file.idx)}
    command = python(INTERRUPTED, {**paths, "data_shape": (3, 8, 8), "batch_size": 8})
    with start(command, stdout=subprocess.PIPE, env=storage.environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert float(out) - sent < 0.5


def forking(file: RecordFile) -> tuple[int, int]:
    """Fork while records are being read; the child makes an iterator of its own."""
    with open_iter(file, shuffle=True) as batches:
        list(itertools.islice(batches, 3))
        assert has_readers()
        child = os.fork()
        if child == 0:
            try:
                batches.next()
            except RuntimeError:
                with open_iter(file, shuffle=True) as others:
                    os._exit(len(list(others)))
            os._exit(99)
        return len(list(batches)), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_forked_process_makes_an_iterator_of_its_own(slow: SlowStorage, file: RecordFile) -> None:
    assert slow.call(forking, file) == (COUNT // 4 - 3, COUNT // 4)


def seconds(file: RecordFile, **settings: Any) -> float:  # noqa: ANN401 of many types
    """Return how long an epoch takes, after one that shows how slow the storage is."""
    with open_iter(file, path_imgidx=file.idx, shuffle=True, preprocess_threads=2, **settings) as batches:
        list(batches)
        begin = time.monotonic()
        batches.reset()
        list(batches)
        return time.monotonic() - begin


@pytest.mark.alone
@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_slow_storage_is_waited_for_only_once(storage: SlowStorage, tmp_path: Path, batch_size: int) -> None:
    """Without reading ahead, two threads read 200 records in 100 times 20 ms."""
    storage.set_delay(0.02)
    file = write_images(tmp_path, (png(noise(8, 8, seed=i)) for i in range(200)))
    alone = storage.call(seconds, file, batch_size=32, read_ahead=0)
    ahead = storage.call(seconds, file, batch_size=batch_size)
    print(f"batch_size={batch_size}: {alone:.2f} s, reading ahead {ahead:.2f} s")  # noqa: T201
    assert ahead < alone / 3
