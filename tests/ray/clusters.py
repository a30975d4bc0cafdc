"""Clusters for tests, processes of them that are killed, and what is in the sets that they write."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray.data
from ray.cluster_utils import Cluster

import ray
from recio.recordio import MXIndexedRecordIO, MXRecordIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recio._storage import StorageOptions
    from recio.files import Manifest


def start(**options: Any) -> None:  # noqa: ANN401 those of Ray
    """Start Ray, also if another is running, with few messages."""
    ray.init("local", include_dashboard=False, log_to_driver=False, logging_level="error", **options)
    quiet()


def quiet() -> None:
    """Let Ray Data show no progress."""
    ray.data.DataContext.get_current().enable_progress_bars = False


@contextlib.contextmanager
def three_nodes() -> Iterator[Cluster]:
    """Start a cluster of a node for the driver, without cores for tasks, and three of one core each."""
    # A node is lost after 2 seconds without an answer; Ray's default is 30.
    config = {"health_check_period_ms": 500, "health_check_timeout_ms": 500, "health_check_failure_threshold": 4}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": config}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(3):
            cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        quiet()
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def living_nodes() -> int:
    """Return the number of nodes that Ray has not lost."""
    return sum(node["Alive"] for node in ray.nodes())


@dataclass(frozen=True)
class Killer:
    """Kill of a process, once, by the first task that comes to it.

    Parameters
    ----------
    flag : Path
        File that the first task creates.
    victim : {'worker', 'node'}
        Whether to kill the process of the task, or that of its node too.
    """

    flag: Path
    victim: str

    def __call__(self) -> None:
        """Kill, unless a task has done so."""
        try:
            os.close(os.open(self.flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        if self.victim == "node":
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def names(folder: Path) -> list[str]:
    """Return the names of all files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files below a folder."""
    return {name: (folder / name).read_bytes() for name in names(folder) if (folder / name).is_file()}


def records_of(manifest: Manifest, options: StorageOptions = None) -> list[bytes]:
    """Return the records of all shards, in order."""
    found: list[bytes] = []
    for shard in manifest.shards:
        with MXRecordIO(str(shard.rec), "r", storage_options=options) as reader:
            found.extend(iter(reader.read, None))
    return found


def keys_of(manifest: Manifest, options: StorageOptions = None) -> list[int]:
    """Return the keys in the indexes of all shards, in order."""
    found: list[int] = []
    for shard in manifest.shards:
        with MXIndexedRecordIO(str(shard.idx), str(shard.rec), "r", storage_options=options) as reader:
            found.extend(reader.keys)
    return found
