"""The loaders of the throughput bench: recio and what one might use instead.

One module a loader, each with `open_loader(workload) -> Loader`. A loader is "installed"
where its module can be imported. Each does the task the way its own documentation would have
it done, on the same images, with as many threads (or worker processes) as the workload says.

`decode_*` and `decode_region_*` only decode; they are for `decoding.py`.
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
"""The loader's name on the command line and in the tables, and its module here."""
