"""A rank of arcface_torch's own script, without a GPU: FOLDER SCRIPT CONFIG. It writes the number of its steps.

``.cuda()`` leaves models and tensors on the CPU, gloo replaces NCCL, and ``recio.compat.mxnet`` MXNet.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

import torch
from torch import distributed
from torch.nn import parallel
from torch.optim import lr_scheduler

import recio.compat.mxnet
from tests.frameworks.torchrun import write


class OnCPU(parallel.DistributedDataParallel):  # type: ignore[misc] # PyTorch has types elsewhere
    """``DistributedDataParallel`` without the ids of GPUs."""

    def __init__(self, module: torch.nn.Module, *, device_ids: object, **options: Any) -> None:  # noqa: ANN401 as of the base
        del device_ids
        super().__init__(module, **options)


class Scheduler(lr_scheduler.LRScheduler):  # type: ignore[misc] # PyTorch has types elsewhere
    """``LRScheduler`` that takes `verbose`, which PyTorch has removed."""

    def __init__(self, *args: Any, verbose: bool, **options: Any) -> None:  # noqa: ANN401 as of the base
        del verbose
        super().__init__(*args, **options)


def replace_gpu() -> None:
    """Make PyTorch's calls for GPUs work on the CPU."""
    torch.cuda.set_device = lambda _: None
    torch.nn.Module.cuda = torch.Tensor.cuda = lambda self: self
    init = distributed.init_process_group
    distributed.init_process_group = lambda *_, **options: init("gloo", **options)
    parallel.DistributedDataParallel = OnCPU
    lr_scheduler._LRScheduler = Scheduler


def main(folder: str, script: str, config: str) -> None:
    replace_gpu()
    recio.compat.mxnet.install()
    # TensorBoard imports it if it is there, which takes long.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = [script, config]
    runpy.run_path(script, run_name="__main__")
    write(folder, torch.load(f"out/checkpoint_gpu_{os.environ['RANK']}.pt")["global_step"])
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
