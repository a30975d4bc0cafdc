"""Image records: a header with labels and ids, followed by an image."""

from __future__ import annotations

import struct
import warnings
from collections import namedtuple
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import _recio
from recio._loader import validate
from recio._util import FLOAT32_EXACT, BytesLike, as_bytes, fills_damage
from recio.image._codec import encode
from recio.limits import limits_tuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._util import OnDamage
    from recio.limits import Limits

IRHeader = namedtuple("HEADER", ["flag", "label", "id", "id2"])  # type: ignore[name-match]  # noqa: PYI024 MXNet's name
"""The header of an image record.

Parameters
----------
flag : int
    Ignored when packing. In an unpacked record, the number of labels if they are an array, 0 for a single number.
label : float or array-like of float
    One label or several, stored as float32.
id : int
    The record's id, from 0 to 2**64 - 1.
id2 : int
    A second id; 0 by convention.
"""

# pickle looks for the class under this name.
HEADER = IRHeader

_IR_FORMAT = "<IfQQ"
_IR_SIZE = struct.calcsize(_IR_FORMAT)


def pack(header: tuple[int, Any, int, int], s: BytesLike) -> bytes:
    """Pack a header and a payload into a record.

    Parameters
    ----------
    header : IRHeader
        Labels and ids. The flag is replaced: by 0 if the label is a number, else by the number of labels.
    s : bytes-like
        The payload, such as an image file's bytes.

    Returns
    -------
    bytes
        A record.

    Raises
    ------
    struct.error
        If an id is not from 0 to 2**64 - 1.

    Warns
    -----
    UserWarning
        If a label is larger than 2**24 and not representable as float32, so that another number is stored. It may be an
        id, which belongs in the `id` field.

    Examples
    --------
    >>> pack(IRHeader(0, 4.0, 2574, 0), b"xyz").hex()
    '00000000000080400e0a000000000000000000000000000078797a'
    """
    _, label, id_, id2 = header
    if isinstance(label, Number):
        fixed, labels = struct.pack(_IR_FORMAT, 0, label, id_, id2), b""
        if abs(label) > FLOAT32_EXACT:  # type: ignore[arg-type]
            _warn_if_rounded(label)
    else:
        many = np.asarray(label, dtype="<f4")
        if (np.abs(many) >= FLOAT32_EXACT).any():
            _warn_if_rounded(label)
        fixed, labels = struct.pack(_IR_FORMAT, many.size, 0, id_, id2), many.tobytes()
    return b"".join((fixed, labels, as_bytes(s)))


def _warn_if_rounded(labels: Any) -> None:  # noqa: ANN401 whatever makes an array
    """Warn about the first label that looks like an id and is not representable as float32."""
    for label in np.ravel(np.asarray(labels)).tolist():
        if FLOAT32_EXACT < abs(label) < 1 << 64 and label != (kept := float(np.float32(label))):
            warnings.warn(f"the label {label} is stored as {kept:.0f}: labels are float32; ids are exact", stacklevel=3)
            return


def unpack(s: BytesLike) -> tuple[IRHeader, bytes]:
    """Unpack a record into its header and its payload.

    Parameters
    ----------
    s : bytes-like
        A record made by `pack`.

    Returns
    -------
    header : IRHeader
        The label is a float or, if the flag is not 0, an ndarray, shape (flag,), float32, read-only.
    s : bytes
        The payload.

    Raises
    ------
    struct.error
        If the record is too short for a header.
    ValueError
        If the record is too short for its labels.

    Examples
    --------
    >>> unpack(pack(IRHeader(0, [1, 2], 7, 0), b"xyz"))
    (HEADER(flag=2, label=array([1., 2.], dtype=float32), id=7, id2=0), b'xyz')
    """
    s = as_bytes(s)
    header = IRHeader(*struct.unpack_from(_IR_FORMAT, s))
    end = _IR_SIZE + 4 * header.flag
    if header.flag > 0:
        if end > len(s):
            raise ValueError(f"the header claims {header.flag} labels, but {len(s) - _IR_SIZE} bytes follow it")
        header = header._replace(label=np.frombuffer(s, "<f4", header.flag, _IR_SIZE))
    return header, s[end:]


