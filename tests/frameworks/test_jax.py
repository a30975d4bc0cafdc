"""JAX: batches as arrays that share memory, on several devices and in several processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pytest

from tests.support.records import open_iter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.records import RecordFile

BATCHES = 6
"""Batches of 4 images in an epoch."""


def address(array: Any) -> int:  # noqa: ANN401 an array of JAX
    found: int = array.unsafe_buffer_pointer()
    return found


@pytest.mark.parametrize(
    "convert", [jax.device_put, lambda x: jax.dlpack.from_dlpack(x, copy=False)], ids=["device_put", "from_dlpack"]
)
def test_arrays_share_the_memory_of_a_batch(tiny: RecordFile, convert: Callable[[Any], Any]) -> None:
    for batch in open_iter(tiny, dtype="float32", batch_size=3):
        for array in (batch.data[0], batch.label[0]):
            assert address(convert(array)) == array.ctypes.data
            np.testing.assert_array_equal(convert(array), array)


@pytest.mark.parametrize("convert", [jax.device_put, jax.dlpack.from_dlpack])
def test_arrays_that_are_kept_are_not_overwritten(tiny: RecordFile, convert: Callable[[Any], Any]) -> None:
    batches = open_iter(tiny, random_h=90, seed=1)
    kept, copies = [], []
    for _ in range(5):
        for batch in batches:
            kept.append(convert(batch.data[0]))
            copies.append(batch.data[0].copy())
        batches.reset()
    assert len({address(array) for array in kept}) == len(kept) == 5 * BATCHES
    np.testing.assert_array_equal(kept, copies)
    assert len({copy.tobytes() for copy in copies}) == len(kept)


def test_memory_of_arrays_that_are_dropped_is_used_again(tiny: RecordFile) -> None:
    batches = open_iter(tiny)
    addresses = set()
    for _ in range(5):
        addresses |= {address(jax.dlpack.from_dlpack(batch.data[0])) for batch in batches}
        batches.reset()
    assert len(addresses) < BATCHES * 5 // 2


def test_a_donated_array_is_copied(tiny: RecordFile) -> None:
    images = open_iter(tiny, dtype="float32").next().data[0]
    before = images.copy()
    jax.jit(lambda x: x * 2 + 1, donate_argnums=0)(jax.dlpack.from_dlpack(images)).block_until_ready()
    np.testing.assert_array_equal(images, before)


def test_a_function_compiled_for_a_batch_serves_all(tiny: RecordFile) -> None:
    traced = []

    @jax.jit  # type: ignore[untyped-decorator] # JAX has types elsewhere
    def mean(x: Any, y: Any) -> Any:  # noqa: ANN401 arrays of JAX
        traced.append(x.shape)
        return x.mean() + y.mean()

    results = [float(mean(batch.data[0], batch.label[0])) for batch in open_iter(tiny, batch_size=16, dtype="float32")]
    expected = [batch.data[0].mean() + batch.label[0].mean() for batch in open_iter(tiny, batch_size=16)]
    np.testing.assert_allclose(results, expected, rtol=1e-5)
    assert traced == [(16, 3, 8, 8)]


def run(code: str, count: int = 1, **environment: str) -> list[str]:
    """Run a script in processes that begin together and return the last line of each."""
    command = [sys.executable, "-c", code]
    running = [
        subprocess.Popen(
            [*command, str(rank)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
        )
        for rank in range(count)
    ]
    outputs = [process.communicate(timeout=100) for process in running]
    assert [process.returncode for process in running] == [0] * count, outputs
    return [output.splitlines()[-1] for output, _ in outputs]


TWO_DEVICES = """
import jax, numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from recio.io import ImageRecordIter

sharding = NamedSharding(jax.make_mesh((2,), ("data",)), PartitionSpec("data"))
for batch in ImageRecordIter(path_imgrec={rec!r}, data_shape=(3, 8, 8), batch_size=8):
    x = jax.device_put(batch.data[0], sharding)
    assert [shard.data.shape[0] for shard in x.addressable_shards] == [4, 4]
    assert len(x.devices()) == 2
    np.testing.assert_array_equal(x, batch.data[0])
    np.testing.assert_allclose(jax.jit(lambda x: x.sum(axis=(1, 2, 3)))(x), batch.data[0].sum(axis=(1, 2, 3)))
print("done")
"""


def test_a_batch_is_divided_among_devices(tiny: RecordFile) -> None:
    code = TWO_DEVICES.format(rec=str(tiny.rec))
    assert run(code, XLA_FLAGS="--xla_force_host_platform_device_count=2") == ["done"]


TWO_PROCESSES = """
import sys
import jax, numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec
from recio.io import ImageRecordIter

jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize({address!r}, 2, int(sys.argv[1]))
sharding = NamedSharding(jax.make_mesh((2,), ("data",)), PartitionSpec("data"))
batches = ImageRecordIter(
    path_imgrec={rec!r}, data_shape=(3, 8, 8), batch_size=4, shuffle=True, seed=1, shard="global", num_parts="auto"
)
sums = []
for batch in batches:
    y = jax.make_array_from_process_local_data(sharding, batch.label[0])
    assert y.shape == (8,)
    np.testing.assert_array_equal(y.addressable_data(0), batch.label[0])
    sums.append(float(jax.jit(lambda y: y.sum())(y)))
print(sums)
jax.distributed.shutdown()
"""


def test_two_processes_have_global_batches(tiny: RecordFile) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    code = TWO_PROCESSES.format(rec=str(tiny.rec), address=coordinator)
    sums = [float(batch.label[0].sum()) for batch in open_iter(tiny, batch_size=8, shuffle=True, seed=1)]
    assert run(code, count=2) == [str(sums)] * 2
