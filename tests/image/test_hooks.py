"""Hooks of `ImageIter` and `ImageDetIter`: what they leave alone is as in the classes themselves."""

from __future__ import annotations

import itertools
import json
import logging
import random
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError, RecordError
from recio.image import ImageDetIter, ImageIter, imdecode
from tests.support.boxes import write_objects
from tests.support.processes import becomes_true
from tests.support.records import FIRST_ID, RecordFile, noise, png, threads, write_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.io import DataBatch

IMAGES = 13
SIZE = 4
READING = ["next_sample", "read_image", "imdecode"]
IMAGE = ["check_valid_image", "augmentation_transform", "postprocess_data"]
SOURCES: dict[str, Callable[[Path, RecordFile], dict[str, Any]]] = {
    "records": lambda _, file: {"path_imgrec": file.rec, "path_imgidx": file.idx},
    "records and list": lambda folder, file: {"path_imgrec": file.rec, "path_imglist": folder / "images.lst"},
    "list": lambda folder, _: {"path_imglist": folder / "images.lst", "path_root": folder},
    "images": lambda folder, _: {
        "imglist": [[number / 2, f"{number}.png"] for number in range(IMAGES)],
        "path_root": folder,
    },
}


def overriding(base: type[Any], *hooks: str) -> type[Any]:
    """Make a subclass that overrides hooks by methods that only call those of `base`."""

    def method(hook: str) -> Callable[..., Any]:
        return lambda self, *arguments: getattr(super(cls, self), hook)(*arguments)

    cls = type("Overriding", (base,), {hook: method(hook) for hook in hooks})
    return cls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of images, a list of them, and a record file of them."""
    encoded = [png(noise(8 + number, 9 + number, seed=number)) for number in range(IMAGES)]
    for number, image in enumerate(encoded):
        (tmp_path / f"{number}.png").write_bytes(image)
    lines = [f"{FIRST_ID + number}\t{number / 2}\t{number}.png\n" for number in range(IMAGES)]
    (tmp_path / "images.lst").write_text("".join(lines))
    write_images(tmp_path, encoded, "images")
    return tmp_path


def records(folder: Path) -> RecordFile:
    return RecordFile(folder / "images.rec", folder / "images.idx")


def shown(batch: DataBatch) -> tuple[Any, ...]:
    """Return all that a batch has."""
    return batch.data[0].tobytes(), label(batch).tolist(), ids(batch), batch.pad


def ids(batch: DataBatch) -> list[int]:
    """Return the ids of a batch."""
    assert batch.index is not None
    numbers: list[int] = batch.index.tolist()
    return numbers


def label(batch: DataBatch) -> NDArray[Any]:
    """Return the labels of a batch."""
    assert batch.label is not None
    return batch.label[0]


def steps(batches: ImageIter, epochs: int) -> Iterator[Any]:
    """Return the batches of some epochs, and the states and lengths before and after them."""
    for _ in range(epochs):
        yield len(batches), json.dumps(batches.state_dict())
        for batch in batches:
            yield shown(batch), json.dumps(batches.state_dict())
        yield "end", json.dumps(batches.state_dict())
        batches.reset()


def all_hooks() -> list[tuple[str, ...]]:
    """Return each hook alone, those that take images, and all."""
    return [*((hook,) for hook in READING + IMAGE), tuple(IMAGE), ("imdecode", *IMAGE), tuple(READING + IMAGE)]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_hook_without_changes_changes_nothing(
    folder: Path, source: str, handle: str, parts: int, shuffle: bool
) -> None:
    settings: dict[str, Any] = {
        "batch_size": SIZE,
        "data_shape": (3, 6, 6),
        **SOURCES[source](folder, records(folder)),
        "shuffle": shuffle,
        "last_batch_handle": handle,
        "num_parts": parts,
        "rand_crop": True,
        "rand_mirror": True,
        "brightness": 0.3,
        "seed": 5,
        "preprocess_threads": 3,
    }
    for part in range(parts):
        expected = list(steps(ImageIter(**settings, part_index=part), 3))
        assert len(expected) > 6
        for hooks in all_hooks():
            batches = overriding(ImageIter, *hooks)(**settings, part_index=part)
            for number, (step, plain) in enumerate(zip(steps(batches, 3), expected, strict=True)):
                assert step == plain, (hooks, part, number)


@pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
@pytest.mark.parametrize("source", SOURCES)
def test_state_is_loaded_by_a_class_with_hooks_or_without(folder: Path, source: str, handle: str) -> None:
    settings: dict[str, Any] = {
        "batch_size": SIZE,
        "data_shape": (3, 6, 6),
        **SOURCES[source](folder, records(folder)),
        "shuffle": True,
        "last_batch_handle": handle,
        "rand_crop": True,
        "seed": 5,
    }
    classes: list[type[Any]] = [ImageIter, *(overriding(ImageIter, *hooks) for hooks in all_hooks())]
    plain = ImageIter(**settings)
    list(plain)
    plain.reset()
    plain.next()
    state = plain.state_dict()
    expected = [shown(batch) for batch in plain]
    for cls in classes:
        batches = cls(**settings)
        next(batches)
        batches.load_state_dict(state)
        assert batches.state_dict() == state
        assert [shown(batch) for batch in batches] == expected


def test_hard_reset_drops_what_rolls_over(folder: Path) -> None:
    settings: dict[str, Any] = {"path_imgrec": records(folder).rec, "last_batch_handle": "roll_over", "seed": 1}
    for hooks in ((), *all_hooks()):
        batches = overriding(ImageIter, *hooks)(SIZE, (3, 6, 6), **settings)
        assert len(list(batches)) == IMAGES // SIZE
        batches.hard_reset()
        assert ids(batches.next()) == [FIRST_ID + number for number in range(SIZE)]


@pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
@pytest.mark.parametrize("hooks", all_hooks(), ids=" ".join)
def test_damaged_images_are_skipped_as_without_hooks(folder: Path, handle: str, hooks: tuple[str, ...]) -> None:
    for number in (0, 5, 12):
        (folder / f"{number}.png").write_bytes(b"no image")
    (folder / "7.png").unlink()
    settings: dict[str, Any] = {
        "path_imglist": folder / "images.lst",
        "path_root": folder,
        "last_batch_handle": handle,
        "shuffle": True,
        "seed": 2,
        "on_error": "skip",
    }
    plain, hooked = (cls(SIZE, (3, 6, 6), **settings) for cls in (ImageIter, overriding(ImageIter, *hooks)))
    assert list(steps(hooked, 2)) == list(steps(plain, 2))
    assert [(error.path, error.record) for error in hooked.errors] == [
        (error.path, error.record) for error in plain.errors
    ]
    assert {error.record for error in plain.errors} == {0, 5, 7, 12}


@pytest.mark.parametrize("hooks", all_hooks(), ids=" ".join)
def test_damaged_image_is_an_error_that_names_its_record(folder: Path, hooks: tuple[str, ...]) -> None:
    (folder / "5.png").write_bytes(b"no image")
    source: dict[str, Any] = {"path_imglist": folder / "images.lst", "path_root": folder}
    batches = overriding(ImageIter, *hooks)(SIZE, (3, 6, 6), **source)
    batches.next()
    with pytest.raises(DecodeError, match=rf"5\.png: record 5 \(id {FIRST_ID + 5}\)") as caught:
        batches.next()
    assert (caught.value.record, caught.value.id) == (5, FIRST_ID + 5)
    assert ids(batches.next()) == [FIRST_ID + number for number in (8, 9, 10, 11)]


def test_damaged_record_is_an_error_that_names_it(folder: Path) -> None:
    file = records(folder)
    content = bytearray(file.rec.read_bytes())
    content[file.offsets[2] : file.offsets[2] + 4] = b"????"
    file.rec.write_bytes(content)
    for hooks in (("next_sample",), ("imdecode",), ("postprocess_data",)):
        batches = overriding(ImageIter, *hooks)(SIZE, (3, 6, 6), path_imgrec=file.rec, path_imgidx=file.idx)
        with pytest.raises(RecordError, match=r"images\.rec: record 2 at byte"):
            batches.next()


class TestDecodedImages:
    """Hooks that take a decoded image are called by native threads."""

    def test_hooks_are_called_by_native_threads_one_at_a_time(self, folder: Path) -> None:
        inside = []

        class Slow(ImageIter):
            def augmentation_transform(self, data: NDArray[Any]) -> NDArray[Any]:
                return self.counted(super().augmentation_transform(data))

            def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
                return super().postprocess_data(self.counted(datum))

            def counted(self, image: NDArray[Any]) -> NDArray[Any]:
                inside.append(threading.get_ident())
                assert len(inside) == 1
                threading.Event().wait(0.001)
                inside.pop()
                callers.add(threading.get_ident())
                return image

        callers: set[int] = set()
        list(Slow(SIZE, (3, 6, 6), path_imgrec=records(folder).rec, preprocess_threads=3))
        assert threading.get_ident() not in callers
        assert len(callers) > 1

    def test_hooks_are_not_called_before_the_first_batch_is_asked_for(self, folder: Path) -> None:
        class Scaled(ImageIter):
            def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 as of ImageIter
                super().__init__(*arguments, **settings)
                assert threads() == []
                self.factor = 2

            def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
                return super().postprocess_data(datum) * self.factor

        plain = ImageIter(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).next().data[0]
        scaled = Scaled(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).next().data[0]
        np.testing.assert_array_equal(scaled, 2 * plain)

    @pytest.mark.parametrize("workers", [1, 4])
    @pytest.mark.parametrize("hooks", [(), ("imdecode",)], ids=["native", "imdecode"])
    def test_image_that_is_rejected_is_skipped(
        self, folder: Path, workers: int, hooks: tuple[str, ...], caplog: pytest.LogCaptureFixture
    ) -> None:
        class Choosy(ImageIter):
            def check_valid_image(self, data: Any) -> None:  # noqa: ANN401 as of ImageIter
                if data.shape[0] % 2 == 0:
                    raise RuntimeError("an even height")

        source: dict[str, Any] = {"path_imgrec": records(folder).rec, "path_imgidx": records(folder).idx}
        batches = overriding(Choosy, *hooks)(SIZE, (3, 6, 6), **source, preprocess_threads=workers)
        with caplog.at_level(logging.WARNING, "recio"):
            for _ in range(2):
                assert [ids(batch) for batch in batches] == [[101, 103, 105, 107], [109, 111, 101, 103]]
                batches.reset()
        assert len(caplog.messages) == 7
        assert "images.rec: record 0 (id 100) at byte 0: an even height" in caplog.messages[0]
        assert batches.errors == []

    @pytest.mark.parametrize("hooks", [(), ("imdecode",)], ids=["native", "imdecode"])
    def test_hook_gets_an_image_and_that_of_detection_a_list(self, folder: Path, hooks: tuple[str, ...]) -> None:
        """What MXNet 1.9.1 passes: python/mxnet/image/image.py and detection.py, ``_batchify``."""
        seen: list[Any] = []

        class Seeing(ImageIter):
            def check_valid_image(self, data: Any) -> None:  # noqa: ANN401 as of ImageIter
                seen.append(data)
                super().check_valid_image(data)

        class SeeingDet(ImageDetIter):
            def check_valid_image(self, data: Any) -> None:  # noqa: ANN401 as of ImageIter
                seen.append(data)
                super().check_valid_image(data)

        file = write_objects(folder, 3)
        overriding(Seeing, *hooks)(1, (3, 6, 6), path_imgrec=records(folder).rec).next()
        assert {type(data) for data in seen} == {np.ndarray}
        assert {data.ndim for data in seen} == {3}
        seen.clear()
        overriding(SeeingDet, *hooks)(1, (3, 6, 6), path_imgrec=file.rec).next()
        assert {type(data) for data in seen} == {list}
        assert {data[0].ndim for data in seen} == {3}

    def test_loop_of_mxnet_skips_no_image(self, folder: Path) -> None:
        """The loop of ``ImageIter.next`` of MXNet, which libraries copy."""
        batches = ImageIter(SIZE, (3, 6, 6), path_imgrec=records(folder).rec)
        for valid in (np.zeros((4, 5, 3), np.uint8), [np.zeros((4, 5, 3), np.uint8)]):
            batches.check_valid_image(valid)
        with pytest.raises(RuntimeError, match=r"must have shape \(height, width, channels\), got \(4,\)"):
            batches.check_valid_image(np.zeros(4, np.uint8))

    def test_images_that_are_all_rejected_are_an_error(self, folder: Path) -> None:
        class Strict(ImageIter):
            def check_valid_image(self, data: Any) -> None:  # noqa: ANN401, ARG002 as of ImageIter
                raise RuntimeError("never")

        for hooks in ((), ("imdecode",)):
            batches = overriding(Strict, *hooks)(SIZE, (3, 6, 6), path_imgrec=records(folder).rec)
            with pytest.raises(DecodeError, match=r"none of the 13 samples can be read; the first: .*: never"):
                batches.next()

    def test_other_errors_of_hooks_are_raised(self, folder: Path) -> None:
        class Failing(ImageIter):
            def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:  # noqa: ARG002 as of ImageIter
                raise KeyError("mine")

        batches = Failing(SIZE, (3, 6, 6), path_imgrec=records(folder).rec, on_error="skip")
        with pytest.raises(KeyError, match="mine"):
            batches.next()

    def test_message_names_a_result_that_is_no_image(self, folder: Path) -> None:
        class Flat(ImageIter):
            def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
                return datum.ravel()

        batches = Flat(SIZE, (3, 6, 6), path_imgrec=records(folder).rec)
        with pytest.raises(ValueError, match=r"postprocess_data must return shape \(channels, .*, got \(108,\)"):
            batches.next()

    def test_augmentation_of_the_base_class_does_not_use_pythons_random(self, folder: Path) -> None:
        hooked = overriding(ImageIter, "augmentation_transform")
        settings: dict[str, Any] = {"path_imgrec": records(folder).rec, "rand_crop": True, "seed": 4}
        random.seed(1)
        before = random.getstate()
        batches = [shown(batch) for batch in hooked(SIZE, (3, 6, 6), **settings)]
        assert random.getstate() == before
        assert batches == [shown(batch) for batch in ImageIter(SIZE, (3, 6, 6), **settings)]

    def test_iterator_that_is_dropped_ends_its_threads(self, folder: Path) -> None:
        batches = overriding(ImageIter, *IMAGE)(SIZE, (3, 6, 6), path_imgrec=records(folder).rec)
        batches.next()
        assert threads()
        del batches
        assert becomes_true(lambda: threads() == [])


class TestReading:
    """Hooks that read or decode are called by `next`."""

    def test_hooks_are_called_in_the_calling_thread_in_order(self, folder: Path) -> None:
        calls = []

        class Reading(ImageIter):
            def read_image(self, fname: str) -> bytes:
                calls.append((fname, threading.get_ident()))
                return super().read_image(fname)

        source: dict[str, Any] = {"path_imglist": folder / "images.lst", "path_root": folder}
        batches = Reading(SIZE, (3, 6, 6), **source)
        assert calls == []
        batches.next()
        assert calls == [(f"{number}.png", threading.get_ident()) for number in range(SIZE)]
        assert threads() == []

    def test_next_sample_may_take_several_samples_for_one(self, folder: Path) -> None:
        class Every2nd(ImageIter):
            def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
                super().next_sample()
                return super().next_sample()

        batches = Every2nd(SIZE, (3, 6, 6), path_imgrec=records(folder).rec)
        assert [(ids(batch), batch.pad) for batch in batches] == [
            ([101, 103, 105, 107], 0),
            ([109, 111, 101, 103], 2),
        ]

    @pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
    def test_next_sample_may_return_samples_of_its_own(self, folder: Path, handle: Any) -> None:  # noqa: ANN401
        class Generated(ImageIter):
            numbers = itertools.cycle([*range(6), None])

            def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
                number = next(self.numbers)
                if number is None:
                    raise StopIteration
                return number, png(noise(6, 6, seed=number))

        batches = Generated(SIZE, (3, 6, 6), path_imgrec=records(folder).rec, last_batch_handle=handle)
        epochs = []
        for _ in range(2):
            epochs.append([(label(batch).tolist(), batch.pad) for batch in batches])
            batches.reset()
        assert (
            epochs
            == {
                "pad": [[([0, 1, 2, 3], 0), ([4, 5, 0, 1], 2)], [([2, 3, 4, 5], 0)]],
                "discard": [[([0, 1, 2, 3], 0)], [([0, 1, 2, 3], 0)]],
                "roll_over": [[([0, 1, 2, 3], 0)], [([4, 5, 0, 1], 2), ([2, 3, 4, 5], 0)]],
            }[handle]
        )
        assert batches.next().index is None

    def test_samples_of_its_own_that_do_not_start_again_are_repeated(self, folder: Path) -> None:
        class Finite(ImageIter):
            numbers = iter(range(3))

            def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
                number = next(self.numbers)
                return number, png(noise(6, 6, seed=number))

        (batch,) = Finite(5, (3, 6, 6), path_imgrec=records(folder).rec)
        assert (label(batch).tolist(), batch.pad) == ([0, 1, 2, 0, 1], 2)
        np.testing.assert_array_equal(batch.data[0][3:], batch.data[0][:2])

    def test_imdecode_may_return_floats(self, folder: Path) -> None:
        class Halved(ImageIter):
            def imdecode(self, s: Any) -> Any:  # noqa: ANN401 as of ImageIter
                return super().imdecode(s).astype(np.float32) / 2

        source: dict[str, Any] = {"path_imgrec": records(folder).rec, "aug_list": []}
        halved = Halved(1, (3, 8, 9), **source).next().data[0][0]
        np.testing.assert_array_equal(halved.transpose(1, 2, 0), noise(8, 9, seed=0).astype(np.float32) / 2)

    def test_image_without_channels_is_skipped(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        class Gray(ImageIter):
            def imdecode(self, s: Any) -> Any:  # noqa: ANN401 as of ImageIter
                image = super().imdecode(s)
                return image[..., 0] if image.shape[0] == 8 else image

        with caplog.at_level(logging.WARNING, "recio"):
            batch = Gray(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).next()
        assert ids(batch) == [101, 102, 103, 104]
        assert "an image must have shape (height, width, channels), got (8, 9)" in caplog.text

    def test_message_names_a_result_that_is_no_sample(self, folder: Path) -> None:
        class Wrong(ImageIter):
            def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
                return b"image"

        with pytest.raises(TypeError, match="next_sample must return a label, or labels, and the bytes of an image"):
            Wrong(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).next()

    def test_hook_that_asks_for_a_batch_is_refused(self, folder: Path) -> None:
        class Greedy(ImageIter):
            def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
                self.next()
                return super().next_sample()

        with pytest.raises(ValueError, match="asks its own iterator for one"):
            Greedy(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).next()

    def test_error_of_a_hook_is_raised_as_it_is(self, folder: Path) -> None:
        class Failing(ImageIter):
            count = 0

            def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
                self.count += 1
                if self.count == 2:
                    raise KeyError("mine")
                return super().next_sample()

        batches = Failing(SIZE, (3, 6, 6), path_imgrec=records(folder).rec, on_error="skip")
        with pytest.raises(KeyError, match="mine"):
            batches.next()
        assert batches.count == 2
        assert ids(batches.next()) == [FIRST_ID + number for number in range(4, 8)]

    def test_closed_iterator_is_refused(self, folder: Path) -> None:
        batches = overriding(ImageIter, "next_sample")(SIZE, (3, 6, 6), path_imgrec=records(folder).rec)
        batches.close()
        with pytest.raises(ValueError, match="closed"):
            batches.next()

    def test_plans_are_refused(self, folder: Path) -> None:
        with pytest.raises(NotImplementedError, match="there are no plans"):
            overriding(ImageIter, "imdecode")(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).plan(0)
        assert overriding(ImageIter, *IMAGE)(SIZE, (3, 6, 6), path_imgrec=records(folder).rec).plan(0)["steps"]


class TestDetection:
    """`ImageDetIter` with hooks."""

    @pytest.mark.parametrize("hooks", all_hooks(), ids=" ".join)
    def test_hook_without_changes_changes_nothing(self, tmp_path: Path, hooks: tuple[str, ...]) -> None:
        file = write_objects(tmp_path, 10)
        settings: dict[str, Any] = {
            "path_imgrec": file.rec,
            "rand_crop": 0.8,
            "rand_pad": 0.6,
            "rand_mirror": True,
            "shuffle": True,
            "seed": 3,
            "preprocess_threads": 2,
        }
        plain, hooked = (cls(SIZE, (3, 48, 64), **settings) for cls in (ImageDetIter, overriding(ImageDetIter, *hooks)))
        assert list(steps(hooked, 2)) == list(steps(plain, 2))
        for batches in (plain, hooked):
            batches.reshape((3, 40, 40))
        assert list(steps(hooked, 1)) == list(steps(plain, 1))

    def test_augmentation_transform_changes_image_and_objects(self, tmp_path: Path) -> None:
        class Flipped(ImageDetIter):
            def augmentation_transform(  # type: ignore[override]
                self, data: NDArray[Any], label: NDArray[Any]
            ) -> tuple[NDArray[Any], NDArray[Any]]:
                data, label = super().augmentation_transform(data, label)
                label[:, [1, 3]] = 1 - label[:, [3, 1]]
                return data[:, ::-1], label

        file = write_objects(tmp_path, 4)
        plain, flipped = (cls(4, (3, 48, 64), path_imgrec=file.rec).next() for cls in (ImageDetIter, Flipped))
        np.testing.assert_array_equal(flipped.data[0], plain.data[0][..., ::-1])
        present = label(plain)[..., 0] >= 0
        np.testing.assert_allclose(label(flipped)[present][:, 1], 1 - label(plain)[present][:, 3], atol=1e-6)


def test_next_sample_of_the_plain_class_does_not_move_its_batches(folder: Path) -> None:
    batches = ImageIter(SIZE, (3, 6, 6), path_imgrec=records(folder).rec, shuffle=True, seed=6)
    order = [
        number
        for batch in ImageIter(1, (3, 6, 6), path_imgrec=records(folder).rec, shuffle=True, seed=6)
        for number in label(batch).tolist()
    ]
    samples = [batches.next_sample() for _ in range(5)]
    assert [label for label, _ in samples] == order[:5]
    assert all(imdecode(image).ndim == 3 for _, image in samples)
    assert label(batches.next()).tolist() == order[:4]
    batches.reset()
    assert [batches.next_sample()[0] for _ in range(IMAGES)] != order