def pack_img(
    header: tuple[int, Any, int, int],
    img: NDArray[np.uint8],
    quality: int = 95,
    img_fmt: str = ".jpg",
) -> bytes:
    """Encode an image, and pack it with a header into a record.

    **The image is in BGR order**, as in OpenCV and MXNet. Reverse the channels of an RGB image, such as those of
    `recio.image` and the iterators: ``pack_img(header, img[..., ::-1])``.

    Parameters
    ----------
    header : IRHeader
        As for `pack`.
    img : ndarray, shape (height, width) or (height, width, channels), uint8
        Gray, **BGR** or BGRA image, of which a JPEG drops the alpha. Floats and signed integers are rounded and clipped
        to 8-bit values, as in OpenCV.
    quality : int, default 95
        JPEG quality, 1 to 100, or PNG compression level, 0 to 9. Larger values, such as the default, are level 3 for
        a PNG.
    img_fmt : {'.jpg', '.jpeg', '.png'}, default '.jpg'
        The format, in upper or lower case.

    Returns
    -------
    bytes
        A record.

    Raises
    ------
    TypeError
        If `img` is None, as ``cv2.imread`` returns for a file that it cannot read, or not an array.
    ValueError
        If the shape or dtype of the image, the quality or the format is not supported.
    """
    return pack(header, encode(img, img_fmt, quality, is_bgr=True))


def unpack_img(
    s: BytesLike, iscolor: int = -1, *, on_damage: OnDamage = "error", limits: Limits | None = None
) -> tuple[IRHeader, NDArray[np.uint8] | NDArray[np.uint16]]:
    """Unpack a record and decode its image.

    **The image is in BGR order**, as in OpenCV and MXNet; ``img[..., ::-1]`` is RGB.

    Parameters
    ----------
    s : bytes-like
        A record made by `pack_img`.
    iscolor : {-1, 0, 1}, default -1
        -1: as stored, as in OpenCV 4.8.1 (gray images have two axes, alpha and 16 bits are kept, EXIF orientation is
        not applied). 0: gray, two axes. 1: three channels. With 0 and 1, EXIF orientation is applied.
    on_damage : {'error', 'fill'}, default 'error'
        Whether damage in the image data of a JPEG is an error, or is filled, as for `recio.image.imdecode`.
    limits : recio.Limits, optional
        Largest size of an image, as for `recio.image.imdecode`.

    Returns
    -------
    header : IRHeader
        As from `unpack`.
    img : ndarray, shape (height, width) or (height, width, channels), uint8 or uint16
        Gray, **BGR** or **BGRA** image.

    Raises
    ------
    recio.DecodeError
        If the payload is not an image, or damaged. (MXNet returned ``None`` as the image.)
    ValueError
        If `iscolor` is not -1, 0 or 1, or `on_damage` is invalid.
    """
    fill, numbers = fills_damage(on_damage), None if limits is None else limits_tuple(limits)
    header, payload = unpack(s)
    iscolor = validate.integer("iscolor", iscolor)
    if iscolor == -1:
        img = _recio.decode_unchanged(payload, fill, numbers)
    elif iscolor in (0, 1):
        img = _recio.decode(payload, "bgr" if iscolor else "gray", fill_damage=fill, limits=numbers)
    else:
        raise ValueError(f"iscolor must be -1 (as stored), 0 (gray) or 1 (color), got {iscolor}")
    return header, img[..., 0] if img.shape[2] == 1 else img


def _swap(img: NDArray[Any]) -> NDArray[Any]:
    """Swap the red and blue channels; alpha stays last."""
    channels = img.shape[2] if img.ndim == 3 else 1  # noqa: PLR2004
    return np.ascontiguousarray(img[..., [2, 1, 0, 3][:channels]]) if channels in (3, 4) else img
