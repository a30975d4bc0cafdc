"""Segmentation: `ImageMaskRecordIter`, and the pairs of record files that ``im2rec --masks`` packs.

Most tests check one property. Each image is painted in one color per class, according to its mask. After any
augmentation of both, a pixel of the image with the pure color of a class must have that class in the mask.
"""

from __future__ import annotations

import inspect
import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

import recio
from recio import image
from recio.im2rec import pack
from recio.io import DataDesc, ImageMaskRecordIter, ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO, unpack
from tests.support.commands import run_im2rec
from tests.support.records import (
    FIRST_ID,
    PHOTOS,
    RecordFile,
    digest,
    image_record,
    in_batch,
    noise,
    open_iter,
    png,
    write_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# Corners of a cube, so that no mixture of colors is another one; far from 0 and 255, so that no
# overshoot is clamped.
COLORS = np.array([(a, b, c) for a in (60, 200) for b in (60, 200) for c in (60, 200)], np.uint8)
CLASSES = 7
OUTSIDE = 7
"""Index of the color outside the image: the last of the colors, a gray."""
OUTSIDE_LEVEL = 200
IGNORED = 255
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
"""Passes of an interlaced PNG: first column and row, and step sizes."""


def classes(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Generate a mask: each pixel has the class of the nearest of some points."""
    random = np.random.default_rng(seed)
    points = random.uniform(0, (height, width), (14, 2))
    rows, columns = np.mgrid[:height, :width]
    distances = (rows[..., None] - points[:, 0]) ** 2 + (columns[..., None] - points[:, 1]) ** 2
    nearest: NDArray[np.int64] = distances.argmin(axis=-1)
    return (nearest % CLASSES).astype(np.uint8)


def gray(mask: NDArray[np.uint8]) -> bytes:
    """Encode a mask as a gray PNG."""
    return png(mask[..., None])


def painted(mask: NDArray[np.uint8]) -> bytes:
    """Encode the image painted according to a mask."""
    return png(COLORS[mask])


def save(mask: Image.Image, form: str = "PNG", **settings: Any) -> bytes:  # noqa: ANN401 they are of many types
    """Encode with Pillow."""
    file = io.BytesIO()
    mask.save(file, form, **settings)
    return file.getvalue()


def interlaced(mask: NDArray[np.uint8], bits: int) -> bytes:
    """Encode a mask as an interlaced gray PNG, which neither OpenCV nor Pillow can write."""
    rows = bytearray()
    for x, y, across, down in ADAM7:
        for row in mask[y::down, x::across]:
            spread = np.unpackbits(row[:, None], axis=1)[:, -bits:]
            rows += b"\0" + np.packbits(spread).tobytes()
    height, width = mask.shape
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 1)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    encoded = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(encoded)


class Pairs:
    """Images and masks in two record files; the masks are in reverse order, with an extra one."""

    def __init__(self, folder: Path, masks: Sequence[NDArray[np.uint8]]) -> None:
        self.masks = masks
        self.images = write_records(folder, (image_record(painted(mask), n) for n, mask in enumerate(masks)), "images")
        extra = image_record(gray(masks[0]), len(masks))
        encoded = [image_record(gray(mask), n) for n, mask in enumerate(masks)]
        self.encoded = write_records(folder, [extra, *reversed(encoded)], "masks")

    def open(self, **settings: Any) -> ImageMaskRecordIter:  # noqa: ANN401 they are of many types
        return open_pairs(self.images, self.encoded, **settings)


def open_pairs(images: RecordFile, masks: RecordFile, **settings: Any) -> ImageMaskRecordIter:  # noqa: ANN401
    """Open an iterator over pairs with batches of 4; `settings` override the defaults."""
    defaults = {
        "path_imgrec": images.rec,
        "path_maskrec": masks.rec,
        "data_shape": (3, 40, 48),
        "batch_size": 4,
        "dtype": "uint8",
        "layout": "NHWC",
        "preprocess_threads": 2,
    }
    return ImageMaskRecordIter(**{**defaults, **settings})


def masks_of(batches: Iterable[recio.io.DataBatch]) -> NDArray[np.uint8]:
    """Return all masks, including padding."""
    return np.concatenate([batch.label[0] for batch in batches if batch.label])


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Write twelve pairs of many sizes."""
    sizes = [(60, 80), (81, 55), (40, 48), (97, 120), (33, 30), (64, 64)] * 2
    return Pairs(tmp_path_factory.mktemp("pairs"), [classes(*size, seed) for seed, size in enumerate(sizes)])


def pure(images: NDArray[Any]) -> NDArray[np.int64]:
    """Return the class whose color each pixel has, -1 if none."""
    off = np.abs(images[..., None, :].astype(np.int64) - COLORS).max(axis=-1)
    return np.where(off.min(axis=-1) <= 1, off.argmin(axis=-1), -1)


def assert_aligned(batches: Iterable[recio.io.DataBatch], min_pure: float = 0.5, max_mismatch: float = 0.0) -> None:
    """Check that masks have the classes of pure-colored pixels, which must be more than `min_pure` of all."""
    for batch in batches:
        assert batch.label is not None
        image_classes, mask = pure(batch.data[0]), batch.label[0].astype(np.int64)
        mask[mask == IGNORED] = OUTSIDE
        is_pure = image_classes >= 0
        assert is_pure.mean() > min_pure
        mismatch = (image_classes != mask)[is_pure].mean()
        assert mismatch <= max_mismatch, f"{mismatch:.2%} of the pixels have another class"


GEOMETRY: dict[str, dict[str, Any]] = {
    "center crop": {},
    "rand_crop": {"rand_crop": True},
    "resize down": {"resize": 45, "rand_crop": True},
    "resize up": {"resize": 150, "rand_crop": True},
    "cover": {"data_shape": (3, 110, 130)},
    "random_resized_crop": {"random_resized_crop": True},
    "narrow random_resized_crop": {"random_resized_crop": True, "max_random_area": 0.1, "min_aspect_ratio": 0.3},
    "square": {"min_crop_size": 20, "max_crop_size": 60, "rand_crop": True},
    "rotation": {"max_rotate_angle": 180, "rand_crop": True},
    "rotate": {"rotate": 30},
    "rotate_list": {"rotate_list": [0, 90, 180]},
    "shear and scale": {"max_shear_ratio": 0.3, "min_random_scale": 0.6, "max_random_scale": 1.5},
    "canvas": {"min_img_size": 100, "max_img_size": 110, "max_rotate_angle": 10},
    "pad": {"pad": 9, "rand_crop": True},
    "pad, then larger": {"pad": 3, "data_shape": (3, 110, 130)},
    "mirror": {"mirror": True, "resize": 50},
    "all": {
        "resize": 70,
        "max_rotate_angle": 20,
        "max_shear_ratio": 0.1,
        "pad": 5,
        "random_resized_crop": True,
        "rand_mirror": True,
    },
}


class TestGeometry:
    @pytest.mark.parametrize("inter_method", [0, 1, 2, 3, 4, 9, 10])
    @pytest.mark.parametrize("keywords", GEOMETRY.values(), ids=GEOMETRY.keys())
    def test_mask_follows_its_image(self, pairs: Pairs, keywords: dict[str, Any], inter_method: int) -> None:
        min_pure = 0.99 if inter_method == 0 else 0.3
        # Kernels with negative weights can mix a pure color from others, at borders; area moves an
        # edge by a pixel.
        max_mismatch = 0.0 if inter_method in (0, 1) else 0.003
        for seed in range(4):
            settings = {**keywords, "rand_mirror": True, "fill_value": OUTSIDE_LEVEL, "inter_method": inter_method}
            assert_aligned(pairs.open(**settings, seed=seed), min_pure, max_mismatch)

    @pytest.mark.parametrize("seed", range(5))
    def test_crop_removes_the_same_classes_from_the_mask(self, pairs: Pairs, seed: int) -> None:
        steps = [
            image.ResizeAug(60, interp=1),
            image.HorizontalFlipAug(0.5),
            image.CastAug(),
            image.RandomCropAug((55, 50), interp=1),
            image.BrightnessJitterAug(0.0),
            image.RandomOrderAug([image.HorizontalFlipAug(0.5), image.ForceResizeAug((70, 60), interp=1)]),
            image.CastAug(),
            image.CenterCropAug((48, 40), interp=1),
        ]
        assert_aligned(pairs.open(aug_list=steps, seed=seed))

    def test_mask_resampling_matches_nearest_exact_of_opencv(self, pairs: Pairs) -> None:
        sampled = masks_of(pairs.open(batch_size=1, resize=50, data_shape=(3, 50, 50)))
        for mask, source in zip(sampled, pairs.masks, strict=True):
            height, width = source.shape
            size = (width * 50 // height, 50) if height <= width else (50, height * 50 // width)
            resized = cv2.resize(source, size, interpolation=cv2.INTER_NEAREST_EXACT)
            top, left = (resized.shape[0] - 50) // 2, (resized.shape[1] - 50) // 2
            assert (mask == resized[top : top + 50, left : left + 50]).all()

    def test_mask_without_steps_is_unchanged(self, tmp_path: Path) -> None:
        mask = noise(40, 48, 1)[..., 0]
        images = write_records(tmp_path, [image_record(png(noise(40, 48)), 0)], "images")
        masks = write_records(tmp_path, [image_record(gray(mask), 0)], "masks")
        batch = open_pairs(images, masks, batch_size=1).next()
        assert batch.label is not None
        assert (batch.label[0][0] == mask).all()

    @pytest.mark.parametrize("fill", [0, 7, 255])
    def test_pixels_outside_the_image_have_the_fill_class(self, pairs: Pairs, fill: int) -> None:
        batch = pairs.open(pad=30, data_shape=(3, 100, 100), mask_fill=fill).next()
        assert batch.label is not None
        assert (batch.label[0][2, :20] == fill).all()
        assert (batch.label[0][2, 30:70, 26:74] == pairs.masks[2]).all()


class TestColors:
    @pytest.mark.parametrize(
        "colors",
        [
            {"brightness": 0.5, "contrast": 0.5, "saturation": 0.5},
            {"random_h": 90, "random_s": 90, "random_l": 90},
            {"pca_noise": 0.5},
            {"fill_value": 3},
            {"mean_r": 9.0, "std_g": 3.0, "scale": 2.0, "dtype": "float32"},
        ],
        ids=lambda colors: next(iter(colors)),
    )
    def test_color_steps_change_images_and_not_masks(self, pairs: Pairs, colors: dict[str, Any]) -> None:
        geometry = {"max_rotate_angle": 30, "pad": 3, "rand_crop": True}
        plain, colored = list(pairs.open(**geometry)), list(pairs.open(**geometry, **colors))
        assert (masks_of(plain) == masks_of(colored)).all()
        assert all((a.data[0] != b.data[0]).any() for a, b in zip(plain, colored, strict=True))

    def test_images_equal_those_of_image_record_iter(self, pairs: Pairs) -> None:
        settings = {"rand_crop": True, "rand_mirror": True, "brightness": 0.3, "shuffle": True, "layout": "NHWC"}
        expected = open_iter(pairs.images, data_shape=(3, 40, 48), **settings)
        for batch, image_batch in zip(pairs.open(**settings), expected, strict=True):
            assert (batch.data[0] == image_batch.data[0]).all()
            assert in_batch(batch) == in_batch(image_batch)

    def test_mean_image_is_computed_with_masks(self, pairs: Pairs, tmp_path: Path) -> None:
        batch = pairs.open(mean_img=tmp_path / "mean.npy", dtype="float32").next()
        assert batch.label is not None
        assert np.load(tmp_path / "mean.npy").shape == (3, 40, 48)
        assert (batch.label[0][2] == pairs.masks[2]).all()


class TestFormats:
    def read(self, folder: Path, encoded: bytes) -> NDArray[np.uint8]:
        """Read a mask of 6 by 40 pixels."""
        images = write_records(folder, [image_record(png(noise(6, 40)), 0)], "images")
        masks = write_records(folder, [image_record(encoded, 0)], "masks")
        mask: NDArray[np.uint8] = masks_of(open_pairs(images, masks, data_shape=(3, 6, 40), batch_size=1))[0]
        return mask

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_palette_mask_has_its_indices(self, tmp_path: Path, bits: int) -> None:
        numbers = np.random.default_rng(bits).integers(0, 1 << bits, (6, 40), np.uint8)
        mask = Image.fromarray(numbers).convert("P")
        mask.putdata(numbers.ravel())
        mask.putpalette(np.random.default_rng(1).integers(0, 256, 768, np.uint8).tobytes())
        encoded = save(mask, bits=bits, transparency=0)
        assert (encoded[24], encoded[25]) == (bits, 3)
        assert (self.read(tmp_path, encoded) == numbers).all()

    def test_1_bit_mask_has_0_and_1(self, tmp_path: Path) -> None:
        numbers = np.random.default_rng(0).integers(0, 2, (6, 40), np.uint8)
        encoded = save(Image.fromarray(numbers * 255).convert("1"))
        assert (encoded[24], encoded[25]) == (1, 0)
        assert (self.read(tmp_path, encoded) == numbers).all()

    @pytest.mark.parametrize("bits", [2, 8])
    def test_interlaced_mask_is_decoded(self, tmp_path: Path, bits: int) -> None:
        numbers = np.random.default_rng(0).integers(0, 1 << bits, (6, 40), np.uint8)
        assert (self.read(tmp_path, interlaced(numbers, bits)) == numbers).all()

    @pytest.mark.parametrize(
        ("encoded", "description"),
        [
            (save(Image.new("RGB", (40, 6))), "a PNG of Rgb, 8 bits"),
            (save(Image.new("LA", (40, 6))), "a PNG of GrayscaleAlpha, 8 bits"),
            (save(Image.new("I;16", (40, 6))), "a PNG of Grayscale, 16 bits"),
            (save(Image.new("L", (40, 6)), "JPEG"), "JPEG"),
        ],
        ids=["RGB", "alpha", "16 bits", "JPEG"],
    )
    def test_invalid_mask_is_an_error_with_a_hint(self, tmp_path: Path, encoded: bytes, description: str) -> None:
        with pytest.raises(
            recio.DecodeError, match=f"a mask is a PNG of one channel .*; this is {description}"
        ) as caught:
            self.read(tmp_path, encoded)
        assert str(caught.value).startswith(f"{tmp_path / 'masks.rec'}: record 0 (id {FIRST_ID}) at byte 0: ")

    @pytest.mark.parametrize("keep", [0, 10, 60, 150])
    def test_truncated_mask_is_an_error(self, tmp_path: Path, keep: int) -> None:
        encoded = gray(noise(6, 40, 1)[..., 0])
        with pytest.raises(recio.DecodeError, match=r"masks\.rec: record 0"):
            self.read(tmp_path, encoded[:keep])


class TestMatching:
    def test_masks_are_matched_by_id_in_any_order(self, pairs: Pairs) -> None:
        batches = list(pairs.open(shuffle=True, data_shape=(3, 30, 30), batch_size=1))
        order = [in_batch(batch)[0] for batch in batches]
        assert order != sorted(order)
        assert_aligned(batches)

    def test_shards_have_their_own_masks(self, pairs: Pairs) -> None:
        for index in range(3):
            assert_aligned(pairs.open(num_parts=3, part_index=index))

    def test_masks_may_be_in_several_files_with_indexes(self, pairs: Pairs, tmp_path: Path) -> None:
        encoded = [image_record(gray(mask), n) for n, mask in enumerate(pairs.masks)]
        files = write_records(tmp_path, encoded[7:], "a"), write_records(tmp_path, encoded[:7], "b")
        batches = pairs.open(path_maskrec=[file.rec for file in files], path_maskidx=[file.idx for file in files])
        assert_aligned(batches)

    def test_image_without_a_mask_is_an_error_that_names_it(self, pairs: Pairs, tmp_path: Path) -> None:
        encoded = [image_record(gray(mask), n) for n, mask in enumerate(pairs.masks) if n != 5]
        batches = pairs.open(path_maskrec=write_records(tmp_path, encoded).rec)
        assert in_batch(batches.next()) == [0, 1, 2, 3]
        with pytest.raises(recio.RecordError, match="path_maskrec has no mask of the image's id 105") as caught:
            batches.next()
        assert (caught.value.record, caught.value.id) == (5, 105)
        assert in_batch(batches.next()) == [8, 9, 10, 11]

    def test_duplicate_mask_id_is_an_error_at_once(self, pairs: Pairs, tmp_path: Path) -> None:
        encoded = [image_record(gray(mask), n % 11) for n, mask in enumerate(pairs.masks)]
        with pytest.raises(recio.RecordError, match=r"record 11 \(id 100\) at byte \d+: record 0 has the same id"):
            pairs.open(path_maskrec=write_records(tmp_path, encoded).rec)

    def test_duplicate_image_id_is_an_error_at_once(self, pairs: Pairs, tmp_path: Path) -> None:
        """Both images would get the same mask."""
        encoded = [image_record(painted(mask), n % 11) for n, mask in enumerate(pairs.masks)]
        with pytest.raises(recio.RecordError, match=r"twice\.rec: record 11 \(id 100\).*record 0 has the same id"):
            pairs.open(path_imgrec=write_records(tmp_path, encoded, "twice").rec)

    def test_mask_of_another_size_is_an_error_that_names_both(self, pairs: Pairs, tmp_path: Path) -> None:
        encoded = [image_record(gray(mask[:, :-1]), n) for n, mask in enumerate(pairs.masks)]
        masks = write_records(tmp_path, encoded, "masks")
        expected = (
            rf"images\.rec: record 0 \(id 100\) at byte 0: the image is 80x60 pixels as it is displayed, "
            rf"its mask is not: {re.escape(str(masks.rec))}: record 0 \(id 100\) at byte 0: 79x60 pixels"
        )
        with pytest.raises(recio.RecordError, match=expected):
            pairs.open(path_maskrec=masks.rec).next()

    def test_mask_has_the_size_of_the_upright_image(self, tmp_path: Path) -> None:
        """Photographs in portrait orientation are stored rotated; masks have the displayed orientation."""
        mask = classes(80, 60, 0)
        sideways = Image.fromarray(np.rot90(COLORS[mask]))
        exif = Image.Exif()
        exif[0x0112] = 6
        encoded = save(sideways, exif=exif)
        images = write_records(tmp_path, [image_record(encoded, 0)], "images")
        masks = write_records(tmp_path, [image_record(save(Image.fromarray(mask), exif=exif), 0)], "masks")
        batch = open_pairs(images, masks, batch_size=1, data_shape=(3, 80, 60)).next()
        assert batch.label is not None
        assert (batch.label[0][0] == mask).all()
        assert_aligned([batch])


class TestBatches:
    def test_batches_match_their_descriptions(self, pairs: Pairs) -> None:
        batches = pairs.open(label_name="mask", layout="NCHW")
        assert batches.provide_label == [DataDesc("mask", (4, 40, 48))]
        description = batches.provide_label[0]
        assert (description.dtype, description.layout) == (np.uint8, "NHW")
        batch = batches.next()
        assert batch.label is not None
        mask = batch.label[0]
        assert mask.shape == (4, 40, 48)
        assert mask.dtype == np.uint8
        assert batch.provide_label == batches.provide_label
        assert mask.flags.c_contiguous
        assert mask.flags.writeable
        assert batch.data[0].shape == (4, 3, 40, 48)

    def test_kept_masks_are_never_overwritten(self, pairs: Pairs) -> None:
        batches = pairs.open(rand_crop=True, batch_size=2)
        kept = list(batches)
        copies = [batch.label[0].copy() for batch in kept if batch.label]
        for _ in range(3):
            batches.reset()
            for batch in batches:
                assert batch.label is not None
                batch.label[0][:] = 77
        assert (np.concatenate(copies) == masks_of(kept)).all()

    @pytest.mark.parametrize("threads", [1, 2, 5])
    @pytest.mark.parametrize("prefetch", [1, 3])
    def test_batches_do_not_depend_on_threads_or_prefetch(self, pairs: Pairs, threads: int, prefetch: int) -> None:
        def read(**settings: int) -> str:
            batches = pairs.open(**GEOMETRY["all"], shuffle=True, seed=3, batch_size=5, **settings)
            first = digest(batches)
            batches.reset()
            return first + digest(batches)

        expected = read(preprocess_threads=3, prefetch_buffer=2)
        assert read(preprocess_threads=threads, prefetch_buffer=prefetch) == expected

    def test_last_batch_is_padded_with_first_pairs(self, pairs: Pairs) -> None:
        *_, last = pairs.open(batch_size=5)
        assert last.label is not None
        assert (last.pad, in_batch(last)) == (3, [10, 11, 0, 1, 2])
        assert (last.label[0][4] == pairs.masks[2]).all()
        assert_aligned([last])

    def test_last_batch_may_be_padded_with_ignored_masks(self, pairs: Pairs) -> None:
        batches = pairs.open(batch_size=5, round_batch=False, prefetch_buffer=1)
        for _ in range(3):
            *_, last = batches
            assert last.label is not None
            assert last.pad == 3
            assert (last.label[0][2:] == IGNORED).all()
            assert (last.data[0][2:] == 0).all()
            batches.reset()

    def test_records_may_have_any_labels(self, tmp_path: Path) -> None:
        mask = classes(40, 48, 0)
        records = [image_record(painted(mask), n, [float(n)] * (n + 2)) for n in range(4)]
        images = write_records(tmp_path, records, "images")
        masks = write_records(tmp_path, [image_record(gray(mask), n) for n in range(4)], "masks")
        assert (masks_of(open_pairs(images, masks)) == mask).all()


class TestKeywords:
    def test_keywords_equal_those_of_image_record_iter_except_labels(self) -> None:
        mask_keywords, image_keywords = (
            inspect.signature(iterator).parameters for iterator in (ImageMaskRecordIter, ImageRecordIter)
        )
        assert mask_keywords.keys() - image_keywords.keys() == {"path_maskrec", "path_maskidx", "mask_fill"}
        assert image_keywords.keys() - mask_keywords.keys() == {
            "path_imglist",
            "label_width",
            "label_pad_value",
            "unknown",
        }
        assert all(
            mask_keywords[name].default == image_keywords[name].default
            for name in mask_keywords.keys() & image_keywords.keys()
        )

    def test_docstring_names_each_keyword(self) -> None:
        named = set(re.findall(r"\w+", ImageMaskRecordIter.__doc__ or ""))
        assert not inspect.signature(ImageMaskRecordIter).parameters.keys() - named

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"rand_corp": True}, TypeError, r"ImageMaskRecordIter .* 'rand_corp'; did you mean 'rand_crop'\?"),
            ({"label_width": 2}, TypeError, "unexpected keyword argument 'label_width'"),
            ({"mask_fill": 256}, ValueError, "mask_fill must be from 0 to 255, got 256"),
            ({"mask_fill": "no"}, TypeError, "mask_fill must be an integer, got 'no'"),
            ({"path_maskrec": None}, ValueError, "path_maskrec names no file"),
            ({"path_maskrec": "missing.rec"}, FileNotFoundError, r"missing\.rec"),
            ({"resize": "no"}, TypeError, "resize must be an integer, got 'no'"),
        ],
    )
    def test_invalid_argument_is_refused(
        self, pairs: Pairs, settings: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            pairs.open(**settings)

    @pytest.mark.parametrize("wrap", [list, lambda steps: [image.RandomOrderAug(steps)]], ids=["plain", "nested"])
    def test_functions_are_refused_because_masks_cannot_follow_them(
        self, pairs: Pairs, wrap: Callable[[list[Any]], list[Any]]
    ) -> None:
        def flip(pixels: NDArray[Any]) -> NDArray[Any]:
            return pixels[::-1]

        with pytest.raises(ValueError, match=r"aug_list has a function, .* cannot be done to its mask"):
            pairs.open(aug_list=wrap([flip]))


def decoded(path: Path) -> NDArray[np.uint8]:
    """Decode a file with Pillow."""
    with Image.open(path) as opened:
        return np.array(opened)


class Folders:
    """Photographs and masks in two folders, and a list of the photographs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.images, self.masks = folder, folder / "images", folder / "masks"
        for subfolder in (self.images / "sub", self.masks / "sub"):
            subfolder.mkdir(parents=True)
        self.names = ["0", "sub/1", "sub/2", "3.x", "4", "5"]
        for name, photo in zip(self.names, PHOTOS, strict=False):
            (self.images / f"{name}.jpg").write_bytes(photo.read_bytes())
            height, width = decoded(photo).shape[:2]
            (self.masks / f"{name}.png").write_bytes(gray(classes(height, width, len(name))))
        lines = (f"{n}\t{n}\t{name}.jpg\n" for n, name in enumerate(self.names))
        (folder / "a.lst").write_text("".join(lines))

    def outputs(self) -> list[str]:
        """Return the names of the files in the list's folder."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_file() and path.suffix != ".lst")

    def command(self, *options: object) -> int:
        """Run im2rec with masks; return its exit code."""
        return run_im2rec("--pass-through", "--masks", self.masks, *options, self.folder / "a", self.images)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Write six pairs of files."""
    return Folders(tmp_path)


def payloads(rec: Path) -> dict[int, bytes]:
    """Return the images of a record file by their ids, in file order."""
    reader = MXRecordIO(rec, "r")
    images = {}
    while (record := reader.read()) is not None:
        header, image_bytes = unpack(record)
        images[header.id] = image_bytes
    return images


class TestPacking:
    def test_masks_are_packed_unchanged_with_the_ids_of_their_images(
        self, folders: Folders, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert folders.command() == 0
        assert folders.outputs() == ["a.idx", "a.rec", "a_mask.idx", "a_mask.rec"]
        images, masks = payloads(folders.folder / "a.rec"), payloads(folders.folder / "a_mask.rec")
        assert list(images) == list(masks) == list(range(6))
        for n, name in enumerate(folders.names):
            assert masks[n] == (folders.masks / f"{name}.png").read_bytes()
            assert images[n] == (folders.images / f"{name}.jpg").read_bytes()
        length = (folders.folder / "a_mask.rec").stat().st_size
        assert f"a_mask.rec: 6 records, {length} bytes" in capsys.readouterr().out

    def test_both_indexes_have_the_same_keys(self, folders: Folders) -> None:
        folders.command()
        with MXIndexedRecordIO(folders.folder / "a_mask.idx", folders.folder / "a_mask.rec", "r") as masks:
            assert masks.keys == list(range(6))
            assert unpack(masks.read_idx(4))[1] == (folders.masks / "4.png").read_bytes()

    def test_packed_pairs_are_read_as_pairs(self, folders: Folders) -> None:
        packed = pack(folders.folder / "a.lst", folders.images, masks=folders.masks, encoding=".png", quality=1)
        batches = ImageMaskRecordIter(
            path_imgrec=packed.rec, path_maskrec=packed.mask_rec, data_shape=(3, 64, 64), batch_size=6
        )
        batch = batches.next()
        assert batch.label is not None
        mask = decoded(folders.masks / "sub/1.png")
        top, left = (mask.shape[0] - 64) // 2, (mask.shape[1] - 64) // 2
        assert (batch.label[0][1] == mask[top : top + 64, left : left + 64]).all()

    def test_image_without_mask_is_skipped_in_both_files_and_reported(
        self, folders: Folders, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folders.masks / "0.png").unlink()
        (folders.masks / "sub/1.png").write_bytes(png(noise(8, 8)))
        (folders.images / "sub/2.jpg").unlink()
        (folders.masks / "3.x.png").write_bytes(gray(classes(8, 9, 0)))
        (folders.masks / "4.png").write_bytes((folders.masks / "4.png").read_bytes()[:80])
        assert folders.command() == 1
        assert list(payloads(folders.folder / "a.rec")) == list(payloads(folders.folder / "a_mask.rec")) == [5]
        stderr = capsys.readouterr().err
        for line in (
            "line 1: 0.jpg: its mask 0.png: no such file",
            "line 2: sub/1.jpg: its mask: a mask is a PNG of one channel",
            "line 3: sub/2.jpg: no such file",
            "line 4: 3.x.jpg: its mask: 9x8 pixels, but its image has ",
            "line 5: 4.jpg: its mask: ",
        ):
            assert line in stderr
        assert folders.command("--skip-bad") == 0

    def test_invalid_image_is_not_reported_as_an_invalid_mask(self, folders: Folders) -> None:
        (folders.images / "4.jpg").write_bytes(b"no image")
        packed = pack(folders.folder / "a.lst", folders.images, masks=folders.masks, pass_through=True)
        assert [(entry.index, entry.reason[:12]) for entry in packed.skipped] == [(4, "not an image")]

    @pytest.mark.parametrize(("suffix", "option"), [("_mask.png", "_mask.png"), (".PNG", "PNG")])
    def test_mask_names_may_have_another_pattern(self, folders: Folders, suffix: str, option: str) -> None:
        for name in folders.names:
            (folders.masks / f"{name}.png").rename(folders.masks / f"{name}{suffix}")
        assert folders.command("--mask-ext", option) == 0

    def test_no_pairs_leave_no_record_files(self, folders: Folders) -> None:
        assert folders.command("--mask-ext", ".gif") == 1
        assert folders.outputs() == ["a.skipped.jsonl"]

    def test_unusable_output_name_leaves_none_of_the_four_files(self, folders: Folders) -> None:
        (folders.folder / "a_mask.idx").mkdir()
        assert folders.command() == 1
        assert folders.outputs() == []

    @pytest.mark.parametrize("option", [{"resize": 32}, {"center_crop": True}])
    def test_options_that_would_change_only_images_are_refused(self, folders: Folders, option: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="cannot be combined with masks"):
            pack(folders.folder / "a.lst", folders.images, masks=folders.masks, **option)

    def test_missing_folder_of_masks_is_an_argument_error(
        self, folders: Folders, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert folders.command("--masks", folders.folder / "none") == 2
        assert "--masks: " in capsys.readouterr().err

    def test_masks_outside_their_folder_are_refused(self, folders: Folders) -> None:
        (folders.folder / "outside.png").write_bytes((folders.masks / "5.png").read_bytes())
        (folders.masks / "5.png").unlink()
        (folders.masks / "5.png").symlink_to(folders.folder / "outside.png")
        assert folders.command() == 1
        assert list(payloads(folders.folder / "a_mask.rec")) == [0, 1, 2, 3, 4]
        assert folders.command("--allow-outside") == 0
