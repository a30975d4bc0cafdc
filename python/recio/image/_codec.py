"""Decoding and encoding of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from recio import _recio
from recio._loader import validate
from recio._util import BytesLike, as_bytes, fills_damage, read_bytes
from recio.limits import format_list, limits_tuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recio._util import OnDamage, StrPath
    from recio.limits import Limits

    Sample = TypeVar("Sample", bound=np.generic)
    Subsampling = Literal["4:2:0", "4:2:2", "4:4:4"]

_RGBA = 4


def imread(
    filename: StrPath,
    flag: int = 1,
    to_rgb: bool = True,
    out: NDArray[np.uint8] | None = None,
    *,
    on_damage: OnDamage = "error",
    limits: Limits | None = None,
    formats: str | Sequence[str] | None = None,
) -> NDArray[np.uint8]:
    """Read and decode an image file.

    Parameters
    ----------
    filename : path
        Path of the file.
    flag, to_rgb, out, on_damage, limits, formats
        As for `imdecode`.

    Returns
    -------
    ndarray, shape (height, width, channels), uint8
        As for `imdecode`.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    recio.DecodeError
        If it is not an image, or damaged; the message names the file.
    """
    payload = read_bytes(filename)
    try:
        return imdecode(payload, flag, to_rgb, out, on_damage=on_damage, limits=limits, formats=formats)
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
    on_damage: OnDamage = "error",
    limits: Limits | None = None,
    formats: str | Sequence[str] | None = None,
) -> NDArray[np.uint8]:
    """Decode an image, or a region of it.

    The formats are JPEG, PNG, WebP, BMP, GIF (first frame) and TIFF, detected by their bytes. EXIF orientation of
    JPEG and PNG is always applied. (MXNet applies it to some files only.) Alpha is dropped; 16-bit values are reduced
    to 8 bits. The pixels of a JPEG are identical to those of libjpeg-turbo, those of other formats to those of OpenCV
    4.8.1; `docs/image-formats.md` lists what is refused. The interpreter lock is released, so that several threads
    decode at once. The memory of an image that is dropped is reused for later images: up to 64 MiB are kept for them.

    Parameters
    ----------
    buf : bytes-like or ndarray of uint8
        Content of an image file.
    flag : {1, 0}, default 1
        1 for three channels, 0 for one gray channel.
    to_rgb : bool, default True
        Whether the order of the channels is R, G, B, or B, G, R.
    out : ndarray, shape (height, width, channels), uint8, optional
        Array that the image is written to.
    region : tuple of 4 int, optional
        Region to decode: left, top, width and height in pixels, after the orientation is applied. The rest of a JPEG is
        not decoded where possible: that takes less time, and damage below the region may go unnoticed.
    on_damage : {'error', 'fill'}, default 'error'
        Whether damage in the image data of a JPEG is an error, or is filled as libjpeg-turbo does: with gray where data
        is missing, with whatever can be decoded elsewhere. A damaged header is always an error.
    limits : recio.Limits, optional
        Limits of the images that are decoded. Default: side of 16,384 pixels, 178,956,970 pixels, 512 MiB, 100 scans.
    formats : str or list of str, optional
        Formats that are decoded: 'jpeg', 'png', 'webp', 'bmp', 'gif', 'tiff'. Default: all of them.

    Returns
    -------
    ndarray, shape (height, width, 3) or (height, width, 1), uint8
        Decoded image, values from 0 to 255; `out` if it was given. With a `region`, height and width are the region's.

    Raises
    ------
    ValueError
        If `region` is empty or exceeds the image, or `flag`, `on_damage` or `out` is invalid.
    recio.DecodeError
        If the bytes are not an image, damaged, or exceed the limits.

    Examples
    --------
    >>> image = imdecode(open("cat.jpg", "rb").read())  # doctest: +SKIP
    >>> image.shape  # doctest: +SKIP
    (300, 451, 3)
    """
    is_gray, is_rgb = validate.color_flag("flag", flag) == 0, validate.flag("to_rgb", to_rgb)
    fill = fills_damage(on_damage)
    if buf is None:
        raise TypeError("buf is None, not the content of an image file")
    if region is not None and min(region) < 0:
        raise ValueError(f"region must be (left, top, width, height) inside the image, got {region}")
    image = _recio.decode(
        as_bytes(buf),
        "gray" if is_gray else "rgb" if is_rgb else "bgr",
        region,
        fill,
        None if limits is None else limits_tuple(limits),
        None if formats is None else format_list(formats),
    )
    return put(image, out)


def imencode(
    img: NDArray[np.uint8], img_fmt: str = ".jpg", quality: int = 95, *, subsampling: Subsampling = "4:2:0"
) -> bytes:
    """Encode an image.

    The bytes of a JPEG are those that libjpeg-turbo makes, and so those of ``cv2.imencode``.

    Parameters
    ----------
    img : ndarray, shape (height, width) or (height, width, channels), uint8
        Image with the channels gray, R, G, B or R, G, B, A, of which a JPEG drops the alpha; a PNG also as uint16.
        Floats and signed integers are rounded and clipped to 8-bit values, as in OpenCV.
    img_fmt : {'.jpg', '.jpeg', '.png'}
        Format, in upper or lower case.
    quality : int, default 95
        Quality of a JPEG, clipped to 1 to 100, or compression level of a PNG, 0 to 9. Larger values, such as the
        default, are level 3 for a PNG.
    subsampling : {'4:2:0', '4:2:2', '4:4:4'}, default '4:2:0'
        Chroma subsampling of a JPEG.

    Returns
    -------
    bytes
        Content of an image file.

    Raises
    ------
    TypeError
        If `img` is None, or not an array.
    ValueError
        If the format is unknown, or does not support the shape or dtype of the image, or `subsampling` is invalid.
    """
    return encode(img, img_fmt, quality, subsampling)


def encode(
    img: NDArray[np.uint8], img_fmt: str, quality: int, subsampling: Subsampling = "4:2:0", *, is_bgr: bool = False
) -> bytes:
    """Encode an image, as `imencode` does, whose channels are in the order R, G, B or B, G, R."""
    pixels, quality = _pixels(img), min(max(validate.integer("quality", quality), 0), 100)
    is_16_bit = pixels.dtype == np.uint16
    match img_fmt.lower():
        case ".jpg" | ".jpeg":
            if is_16_bit:
                raise ValueError("a JPEG must be uint8, got uint16")
            # JPEG has no alpha.
            pixels = np.ascontiguousarray(pixels[..., :3]) if pixels.shape[2] == _RGBA else pixels
            return _recio.encode_jpeg(pixels, is_bgr, quality, subsampling)
        case ".png":
            return (_recio.encode_png_16 if is_16_bit else _recio.encode_png)(pixels, is_bgr, quality)
        case _:
            raise ValueError(f"img_fmt must be '.jpg', '.jpeg' or '.png', got {img_fmt!r}")


def _pixels(img: NDArray[Any]) -> NDArray[Any]:
    """Return an image with three axes; other numbers are rounded and clipped to 8-bit values, as in OpenCV."""
    img = image_array(img, "img")
    if img.dtype.kind in "fi":
        img = np.clip(np.rint(img), 0, 255).astype(np.uint8)
    if img.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image must be uint8 or uint16, got {img.dtype}")
    if img.ndim == 2:  # noqa: PLR2004
        img = img[..., np.newaxis]
    if img.ndim != 3:  # noqa: PLR2004
        raise ValueError(f"an image must have shape (height, width, channels), got {img.shape}")
    return np.ascontiguousarray(img)


def image_array(image: Any, name: str = "src") -> NDArray[Any]:  # noqa: ANN401 whatever is passed for an image
    """Return an image as an array, after checking that it is one.

    Raises
    ------
    TypeError
        If it is None, as ``cv2.imread`` returns for a file that it cannot read, or not an array.
    """
    if image is None:
        raise TypeError(f"{name} is None, not an image; cv2.imread returns None for a file that is missing or damaged")
    if type(image).__module__.partition(".")[0] == "PIL":
        raise TypeError(f"{name} must be a NumPy array, got an image of Pillow: pass np.asarray({name}), in R, G, B")
    array: NDArray[Any] = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of numbers, got {type(image).__name__}")
    return array


def put(image: NDArray[Sample], out: NDArray[Sample] | None) -> NDArray[Sample]:
    """Return the image, copied to ``out`` if that is given.

    Raises
    ------
    ValueError
        If ``out`` has another shape or dtype.
    """
    if out is None:
        return image
    if out.shape != image.shape or out.dtype != image.dtype:
        raise ValueError(f"out must be {image.dtype} {image.shape}, as the image, got {out.dtype} {out.shape}")
    out[...] = image
    return out
