"""A rank that reads by samplers: FOLDER REC. It reads two epochs, by a loader of recio and by a ``DataLoader``."""

from __future__ import annotations

import itertools
import sys

import numpy as np
from torch import distributed
from torch.utils.data import DataLoader

from recio.samplers import PKSampler
from tests.frameworks.loaders import BATCH, labels, open_loader
from tests.frameworks.torchrun import write

IDENTITIES = np.arange(22) % 5


def main(folder: str, rec: str) -> None:
    distributed.init_process_group("gloo")
    loader = open_loader(rec, shuffle=False, sampler=PKSampler(IDENTITIES, 2, 2, seed=1))
    sampler = PKSampler(IDENTITIES, 2, 2, seed=1, num_parts="auto")
    indexed = DataLoader(np.arange(22), batch_size=BATCH, sampler=sampler)
    epochs = [labels(loader) for _ in range(2)]
    numbers = [[batch.tolist() for batch in indexed] for _ in range(2)]
    write(folder, {"loader": epochs, "resumed": resumed(rec), "data_loader": numbers})
    distributed.destroy_process_group()


def resumed(rec: str) -> list[list[int]]:
    """Return the rest of an epoch, after a batch, from a state that rank 0 has saved for both ranks."""
    loader, continued = (open_loader(rec, shuffle=False, sampler=PKSampler(IDENTITIES, 2, 2, seed=1)) for _ in range(2))
    labels(itertools.islice(loader, 1))
    states = [loader.state_dict()]
    distributed.broadcast_object_list(states)
    continued.load_state_dict(states[0])
    return labels(continued)


if __name__ == "__main__":
    main(*sys.argv[1:])
