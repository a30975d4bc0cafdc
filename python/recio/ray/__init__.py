"""Ray: data sets of `ray.data` from record files and back, and packing on a cluster.

It needs Ray: ``pip install 'recio[ray]'``. recio must be installed on all nodes.
"""

try:
    import ray.data  # noqa: F401 Ray itself, not this package
except ModuleNotFoundError as error:
    if error.name not in ("ray", "pyarrow", "pandas"):
        raise
    raise ModuleNotFoundError(
        f"recio.ray needs Ray, and the module {error.name} is missing: pip install 'recio[ray]'", name=error.name
    ) from None

from recio.ray._pack import PackedShards, pack
from recio.ray._read import read_records
from recio.ray._write import write_records

__all__ = ["PackedShards", "pack", "read_records", "write_records"]
