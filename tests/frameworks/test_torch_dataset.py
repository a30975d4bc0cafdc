"""`recio.torch.RecordDataset` with torchvision's transforms, samplers and worker processes."""

from __future__ import annotations

import inspect
import pickle
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, DistributedSampler, random_split
from torchvision import tv_tensors
from torchvision.transforms import v2

import recio.datasets
from recio.torch import RecordDataset
from tests.support.records import image_record, noise, png, write_records

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile

NUMBERS = 12


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write images of different sizes, labeled by their numbers."""
    images = [png(noise(20 + n, 30, seed=n)) for n in range(NUMBERS)]
    return write_records(tmp_path_factory.mktemp("some"), [image_record(image, n) for n, image in enumerate(images)])


def transform() -> v2.Compose:
    return v2.Compose([v2.RandomResizedCrop(16), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)])


def test_a_sample_is_an_image_of_torchvision_and_an_int(photos: RecordFile) -> None:
    image, label = RecordDataset(photos.rec)[3]
    expected, _ = recio.datasets.RecordDataset(photos.rec)[3]
    assert isinstance(image, tv_tensors.Image)
    assert (image.shape, image.dtype) == ((3, 23, 30), torch.uint8)
    np.testing.assert_array_equal(image.numpy(), expected.transpose(2, 0, 1))
    assert (label, type(label)) == (3, int)


def test_an_image_is_not_copied(photos: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = np.zeros((4, 5, 3), np.uint8)
    monkeypatch.setattr("recio.datasets._record_dataset.imdecode", lambda *_, **__: decoded)
    image, _ = RecordDataset(photos.rec)[0]
    assert image.data_ptr() == decoded.ctypes.data


def test_gray_images_and_bytes(photos: RecordFile) -> None:
    assert RecordDataset(photos.rec, flag=0)[0][0].shape == (1, 20, 30)
    assert RecordDataset(photos.rec, decode=False)[0] == recio.datasets.RecordDataset(photos.rec, decode=False)[0]


def test_labels_that_are_not_whole_and_several(tmp_path: Path) -> None:
    records = [image_record(png(noise(4, 4)), 0, label) for label in (0.5, [1, 2.5], float("inf"))]
    half, several, infinite = (label for _, label in RecordDataset(write_records(tmp_path, records).rec))
    assert (half, infinite) == (0.5, float("inf"))
    assert several.dtype == torch.float32
    assert several.tolist() == [1, 2.5]


def test_transforms_are_called_with_the_image_and_the_int(photos: RecordFile) -> None:
    dataset = RecordDataset(photos.rec, transform=v2.Resize((8, 8)), target_transform=str)
    image, label = dataset[2]
    assert (image.shape, label) == ((3, 8, 8), "2")
    assert dataset[1:3][1][1] == "2"
    assert type(dataset.filter(labels=[2])) is RecordDataset


@pytest.mark.parametrize(("workers", "context"), [(0, None), (2, "fork"), (1, "spawn"), (1, "forkserver")], ids=str)
def test_a_data_loader(photos: RecordFile, workers: int, context: str | None) -> None:
    dataset = RecordDataset(photos.rec, transform=transform())
    loader = DataLoader(dataset, 5, shuffle=True, num_workers=workers, multiprocessing_context=context)
    for _ in range(2 if context != "spawn" else 1):
        batches = list(loader)
        assert [images.shape for images, _ in batches] == [(5, 3, 16, 16), (5, 3, 16, 16), (2, 3, 16, 16)]
        assert all(labels.dtype == torch.int64 for _, labels in batches)
        assert sorted(torch.cat([labels for _, labels in batches]).tolist()) == list(range(NUMBERS))


def test_a_distributed_sampler(photos: RecordFile) -> None:
    dataset = RecordDataset(photos.rec, transform=v2.Resize((8, 8)))
    found = []
    for rank in range(2):
        sampler: Any = DistributedSampler(dataset, num_replicas=2, rank=rank, shuffle=True)
        sampler.set_epoch(1)
        found += [label for _, labels in DataLoader(dataset, 3, sampler=sampler) for label in labels.tolist()]
    assert sorted(found) == list(range(NUMBERS))


def test_data_sets_are_joined_and_split(photos: RecordFile) -> None:
    dataset = RecordDataset(photos.rec)
    assert isinstance(dataset + dataset, ConcatDataset)
    assert len(dataset + dataset) == 2 * NUMBERS
    assert [len(part) for part in random_split(dataset, [9, 3])] == [9, 3]


def test_a_pickle_opens_the_files_again(photos: RecordFile) -> None:
    pickled = pickle.dumps(RecordDataset(photos.rec, transform=v2.Resize((8, 8)))[4:])
    copy = pickle.loads(pickled)  # noqa: S301 made above
    assert (len(copy), copy[0][1]) == (NUMBERS - 4, 4)


def test_the_signature_has_all_keywords() -> None:
    assert inspect.signature(RecordDataset) == inspect.signature(recio.datasets.RecordDataset)


def test_torchvision_is_missing(photos: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModuleNotFoundError, match=r"recio\.torch\.RecordDataset needs torchvision: pip install"):
        RecordDataset(photos.rec)
    assert RecordDataset(photos.rec, decode=False)[1][1] == 1
