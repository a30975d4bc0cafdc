"""``mean_img``: a file with the mean image, which is computed and written if the file does not exist."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import _recio
from recio._atomic import atomic_write, check_parent
from recio._ndarray_file import parse_arrays, write_arrays
from recio._util import read_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._loader.options import LoaderOptions
    from recio._storage import Located
    from recio._util import StrPath

_NAME = "mean_img"
"""MXNet's name of the array."""


def with_mean_image(
    options: LoaderOptions, mean_img: StrPath, files: list[Located], indexes: list[Located]
) -> LoaderOptions:
    """Return the options with the mean image of a file, which is computed and written first if it does not exist."""
    path = Path(mean_img)
    if not path.exists():
        check_parent(path)
        _write(path, _compute(options, files, indexes))
    mean = _read(path)
    if mean.shape != options.data_shape:
        raise ValueError(f"{path}: the mean image must have shape {options.data_shape}, got {mean.shape}")
    return replace(options, mean_image=mean.ravel().tolist())


def _compute(options: LoaderOptions, files: list[Located], indexes: list[Located]) -> NDArray[np.float32]:
    """Compute the mean of all images of the shard, augmented as they will be."""
    plain = replace(
        options, dtype="uint8", layout="NCHW", shuffle=False, sampler=None, allocator=None, last_batch="zeros"
    )
    pipeline = _recio.ImagePipeline.of_records(files, indexes, plain)
    total, count = np.zeros(options.data_shape), 0
    while (arrays := pipeline.next()) is not None:
        data, _, _, pad = arrays
        total += data.sum(axis=0, dtype=np.int64)
        count += len(data) - pad
    pipeline.close()
    return (total / max(count, 1)).astype(np.float32)


def _write(path: Path, mean: NDArray[np.float32]) -> None:
    """Write the image atomically: as ``.npy`` under that name, otherwise as MXNet does, under its name for it."""
    if path.suffix.lower() != ".npy":
        write_arrays(path, [mean], [_NAME])
        return
    # By way of memory: what NumPy writes into a file itself, it does not look whether it arrives.
    buffer = BytesIO()
    np.save(buffer, mean)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def _read(path: Path) -> NDArray[np.float32]:
    data = read_bytes(path)
    try:
        mean = np.load(BytesIO(data), allow_pickle=False) if data.startswith(b"\x93NUMPY") else _mxnet_array(data)
        _check(mean)
    except Exception as error:  # noqa: BLE001 NumPy's parser raises many kinds for damaged files
        raise ValueError(f"{path}: neither a .npy file nor an NDArray file of MXNet's: {error}") from None
    return np.asarray(mean, np.float32)


def _check(mean: NDArray[Any]) -> None:
    if mean.dtype.kind not in "fiu" or not np.isfinite(mean).all():
        raise ValueError(f"it must hold finite real numbers, got dtype {mean.dtype}")


def _mxnet_array(data: bytes) -> NDArray[Any]:
    """Read the one array of an NDArray file."""
    arrays, _ = parse_arrays(data)
    if len(arrays) != 1:
        raise ValueError(f"it must hold 1 array, got {len(arrays)}")
    return arrays[0]
