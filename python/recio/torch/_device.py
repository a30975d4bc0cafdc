"""Copies of batches to a device."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol, TypeAlias

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Device: TypeAlias = "str | int | torch.device | None"

MAX_PENDING = 2
"""Batches whose copies may be pending; each keeps its memory."""


def pinned_memory(nbytes: int) -> NDArray[np.uint8]:
    """Allocate page-locked memory, from which a GPU copies while the program goes on.

    It is meant for the keyword `allocator` of recio's iterators, whose batches a `DataIterLoader` copies to a GPU.

    Parameters
    ----------
    nbytes : int
        Number of bytes.

    Returns
    -------
    ndarray, shape (nbytes,), uint8
        The memory, not initialized. It is freed when the array and all views of it are.
    """
    memory: NDArray[np.uint8] = torch.empty(nbytes, dtype=torch.uint8, pin_memory=True).numpy()
    return memory


class Event(Protocol):
    """What is complete when all that was queued before it is."""

    def record(self, stream: object) -> None:
        """Queue it."""

    def query(self) -> bool:
        """Return whether it is complete."""

    def synchronize(self) -> None:
        """Wait until it is complete."""


class Copies:
    """Copies of tensors to a device that are complete when they are returned; none if they are there."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def send(self, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
        """Copy tensors to the device."""
        return [tensor.to(self._device) for tensor in tensors]

    def wait(self) -> None:
        """Wait until all copies are complete."""


class CudaStream:
    """The current stream of a CUDA device, which runs what is queued in order."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def pin(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a tensor in page-locked memory, the same one if it is there."""
        return tensor if tensor.is_pinned() else tensor.pin_memory()

    def copy(self, tensor: torch.Tensor) -> torch.Tensor:
        """Queue a copy of a tensor."""
        return tensor.to(self._device, non_blocking=True)

    def record(self) -> Event:
        """Return an event that is complete when all that was queued is."""
        event: Event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(self._device))
        return event


class QueuedCopies(Copies):
    """Copies of tensors to a CUDA device, which the program does not wait for.

    The memory of a batch is used again for another when the batch is dropped, so each is kept until its copy is
    complete.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self._stream = CudaStream(device)
        self._pending: deque[tuple[Event, list[torch.Tensor]]] = deque()

    def send(self, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
        """Queue copies of tensors to the device, and keep the tensors until they are complete."""
        self._drop_complete()
        pinned = [self._stream.pin(tensor) for tensor in tensors]
        copies = [self._stream.copy(tensor) for tensor in pinned]
        self._pending.append((self._stream.record(), pinned))
        return copies

    def _drop_complete(self) -> None:
        if len(self._pending) == MAX_PENDING:
            self._pending[0][0].synchronize()
        while self._pending and self._pending[0][0].query():
            self._pending.popleft()

    def __del__(self) -> None:
        """Wait for the copies, as the memory may be used by others from now on."""
        self.wait()

    def wait(self) -> None:
        """Wait until all copies are complete."""
        while self._pending:
            self._pending[0][0].synchronize()
            self._pending.popleft()


def as_device(device: Device) -> torch.device:
    """Return a device; `None` is the CPU."""
    return torch.device("cpu" if device is None else device)


def copies_to(device: torch.device) -> Copies:
    """Return what copies to a device."""
    return QueuedCopies(device) if device.type == "cuda" else Copies(device)
