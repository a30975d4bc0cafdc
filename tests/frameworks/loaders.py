"""Loaders of small images, and the labels that they return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio.torch import ImageRecordLoader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import torch

BATCH = 4


def open_loader(rec: Path | str, **settings: Any) -> ImageRecordLoader:  # noqa: ANN401 settings of many types
    """Open a loader of images of 8 by 8 pixels, shuffled."""
    defaults = {"data_shape": (3, 8, 8), "batch_size": BATCH, "shuffle": True, "seed": 3, "preprocess_threads": 1}
    return ImageRecordLoader(path_imgrec=rec, **{**defaults, **settings})


def labels(batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> list[list[int]]:
    """Return the labels of each batch: the numbers of the records."""
    return [numbers.tolist() for _, numbers in batches]


def epochs(rec: Path | str, count: int, **settings: Any) -> list[list[list[int]]]:  # noqa: ANN401 settings of many types
    """Return the labels of each batch of the first epochs."""
    loader = open_loader(rec, **settings)
    return [labels(loader) for _ in range(count)]
