"""Copies to a device, with a stand-in for the stream of a GPU: order, and how long batches are kept."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from recio.io import ImageRecordIter
from recio.torch import DataIterLoader, ImageRecordLoader, _device, pinned_memory
from tests.frameworks.loaders import BATCH, open_loader
from tests.support.records import noise, open_iter, png, write_images

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.records import RecordFile

CudaStream = _device.CudaStream


class Stream:
    """A stream that copies as late as it may: when a program waits for an event.

    A copy knows only the address of its source, as a GPU does.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.queued: list[tuple[torch.Tensor, int]] = []
        self.log: list[str] = []

    def pin(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    def copy(self, tensor: torch.Tensor) -> torch.Tensor:
        self.log.append("copy")
        result = torch.empty_like(tensor)
        self.queued.append((result, tensor.data_ptr()))
        return result

    def record(self) -> Event:
        self.log.append("record")
        return Event(self, len(self.queued))


class Event:
    """The end of the copies that were queued until now."""

    def __init__(self, stream: Stream, copies: int) -> None:
        self.stream, self.copies = stream, copies
        self.before = sum(entry == "done" for entry in stream.log)

    def query(self) -> bool:
        return self.stream.log.count("done") - self.before >= self.copies

    def synchronize(self) -> None:
        while not self.query():
            target, source = self.stream.queued.pop(0)
            ctypes.memmove(target.data_ptr(), source, target.nbytes)
            self.stream.log.append("done")


@pytest.fixture(autouse=True)
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_device, "CudaStream", Stream)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write 40 different images."""
    return write_images(tmp_path_factory.mktemp("noisy"), [png(noise(8, 8, seed=n)) for n in range(40)])


def stream_of(loader: DataIterLoader) -> Any:  # noqa: ANN401 the stand-in
    return loader._copies._stream  # type: ignore[attr-defined]


def test_batches_are_kept_until_they_are_copied(noisy: RecordFile) -> None:
    """Without that, later batches would be in the memory from which earlier ones are copied."""
    expected = [torch.from_numpy(batch.data[0]) for batch in open_iter(noisy)]
    loader = DataIterLoader(open_iter(noisy), device="cuda")
    found = [images for images, _ in loader]
    loader.close()
    assert len(found) == 10
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_an_event_follows_the_copies_of_each_batch(noisy: RecordFile) -> None:
    loader = DataIterLoader(open_iter(noisy), device="cuda")
    stream = stream_of(loader)
    batches = iter(loader)
    next(batches)
    next(batches)
    assert stream.log == ["copy", "copy", "record"] * 2
    next(batches)
    # The oldest of two pending batches is waited for, before another is copied.
    assert stream.log[6:] == ["done", "done", "copy", "copy", "record"]
    loader.close()
    assert stream.queued == []
    assert stream.log.count("done") == 6


def test_a_loader_that_is_dropped_waits_for_its_copies(noisy: RecordFile) -> None:
    loader = DataIterLoader(open_iter(noisy), device="cuda")
    stream = stream_of(loader)
    next(iter(loader))
    assert len(stream.queued) == 2
    del loader
    assert stream.queued == []


def test_complete_copies_are_not_kept(noisy: RecordFile) -> None:
    loader = DataIterLoader(open_iter(noisy), device="cuda")
    batches = iter(loader)
    next(batches)
    copies: Any = loader._copies
    copies._pending[0][0].synchronize()
    next(batches)
    assert len(copies._pending) == 1


@pytest.mark.parametrize(("device", "is_pinned"), [("cuda", True), ("cuda:1", True), ("cpu", False), (None, False)])
def test_batches_for_a_gpu_are_made_in_pinned_memory(
    noisy: RecordFile, monkeypatch: pytest.MonkeyPatch, device: str | None, is_pinned: bool
) -> None:
    found: dict[str, Any] = {}

    def spy(**settings: Any) -> ImageRecordIter:  # noqa: ANN401 settings of many types
        found.update(settings)
        return ImageRecordIter(**{name: value for name, value in settings.items() if name != "allocator"})

    monkeypatch.setattr(ImageRecordLoader, "_iterator", staticmethod(spy))
    open_loader(noisy.rec, device=device)
    assert found.get("allocator") is (pinned_memory if is_pinned else None)


def test_pinned_memory_is_that_of_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    empty: Callable[..., torch.Tensor] = torch.empty
    asked: list[dict[str, Any]] = []

    def spy(size: int, *, pin_memory: bool, **settings: Any) -> torch.Tensor:  # noqa: ANN401 settings of many types
        asked.append({"size": size, "pin_memory": pin_memory})
        return empty(size, **settings)

    monkeypatch.setattr(torch, "empty", spy)
    memory = pinned_memory(4096)
    assert asked == [{"size": 4096, "pin_memory": True}]
    assert (memory.shape, memory.dtype) == ((4096,), np.dtype(np.uint8))
    assert memory.flags.writeable


def test_the_stream_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    event = Mock()
    monkeypatch.setattr(torch.cuda, "Event", lambda: event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    stream = CudaStream(torch.device("cuda:1"))
    tensor = Mock()
    stream.copy(tensor)
    tensor.to.assert_called_once_with(torch.device("cuda:1"), non_blocking=True)
    assert stream.record() is event
    event.record.assert_called_once_with("stream of cuda:1")
    tensor.is_pinned.return_value = True
    assert stream.pin(tensor) is tensor
    tensor.is_pinned.return_value = False
    assert stream.pin(tensor) is tensor.pin_memory()


def test_another_device(noisy: RecordFile) -> None:
    images, numbers = next(iter(open_loader(noisy.rec, device="meta")))
    assert images.device == numbers.device == torch.device("meta")
    assert images.shape == (BATCH, 3, 8, 8)
