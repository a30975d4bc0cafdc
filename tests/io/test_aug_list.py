"""`aug_list` of `ImageRecordIter`: recio's augmenters and Python functions, in any order, in the native threads."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import CenterCropAug, HorizontalFlipAug, RandomCropAug, ResizeAug
from tests.support.records import (
    RecordFile,
    digest,
    epochs,
    images,
    noise,
    open_iter,
    png,
    write_images,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.io import ImageRecordIter

    Image = NDArray[Any]

COUNT = 40
PIXELS = np.array([noise(8, 8, seed=seed) for seed in range(COUNT)])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_images(tmp_path_factory.mktemp("noise"), map(png, PIXELS))


def augmented(file: RecordFile, *augmenters: Any, **settings: Any) -> ImageRecordIter:  # noqa: ANN401
    return open_iter(file, **{"aug_list": list(augmenters), "layout": "NHWC", "preprocess_threads": 4, **settings})


def inverted(image: Image) -> Image:
    return 255 - image


def inverted_in_place(image: Image) -> Image:
    np.subtract(255, image, out=image)
    return image


class TestOrder:
    def test_empty_list_keeps_images_of_the_right_size(self, file: RecordFile) -> None:
        np.testing.assert_array_equal(images(augmented(file)), PIXELS)

    def test_empty_list_does_not_crop(self, file: RecordFile) -> None:
        with pytest.raises(ValueError, match=r"the augmenters give 3x8x8 .*, but data_shape is 3x6x6") as caught:
            augmented(file, data_shape=(3, 6, 6)).next()
        assert "record 0 (id 100)" in str(caught.value)

    def test_functions_and_augmenters_run_in_list_order(self, tmp_path: Path) -> None:
        pixels = [noise(9, 12, seed=seed) for seed in range(4)]
        shapes: list[tuple[int, ...]] = []

        def transposed(image: Image) -> Image:
            shapes.append(image.shape)
            return image.transpose(1, 0, 2)

        steps = [CenterCropAug((10, 7)), transposed, HorizontalFlipAug(1), transposed, CenterCropAug((6, 5)), inverted]
        output = images(augmented(write_images(tmp_path, map(png, pixels)), *steps, data_shape=(3, 5, 6)))
        expected = [255 - image[1:8, 1:11][::-1][1:6, 2:8] for image in pixels]
        np.testing.assert_array_equal(output, expected)
        assert {*shapes} == {(7, 10, 3), (10, 7, 3)}

    def test_albumentations_transforms_are_called_by_keyword(self, file: RecordFile) -> None:
        def by_name(*, image: Image, factor: int = 2) -> dict[str, Image]:
            return {"image": image // factor}

        def by_names(**arrays: Image) -> dict[str, Image]:
            return {"image": arrays["image"] // 2}

        partial = functools.partial(by_name, factor=2)
        for function in (by_name, by_names, partial):
            np.testing.assert_array_equal(images(augmented(file, function)), PIXELS // 2)

    @pytest.mark.parametrize("augmenters", [[3], [inverted, None]])
    def test_non_callable_is_named_with_its_position(self, file: RecordFile, augmenters: list[Any]) -> None:
        with pytest.raises(TypeError, match=f"augmenter {len(augmenters) - 1} is not callable: {augmenters[-1]!r}"):
            augmented(file, *augmenters)


class TestPixels:
    def test_function_gets_the_pixels(self, file: RecordFile) -> None:
        seen: set[tuple[Any, ...]] = set()

        def look(image: Image) -> Image:
            seen.add((image.dtype, image.shape, image.flags.carray, image.flags.owndata))
            return image

        np.testing.assert_array_equal(images(augmented(file, look)), PIXELS)
        assert seen == {(np.dtype("uint8"), (8, 8, 3), True, False)}

    def test_function_may_change_the_pixels_in_place(self, file: RecordFile) -> None:
        for count in (1, 2, 3):
            output = images(augmented(file, *[inverted_in_place] * count))
            np.testing.assert_array_equal(output, 255 - PIXELS if count % 2 else PIXELS)

    @pytest.mark.parametrize(
        "view",
        [
            lambda image: image[::-1],
            lambda image: image[:, ::-1, ::-1],
            lambda image: image.transpose(1, 0, 2),
            lambda image: np.broadcast_to(image[:1], image.shape),
            lambda image: image[...],
            lambda image: image[:6, 1:7].repeat(2, axis=0)[:8].repeat(2, axis=1)[:, :8],
            np.asfortranarray,
        ],
    )
    def test_function_may_return_a_view_of_any_strides(self, file: RecordFile, view: Callable[[Image], Image]) -> None:
        np.testing.assert_array_equal(images(augmented(file, view)), [view(image) for image in PIXELS])

    @pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int64, np.uint16])
    def test_other_dtypes_continue_as_floats(self, file: RecordFile, kind: type[np.generic]) -> None:
        seen: set[np.dtype[Any]] = set()

        def cast(image: Image) -> Image:
            return (image / 4).astype(kind)

        def look(image: Image) -> Image:
            seen.add(image.dtype)
            return image

        output = images(augmented(file, cast, look, dtype="float32"))
        np.testing.assert_array_equal(output, (PIXELS / 4).astype(kind).astype(np.float32))
        assert seen == {np.dtype("float32")}

    @pytest.mark.parametrize(
        ("dtype", "value", "expected"),
        [("uint8", 300.7, 255), ("uint8", -5, 0), ("uint8", 2.5, 2), ("uint8", np.nan, 0), ("int8", 300, 127)],
    )
    def test_floats_become_uint8_by_rounding_and_clamping(
        self, file: RecordFile, dtype: str, value: float, expected: int
    ) -> None:
        batch = augmented(file, lambda image: np.full(image.shape, value), dtype=dtype).next()
        assert {*batch.data[0].ravel().tolist()} == {expected}

    def test_two_axes_are_gray(self, tmp_path: Path) -> None:
        gray = noise(8, 8, 1)
        output = images(
            augmented(write_images(tmp_path, [png(gray)]), lambda image: image[..., 0], data_shape=(1, 8, 8))
        )
        np.testing.assert_array_equal(output, [gray])

    @pytest.mark.parametrize(
        "hold",
        [lambda image: image, lambda image: image[2:5], memoryview, lambda image: image.T],
        ids=["array", "slice", "memoryview", "transpose"],
    )
    def test_array_kept_by_a_function_never_changes(self, file: RecordFile, hold: Callable[[Image], Any]) -> None:
        kept: list[Any] = []

        def keep(image: Image) -> Image:
            kept.append(hold(image))
            return image

        output = images(augmented(file, keep, inverted_in_place))
        np.testing.assert_array_equal(output, 255 - PIXELS)
        expected = {np.asarray(hold(image)).tobytes() for image in PIXELS}
        assert {np.asarray(array).tobytes() for array in kept} == expected

    def test_function_may_keep_the_base_of_the_array(self, file: RecordFile) -> None:
        kept: list[object] = []

        def keep(image: Image) -> Image:
            kept.append(image.base)
            return image

        np.testing.assert_array_equal(images(augmented(file, keep)), PIXELS)


class TestThreads:
    def test_function_is_called_by_one_thread_at_a_time(self, file: RecordFile) -> None:
        """A waiting call lets other threads run, which would start a second call."""
        active: list[int] = []
        counts: set[int] = set()
        pause = threading.Event()

        def count(image: Image) -> Image:
            active.append(threading.get_ident())
            pause.wait(0.001)
            counts.add(len(active))
            callers.add(active.pop())
            return image

        callers: set[int] = set()
        np.testing.assert_array_equal(images(augmented(file, count)), PIXELS)
        assert counts == {1}
        assert len(callers) > 1

    def test_other_functions_may_run_concurrently(self, file: RecordFile) -> None:
        """The second call of one function waits for the first call of the other, and vice versa."""
        meeting = threading.Barrier(2, timeout=10)
        calls = [0, 0]

        def meet(index: int, image: Image) -> Image:
            calls[index] += 1
            if (index, calls[index]) in ((0, 2), (1, 1)):
                meeting.wait()
            return image

        functions = (functools.partial(meet, index) for index in (0, 1))
        np.testing.assert_array_equal(images(augmented(file, *functions)), PIXELS)

    @pytest.mark.parametrize("count", [1, 2, 3, 8])
    def test_batches_do_not_depend_on_the_number_of_threads(self, file: RecordFile, count: int) -> None:
        def read(preprocess_threads: int) -> list[str]:
            augmenters = [
                RandomCropAug((6, 7)),
                inverted,
                HorizontalFlipAug(0.5),
                inverted_in_place,
                RandomCropAug((5, 5)),
            ]
            settings: dict[str, Any] = {"data_shape": (3, 5, 5), "shuffle": True, "seed": 4}
            batches = augmented(file, *augmenters, preprocess_threads=preprocess_threads, **settings)
            return [digest(epoch) for epoch in epochs(batches, 2)]

        assert read(count) == read(4)


class TestPlans:
    def test_plan_ends_at_the_first_function(self, file: RecordFile) -> None:
        plan = augmented(file, RandomCropAug((5, 5)), HorizontalFlipAug(1), inverted, ResizeAug(9)).plan(0)
        assert [entry["operation"] for entry in plan["steps"]] == ["decode"]
        assert plan["steps"][0]["window"][2:] == (5, 5)
        assert (plan["mirror"], plan["complete"]) == (True, False)

    def test_plan_is_complete_without_functions(self, file: RecordFile) -> None:
        assert augmented(file, RandomCropAug((5, 5)), data_shape=(3, 5, 5)).plan(0)["complete"] is True
