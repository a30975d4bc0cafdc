"""A rank of accelerate: FOLDER REC. It trains two epochs, saves its state in the second, and goes on from there."""

from __future__ import annotations

import itertools
import sys

import torch
from accelerate import Accelerator

from tests.frameworks.loaders import labels, open_loader
from tests.frameworks.torchrun import write


def main(folder: str, rec: str) -> None:
    accelerator = Accelerator(cpu=True)
    loader = open_loader(rec)
    model = torch.nn.Linear(3 * 8 * 8, 1)
    model, optimizer, prepared = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=1e-6), loader)
    assert prepared is loader
    accelerator.register_for_checkpointing(loader)
    epochs = []
    for _ in range(2):
        batches = []
        for images, numbers in loader:
            accelerator.backward(model(images.flatten(1)).mean())
            optimizer.step()
            batches.append(numbers.tolist())
        epochs.append(batches)
    labels(itertools.islice(loader, 2))
    accelerator.save_state(f"{folder}/state")
    # Rank 0 writes what all ranks read.
    accelerator.wait_for_everyone()
    rest = labels(loader)
    accelerator.load_state(f"{folder}/state")
    write(folder, {"epochs": epochs, "resumed": labels(loader), "next": [rest, labels(loader)]})
    accelerator.end_training()


if __name__ == "__main__":
    main(*sys.argv[1:])
