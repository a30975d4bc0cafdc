"""Training as InsightFace's arcface_torch does it, with the lines that docs/insightface.md changes."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torchvision import transforms

from tests.frameworks.arcface import COUNTS, GLOBAL_BATCH, STEPS, changed, ids, open_loader, write_faces
from tests.frameworks.torchrun import run
from tests.support.faces import write_bin
from tests.support.jpegs import libjpeg

if TYPE_CHECKING:
    from tests.support.faces import FaceSet

RANKS = [1, 2]
KEYS = list(range(1, sum(COUNTS) + 1))
"""Keys of the images."""


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    return write_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module", params=RANKS, ids="{} ranks".format)
def ranks(request: pytest.FixtureRequest, faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Train with a small model, and return what each rank has found."""
    return run("arcface_loop.py", tmp_path_factory.mktemp("loop"), faces.root, ranks=request.param)


class TestLoop:
    """A loop of the same shape, with a small model."""

    def test_each_image_is_seen_once_in_an_epoch(self, ranks: list[Any]) -> None:
        for epoch in range(3):
            seen = [key for rank in ranks for batch in rank["epochs"][epoch]["batches"] for key in batch]
            assert sorted(seen) == KEYS

    def test_all_batches_are_full_and_equally_many(self, ranks: list[Any]) -> None:
        full = [GLOBAL_BATCH // len(ranks)] * STEPS
        assert all(epoch["sizes"] == full for rank in ranks for epoch in rank["epochs"])

    def test_a_rank_has_other_images_in_another_order_in_each_epoch(self, ranks: list[Any]) -> None:
        for rank in ranks:
            orders = [tuple(itertools.chain(*epoch["batches"])) for epoch in rank["epochs"]]
            assert len(set(orders)) == 3
            assert len(ranks) == 1 or len({frozenset(order) for order in orders}) == 3

    def test_loss_falls(self, ranks: list[Any]) -> None:
        for rank in ranks:
            losses = [epoch["loss"] for epoch in rank["epochs"]]
            assert losses == sorted(losses, reverse=True)
            assert losses[-1] < losses[0] / 2

    def test_resumed_run_continues_with_the_next_batch(self, ranks: list[Any]) -> None:
        for rank in ranks:
            assert rank["resumed"]["middle"] == rank["epochs"][1]["batches"][1:]
            assert rank["resumed"]["start"] == rank["epochs"][2]["batches"]


def test_pixels_and_labels_are_those_of_insightfaces_data_set(faces: FaceSet) -> None:
    """Repeat the steps of ``MXFaceDataset`` with libjpeg-turbo and torchvision."""
    normalize = transforms.Normalize(mean=[0.5] * 3, std=[0.5] * 3)
    steps = transforms.Compose([transforms.ToPILImage(), transforms.ToTensor(), normalize])
    loader = open_loader(faces.root)
    mirrored = []
    for images, labels in loader:
        assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
        for key, image, label in zip(ids(loader), images, labels, strict=False):
            expected = steps(libjpeg(faces.images[key - 1]))
            # They are far from symmetric.
            mirrored.append(bool((image - expected).abs().max() > 0.1))
            np.testing.assert_allclose(image, expected.flip(2) if mirrored[-1] else expected, rtol=0, atol=1e-6)
            assert label == faces.identities[key - 1]
    assert len(mirrored) == len(KEYS)
    assert 0.25 < np.mean(mirrored) < 0.75


ARCFACE = "ARCFACE_TORCH"
"""The variable with the folder ``recognition/arcface_torch`` of a checkout of InsightFace."""
NEEDED = ("easydict", "scipy", "sklearn", "tensorboard")
# The learning rate would be 0 at the end of num_image * num_epoch images.
CONFIG = f"""
from easydict import EasyDict

config = EasyDict(
    network="mbf", num_classes={len(COUNTS)}, num_image={9 * STEPS * GLOBAL_BATCH}, num_epoch={{epochs}},
    warmup_epoch=0, rec="faces", val_targets=["pairs"], output="out", batch_size={{batch_size}}, lr=0.02, frequent=1,
    save_all_states=True, resume={{resume}},
)
"""


class TestScript:
    """``train_v2.py`` itself, if the variable ``ARCFACE_TORCH`` names its folder."""

    @pytest.fixture
    def folder(self, faces: FaceSet, tmp_path: Path) -> Path:
        """Copy its modules, and write the changed script, the faces and pairs of them."""
        source = os.environ.get(ARCFACE)
        if not source:
            pytest.skip(f"{ARCFACE} does not name the folder recognition/arcface_torch of InsightFace")
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            pytest.skip(f"arcface_torch needs {', '.join(missing)}")
        for path in Path(source).glob("*.py"):
            shutil.copy(path, tmp_path)
        for name in ("backbones", "configs", "eval", "utils"):
            shutil.copytree(Path(source, name), tmp_path / name)
        script = Path(source, "train_v2.py").read_text(encoding="utf-8")
        on_cpu = changed(script).replace("device=local_rank", 'device="cpu"')
        (tmp_path / "train_recio.py").write_text(on_cpu, encoding="utf-8")
        shutil.copytree(faces.root, tmp_path / "faces")
        write_bin(tmp_path / "faces" / "pairs.bin", faces.images[:40], [True, False] * 10)
        return tmp_path

    def train(self, folder: Path, ranks: int, epochs: int, *, resume: bool = False) -> list[int]:
        """Run the script, and return the number of steps of each rank."""
        config = CONFIG.format(batch_size=GLOBAL_BATCH // ranks, epochs=epochs, resume=resume)
        (folder / "configs" / "small.py").write_text(config, encoding="utf-8")
        return run("arcface_torch.py", folder, "train_recio.py", "configs/small.py", ranks=ranks)

    @pytest.mark.timeout(300)  # it starts the script twice
    @pytest.mark.parametrize("ranks", RANKS, ids="{} ranks".format)
    def test_it_trains_an_epoch_and_goes_on_with_another(self, folder: Path, ranks: int) -> None:
        assert self.train(folder, ranks, 1) == [STEPS] * ranks
        assert self.train(folder, ranks, 2, resume=True) == [2 * STEPS] * ranks
        log = (folder / "out" / "training.log").read_text(encoding="utf-8")
        print(log)  # noqa: T201 for `pytest -s`
        losses = [float(number) for number in re.findall(r"Loss ([\d.]+)", log)]
        # The script does not log the first step of a run.
        assert len(losses) == 2 * (STEPS - 1)
        assert np.mean(losses[STEPS - 1 :]) < np.mean(losses[: STEPS - 1])
