"""Fixtures of servers. They start with the first test that uses them; moto runs to the end of the session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .buckets import Bucket, bucket_in_memory, bucket_of_moto, proxy
from .hugging_face import HuggingFace
from .moto import Moto
from .objects import Objects
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """Start moto's S3 server; one for each process of tests."""
    with Moto() as server:
        yield server


@pytest.fixture
def s3(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Create a bucket in moto's S3, which the environment leads to through a proxy."""
    with proxy(moto) as server:
        bucket = bucket_of_moto(moto, server)
        set_environment(bucket, monkeypatch)
        yield bucket


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Create a bucket in memory: fast, and with all faults. It is for reading."""
    objects = Objects()
    with Server(objects) as server:
        bucket = bucket_in_memory(objects, server)
        set_environment(bucket, monkeypatch)
        yield bucket


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HuggingFace]:
    """Start a Hub without data sets, which the environment leads to."""
    with HuggingFace() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.hub.url)
        monkeypatch.setenv("HF_TOKEN_PATH", os.devnull)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


def set_environment(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that lead to a bucket, and none else of those that the user may have."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
