"""Limits on image sizes and formats: images beyond them raise from their header alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio
from recio import Limits
from recio.datasets import RecordDataset
from recio.image import ImageIter, imdecode, imread
from recio.recordio import IRHeader, pack, unpack_img
from tests.support.records import DATA, PHOTOS, noise, open_iter, png, write_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ODD = DATA / "odd-images"


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(side=99), "100x20 pixels; the limit is 99 a side"),
        (Limits(pixels=1_999), "2000 pixels; the limit is 1999"),
        (Limits(bytes=5_999), "6000 bytes when decoded; the limit is 5999"),
    ],
)
def test_image_beyond_a_limit_raises_and_at_the_limit_decodes(tmp_path: Path, limits: Limits, text: str) -> None:
    image = png(noise(20, 100))
    with pytest.raises(recio.DecodeError, match=text):
        imdecode(image, limits=limits)
    with pytest.raises(recio.DecodeError, match=rf"record 0 .*{text}"):
        open_iter(write_images(tmp_path, [image]), limits=limits).next()
    assert imdecode(image, limits=Limits(side=100, pixels=2_000, bytes=6_000)).shape == (20, 100, 3)


@pytest.mark.parametrize("way", ["imread", "unpack_img", "unpack_img as color", "RecordDataset"])
def test_each_way_of_decoding_has_the_limits_that_its_error_names(tmp_path: Path, way: str) -> None:
    image = png(noise(20, 100))
    record, path = pack(IRHeader(0, 1.0, 0, 0), image), tmp_path / "a.png"
    path.write_bytes(image)
    file = write_images(tmp_path, [image])
    ways: dict[str, Callable[[Limits], Any]] = {
        "imread": lambda limits: imread(path, limits=limits),
        "unpack_img": lambda limits: unpack_img(record, limits=limits)[1],
        "unpack_img as color": lambda limits: unpack_img(record, 1, limits=limits)[1],
        "RecordDataset": lambda limits: RecordDataset(file.rec, limits=limits)[0][0],
    }
    with pytest.raises(recio.DecodeError, match=r"100x20 pixels; the limit is 99 a side: limits=Limits\(side=\.\.\.\)"):
        ways[way](Limits(side=99))
    assert ways[way](Limits(side=100)).shape == (20, 100, 3)


def test_scans_of_a_jpeg_are_limited() -> None:
    progressive = (ODD / "progressive.jpg").read_bytes()
    assert imdecode(progressive).size
    with pytest.raises(recio.DecodeError, match="scan"):
        imdecode(progressive, limits=Limits(scans=2))


def test_limits_must_be_positive_integers() -> None:
    for value in (0, -1, 1.5, None, 1 << 60):
        with pytest.raises(ValueError, match="side must be an integer"):
            Limits(side=value)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"recio\.Limits"):
        imdecode(PHOTOS[0].read_bytes(), limits=(1, 2, 3, 4))  # type: ignore[arg-type]


def test_iterators_accept_jpeg_and_png_and_others_on_request(tmp_path: Path) -> None:
    names = ["photo.bmp", "photo.webp"]
    for name in names:
        file = write_images(tmp_path, [(ODD / name).read_bytes()])
        kind = name.split(".")[1]
        settings: dict[str, Any] = {"data_shape": (3, 64, 64), "batch_size": 1}
        with pytest.raises(
            recio.DecodeError, match=f'the image is a {kind}, but formats allows only jpeg, png: add "{kind}"'
        ):
            open_iter(file, **settings).next()
        with pytest.raises(recio.DecodeError, match="formats allows only jpeg, png"):
            ImageIter(1, (3, 64, 64), path_imgrec=file.rec).next()
        for formats in (kind, ["jpeg", kind]):
            assert open_iter(file, **settings, formats=formats).next().data[0].std() > 5
        assert imdecode((ODD / name).read_bytes()).size


def test_unknown_formats_raise(tmp_path: Path) -> None:
    file = write_images(tmp_path, [png(np.zeros((8, 8, 3), np.uint8))])
    for formats, text in (
        (["jpg"], 'unknown format "jpg"; formats may contain jpeg, png, webp, bmp, gif, tiff'),
        ([], "formats is empty"),
    ):
        with pytest.raises(ValueError, match=text):
            open_iter(file, formats=formats)
