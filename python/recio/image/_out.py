"""The ``out`` of `imdecode` and `imresize`: an array of the caller's that takes the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sample = TypeVar("Sample", bound=np.generic)


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
