"""``mean_img``: the file with the image that is subtracted from all; if there is none, it is computed and written."""

from __future__ import annotations

import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import _recio
from recio._atomic import atomic_write, check_parent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._loader.options import LoaderOptions
    from recio._util import StrPath

# MXNet's NDArray files (NDArray::Save of 1.9.1): this, 0, the number of arrays; then the arrays;
# then their names.
_LIST_MAGIC = 0x112
_ARRAY_MAGICS = frozenset({0xF993FAC9, 0xF993FACA})
_FLOAT32 = 0


def with_mean_image(options: LoaderOptions, mean_img: StrPath, files: list[str], indexes: list[str]) -> LoaderOptions:
    """Return the options with the mean image in a file, which is computed and written first if there is none."""
    path = Path(mean_img)
    if not path.exists():
        check_parent(path)
        _write(path, _compute(options, files, indexes))
    mean = _read(path)
    if mean.shape != options.data_shape:
        raise ValueError(f"{path}: an image of shape {mean.shape}; data_shape is {options.data_shape}")
    return replace(options, mean_image=mean.ravel().tolist())


def _compute(options: LoaderOptions, files: list[str], indexes: list[str]) -> NDArray[np.float32]:
    """Compute the mean of all images of the shard, augmented as they will be."""
    plain = replace(options, dtype="uint8", layout="NCHW", shuffle=False, last_batch="zeros")
    pipeline = _recio.ImagePipeline.of_records(files, indexes, plain)
    total, count = np.zeros(options.data_shape), 0
    while (parts := pipeline.next()) is not None:
        data, _, _, pad = parts
        total += data.sum(axis=0, dtype=np.int64)
        count += len(data) - pad
    pipeline.close()
    return (total / max(count, 1)).astype(np.float32)


def _write(path: Path, mean: NDArray[np.float32]) -> None:
    """Write the image, whole or not at all."""
    # By way of memory: what NumPy writes into a file itself, it does not look whether it arrives.
    whole = BytesIO()
    np.save(whole, mean)
    with atomic_write(path) as file:
        file.write(whole.getbuffer())


def _read(path: Path) -> NDArray[np.float32]:
    data = path.read_bytes()
    try:
        mean = np.load(BytesIO(data), allow_pickle=False) if data.startswith(b"\x93NUMPY") else _mxnet_array(data)
        _check(mean)
    except (struct.error, ValueError, EOFError) as error:
        raise ValueError(f"{path}: neither a .npy file nor an array of MXNet's: {error}") from None
    levels: NDArray[np.float32] = mean.astype(np.float32)
    return levels


def _check(mean: NDArray[Any]) -> None:
    if mean.dtype.kind not in "fiu" or not np.isfinite(mean).all():
        raise ValueError(f"an array of {mean.dtype}, or with numbers that are not finite")


def _mxnet_array(data: bytes) -> NDArray[np.float32]:
    """Read the one dense float32 array of an NDArray file."""
    magic, _, count = struct.unpack_from("<QQQ", data)
    if magic != _LIST_MAGIC or count != 1:
        raise ValueError(f"it begins with {magic:#x} and has {count} arrays")
    kind, storage, axes = struct.unpack_from("<IiI", data, 24)
    if kind not in _ARRAY_MAGICS or storage != 0 or axes > 8:  # noqa: PLR2004
        raise ValueError(f"an array of kind {kind:#x}, storage {storage}, {axes} axes")
    shape = struct.unpack_from(f"<{axes}q", data, 36)
    at = 36 + 8 * axes
    _, _, dtype = struct.unpack_from("<iii", data, at)
    if dtype != _FLOAT32:
        raise ValueError(f"an array of type {dtype}, not float32")
    size = int(np.prod(shape, dtype=object))
    if size < 0 or len(data) < at + 12 + 4 * size:
        raise ValueError(f"it is too short for an array of shape {shape}")
    return np.frombuffer(data, "<f4", size, at + 12).reshape(shape).astype(np.float32)
