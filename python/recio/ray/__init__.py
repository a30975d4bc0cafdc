"""Ray: data sets of `ray.data` from record files and back, and packing on a cluster.

It needs Ray: ``pip install 'recio[ray]'``. recio must be installed on all nodes.
"""

from recio._util import explains_missing

with explains_missing(
    "recio.ray needs Ray, and the module {module} is missing: pip install 'recio[ray]'", "ray", "pyarrow", "pandas"
):
    import ray.data  # noqa: F401 Ray itself, not this package

from recio.ray._pack import PackedShards, pack
from recio.ray._read import read_records
from recio.ray._write import write_records

__all__ = ["PackedShards", "pack", "read_records", "write_records"]
