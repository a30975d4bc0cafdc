"""A rank of DistributedDataParallel: FOLDER REC. It trains three epochs, and resumes from the state of rank 0."""

from __future__ import annotations

import itertools
import sys

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from tests.frameworks.loaders import labels, open_loader
from tests.frameworks.torchrun import write


def main(folder: str, rec: str) -> None:
    distributed.init_process_group("gloo")
    model = DistributedDataParallel(torch.nn.Linear(3 * 8 * 8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    loader = open_loader(rec)
    epochs = []
    for epoch in range(3):
        loader.set_epoch(epoch)
        batches = []
        for images, numbers in loader:
            # A rank with fewer batches would let the other wait here for ever.
            model(images.flatten(1)).mean().backward()
            optimizer.step()
            batches.append(numbers.tolist())
        epochs.append(batches)
    write(folder, {"epochs": epochs, "resumed": resumed(rec), "evaluated": labels(open_loader(rec, drop_pad=True))})
    distributed.destroy_process_group()


def resumed(rec: str) -> list[list[int]]:
    """Return the rest of an epoch, after two batches, from a state that rank 0 has saved for both ranks."""
    loader = open_loader(rec)
    labels(itertools.islice(loader, 2))
    states = [loader.state_dict()]
    distributed.broadcast_object_list(states)
    continued = open_loader(rec)
    continued.load_state_dict(states[0])
    return labels(continued)


if __name__ == "__main__":
    main(*sys.argv[1:])
