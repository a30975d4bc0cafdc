"""A rank that trains as ``train_v2.py`` of arcface_torch does: FOLDER FACES. It trains three epochs, and resumes."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.functional import cross_entropy, linear, normalize, one_hot
from torch.nn.parallel import DistributedDataParallel

from tests.frameworks.arcface import COUNTS, ids, open_loader
from tests.frameworks.torchrun import write

EPOCHS = 3
FEATURES = 32


class MarginSoftmax(nn.Module):  # type: ignore[misc] # PyTorch has types elsewhere
    """Cross entropy of the cosines between features and identities, with a margin for the true one."""

    scale, margin = 16.0, 0.2

    def __init__(self) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(len(COUNTS), FEATURES))

    def forward(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        cosines = linear(normalize(features), normalize(self.centers))
        return cross_entropy(self.scale * (cosines - self.margin * one_hot(labels, len(COUNTS))), labels)


def new_backbone() -> nn.Module:
    convolutions = [nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()]
    return nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, FEATURES))


def main(folder: str, faces: str) -> None:
    distributed.init_process_group("gloo")
    write(folder, {"epochs": train(faces), "resumed": resumed(faces)})
    distributed.destroy_process_group()


def train(faces: str) -> list[dict[str, Any]]:
    """Train, and return the ids of each batch and the losses of each epoch."""
    torch.manual_seed(1)
    train_loader = open_loader(faces, distributed.get_world_size())
    backbone, head = DistributedDataParallel(new_backbone()), DistributedDataParallel(MarginSoftmax())
    optimizer = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=3e-3)
    epochs = []
    for epoch in range(EPOCHS):
        train_loader.set_epoch(epoch)
        batches, sizes, losses = [], [], []
        for images, labels in train_loader:
            loss = head(backbone(images), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            batches.append(ids(train_loader))
            sizes.append(len(labels))
            losses.append(loss.item())
        epochs.append({"batches": batches, "sizes": sizes, "loss": sum(losses) / len(losses)})
    return epochs


def resumed(faces: str) -> dict[str, list[list[int]]]:
    """Return the batches of runs that go on from a state of rank 0 in epoch 1, and from the beginning of epoch 2."""
    ranks = distributed.get_world_size()
    saved = open_loader(faces, ranks)
    saved.set_epoch(1)
    batches = iter(saved)
    next(batches)
    states = [saved.state_dict()]
    distributed.broadcast_object_list(states)
    middle, start = open_loader(faces, ranks), open_loader(faces, ranks)
    middle.load_state_dict(states[0])
    middle.set_epoch(1)
    for ours, theirs in zip(middle, batches, strict=True):
        assert all(map(torch.equal, ours, theirs))
    middle.load_state_dict(states[0])
    start.set_epoch(2)
    return {"middle": [ids(middle) for _ in middle], "start": [ids(start) for _ in start]}


if __name__ == "__main__":
    main(*sys.argv[1:])
