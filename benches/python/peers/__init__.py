"""Loaders of the benchmarks: recio and its alternatives.

Each module has one loader and a function `open_loader(workload) -> Loader`. A loader is installed
where its module can be imported. Each performs the task as its documentation recommends, on the same
images and with the workload's number of threads (or worker processes).

`decode_*` and `decode_region_*` only decode; `decoding.py` uses them.
"""

from __future__ import annotations

LOADERS = {
    "recio": "recio_iter",
    "pool": "simplejpeg_pool",
    "cv2": "cv2_pool",
    "dali": "dali",
    "torch": "torch_loader",
    "mxnet": "mxnet_iter",
    "simplejpeg-decode": "decode_simplejpeg",
    "recio-scaled": "recio_scaled",
    "recio-antialias": "recio_antialias",
}
"""For each loader, its name on the command line and in the tables, and its module."""
