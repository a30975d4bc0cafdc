"""Bytes to images and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from recio import _recio
from recio._util import BytesLike, as_bytes
from recio.limits import FORMATS, format_list, limits_tuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recio._util import StrPath
    from recio.limits import Limits

    Sample = TypeVar("Sample", bound=np.generic)

_PNG_LEVELS = 9


def imread(
    filename: StrPath,
    flag: int = 1,
    to_rgb: bool = True,
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Read and decode an image file.

    Parameters
    ----------
    filename : path
        The file.
    flag, to_rgb, out
        As for `imdecode`.

    Returns
    -------
    ndarray, shape (height, width, channels), uint8
        As of `imdecode`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    recio.DecodeError
        If it is not an image, or a damaged one; the message names the file.
    """
    payload = Path(filename).read_bytes()
    try:
        return imdecode(payload, flag, to_rgb, out)
    except _recio.DecodeError as error:
        named = _recio.DecodeError(f"{filename}: {error}")
        named.path = str(filename)
        raise named from None


def imdecode(
    buf: BytesLike,
    flag: int = 1,
    to_rgb: bool = True,
    out: NDArray[np.uint8] | None = None,
    *,
    region: tuple[int, int, int, int] | None = None,
    on_damage: str = "error",
    limits: Limits | None = None,
    formats: str | Sequence[str] | None = None,
) -> NDArray[np.uint8]:
    """Decode an image, or a region of it.

    JPEG, PNG, WebP, BMP, GIF (its first frame) and TIFF, told by their bytes. EXIF orientation is applied, whatever the
    file begins with. (MXNet applied it to some files and not to others.) Alpha is dropped; of 16 bits the high byte
    stays. The pixels of a JPEG are libjpeg-turbo's, bit for bit. The interpreter is let go of meanwhile, so several
    threads decode at once.

    Parameters
    ----------
    buf : bytes-like or ndarray of uint8
        An image file's bytes.
    flag : {1, 0}, default 1
        1: three channels. 0: one, grey.
    to_rgb : bool, default True
        Whether the channels are R, G, B, or B, G, R.
    out : ndarray, shape (height, width, channels), uint8, optional
        Where to put the image.
    region : tuple of 4 int, optional
        The part to decode: left, top, width, height in pixels, after the orientation is applied. Of a JPEG, what
        this part does not need is not computed: that takes less time, and damage below it may pass unnoticed.
    on_damage : {'error', 'fill'}, default 'error'
        Whether damage in a JPEG's image data is an error, or is filled as libjpeg does: with grey where data is
        missing, with what can be made of it elsewhere. A damaged header is an error in any case.
    limits : recio.Limits, optional
        The largest image that is decoded. Default: 16,384 pixels a side, 178,956,970 in all, 512 MiB, 100 scans.
    formats : str or list of str, optional
        The formats that are decoded: 'jpeg', 'png', 'webp', 'bmp', 'gif', 'tiff'. Default: all of them.

    Returns
    -------
    ndarray, shape (height, width, 3) or (height, width, 1), uint8
        Levels from 0 to 255; `out` if that was given. Height and width are the region's, if there is one.

    Raises
    ------
    ValueError
        If the region has no pixels or leaves the image, or `on_damage` is neither.
    recio.DecodeError
        If the bytes are not an image, are a damaged one, or one larger than the limits.

    Examples
    --------
    >>> image = imdecode(open("cat.jpg", "rb").read())  # doctest: +SKIP
    >>> image.shape  # doctest: +SKIP
    (300, 451, 3)
    """
    if flag not in (0, 1):
        raise ValueError(f"flag={flag}; it is 1 (colour) or 0 (grey)")
    if on_damage not in {"error", "fill"}:
        raise ValueError(f"on_damage={on_damage!r}; it is 'error' or 'fill'")
    if region is not None and min(region) < 0:
        raise ValueError(f"region={region}; it is (left, top, width, height) within the image")
    image = _recio.decode(
        as_bytes(buf),
        flag == 0,
        region,
        on_damage == "fill",
        limits_tuple(limits),
        format_list(FORMATS if formats is None else formats),
    )
    if flag == 1 and not to_rgb:
        image = np.ascontiguousarray(image[..., ::-1])
    return put(image, out)


def imencode(img: NDArray[np.uint8], img_fmt: str = ".jpg", quality: int = 95) -> bytes:
    """Encode an image.

    Parameters
    ----------
    img : ndarray, shape (height, width) or (height, width, channels), uint8
        Grey, R, G, B or (PNG only) R, G, B, A levels. A PNG may also be of uint16.
    img_fmt : {'.jpg', '.jpeg', '.png'}
        The format, in upper or lower case.
    quality : int, default 95
        Of a JPEG, 1 to 100 (others are clamped); of a PNG, the compression level, 0 to 9 (more counts as 9).

    Returns
    -------
    bytes
        An image file.

    Raises
    ------
    ValueError
        If the format is unknown, or the array is not an image of it.
    """
    pixels = _pixels(img)
    deep = pixels.dtype == np.uint16
    match img_fmt.lower():
        case ".jpg" | ".jpeg":
            if deep:
                raise ValueError("an image of uint16; a JPEG's levels are uint8")
            return _recio.encode_jpeg(pixels, min(max(quality, 1), 100))
        case ".png":
            level = min(max(quality, 0), _PNG_LEVELS)
            return (_recio.encode_png_16 if deep else _recio.encode_png)(pixels, level)
        case _:
            raise ValueError(f"img_fmt={img_fmt!r}; it is '.jpg', '.jpeg' or '.png'")


def _pixels(img: NDArray[Any]) -> NDArray[Any]:
    """Give an image three axes; floats are rounded and clamped to levels, as OpenCV does."""
    img = np.asarray(img)
    if img.dtype.kind == "f":
        img = np.clip(np.rint(img), 0, 255).astype(np.uint8)
    if img.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image of {img.dtype}; its levels are uint8")
    if img.ndim == 2:  # noqa: PLR2004
        img = img[..., np.newaxis]
    if img.ndim != 3:  # noqa: PLR2004
        raise ValueError(f"an image of shape {img.shape}; it has the axes height, width, channels")
    return np.ascontiguousarray(img)


def put(image: NDArray[Sample], out: NDArray[Sample] | None) -> NDArray[Sample]:
    """Give the image, in ``out`` if that was given.

    Raises
    ------
    ValueError
        If ``out`` has another shape or type.
    """
    if out is None:
        return image
    if out.shape != image.shape or out.dtype != image.dtype:
        raise ValueError(f"out is {out.shape} {out.dtype}; the image is {image.shape} {image.dtype}")
    out[...] = image
    return out
