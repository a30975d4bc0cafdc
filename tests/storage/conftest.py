"""Record files for the tests of storage, written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .remote import RemoteFile, upload, write_pictures, write_random

if TYPE_CHECKING:
    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket


@pytest.fixture(scope="session")
def local_pictures(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write images of noise."""
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def local_random(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write records of random bytes, 1.8 MB."""
    return write_random(tmp_path_factory.mktemp("random"))


@pytest.fixture
def pictures(bucket: Bucket, local_pictures: RecordFile) -> RemoteFile:
    """Store the images in the bucket in memory."""
    return upload(bucket, local_pictures)


@pytest.fixture
def random_records(bucket: Bucket, local_random: RecordFile) -> RemoteFile:
    """Store the records of random bytes in the bucket in memory."""
    return upload(bucket, local_random)
