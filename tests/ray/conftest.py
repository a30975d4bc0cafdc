"""Ray on two cores of this machine, and clusters of several nodes on it.

`make test-engines` runs these tests; without Ray they are skipped.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.records import write_photos
from tests.support.servers.moto import ACCESS_KEY, REGION, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.records import RecordFile
    from tests.support.servers.moto import Moto

collect_ignore_glob = [] if importlib.util.find_spec("ray") else ["test_*.py"]

os.environ["RAY_TRAIN_V2_ENABLED"] = "1"
RECORDS = 300


@pytest.fixture(autouse=True)
def _no_process_left() -> None:
    """Let Ray's processes be: they end with the cluster that has started them."""


@pytest.fixture(scope="module")
def two_cores() -> Iterator[None]:
    """Start Ray with two cores; it ends with the tests of the module."""
    import ray  # noqa: PLC0415 where it is installed
    from tests.ray.clusters import start  # noqa: PLC0415

    start(num_cpus=2)
    yield
    ray.shutdown()


@pytest.fixture
def options(moto: Moto) -> dict[str, str]:
    """Return the options that lead to moto: Ray's workers have the environment of when Ray was started."""
    return {
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
        "region": REGION,
        "endpoint_url": moto.url,
    }


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write 300 records of photographs, for all tests of a module."""
    return write_photos(tmp_path_factory.mktemp("many"), RECORDS)
