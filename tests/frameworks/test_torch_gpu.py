"""Copies to a GPU, on machines that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from tests.frameworks.loaders import open_loader
from tests.support.records import noise, png, write_images

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")

LATE = 100_000_000
"""Cycles of a GPU for which a copy waits."""


@pytest.mark.parametrize("channels_last", [False, True])
def test_batches_on_a_gpu_are_those_on_the_cpu(tmp_path: Path, channels_last: bool) -> None:
    file = write_images(tmp_path, [png(noise(8, 8, seed=n)) for n in range(62)])
    on_cpu = open_loader(file.rec, channels_last=channels_last)
    on_gpu = open_loader(file.rec, channels_last=channels_last, device="cuda")
    for _ in range(3):
        found = []
        for images, numbers in on_gpu:
            torch.cuda._sleep(LATE)
            found.append((images, numbers))
            assert torch.from_numpy(on_gpu._batches.getdata()).is_pinned()
        for (images, numbers), (expected, classes) in zip(found, on_cpu, strict=True):
            assert images.is_cuda
            assert images.stride() == expected.stride()
            assert torch.equal(images.cpu(), expected)
            assert torch.equal(numbers.cpu(), classes)
