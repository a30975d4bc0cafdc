"""Keyword arguments of `ImageRecordIter`, in recio and MXNet, for a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workload import AREA, ASPECT, BATCH, MEAN, SHORTER_SIDE, SIDE, STD

if TYPE_CHECKING:
    from workload import Task, Workload


def record_options(workload: Workload) -> dict[str, Any]:
    """Return the keyword arguments for a workload, except dtype and layout."""
    return {
        "path_imgrec": workload.rec,
        "path_imgidx": workload.idx,
        "data_shape": (3, SIDE, SIDE),
        "batch_size": BATCH,
        "preprocess_threads": workload.threads,
        **_geometry(workload.task),
        **_normalization(workload.task),
    }


def _geometry(task: Task) -> dict[str, Any]:
    if not task.random:
        return {"resize": SHORTER_SIDE, "shuffle": False}
    return {
        "random_resized_crop": True,
        "min_random_area": AREA[0],
        "max_random_area": AREA[1],
        "min_aspect_ratio": ASPECT[0],
        "max_aspect_ratio": ASPECT[1],
        "rand_mirror": True,
        "shuffle": True,
    }


def _normalization(task: Task) -> dict[str, float]:
    if not task.normalized:
        return {}
    means = {f"mean_{channel}": mean for channel, mean in zip("rgb", MEAN, strict=True)}
    stds = {f"std_{channel}": std for channel, std in zip("rgb", STD, strict=True)}
    return means | stds
