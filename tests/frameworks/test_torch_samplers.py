"""Samplers in loaders of PyTorch, torchdata and Lightning, and with several ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset
from torchdata.stateful_dataloader import StatefulDataLoader

from recio.samplers import ClassBalancedSampler, PKSampler, Sampler, SubsetSampler, WeightedSampler
from tests.frameworks.lightning_runs import Recorder, every_batch, fit
from tests.frameworks.loaders import BATCH, open_loader
from tests.frameworks.torchrun import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from tests.support.records import RecordFile

RECORDS = 22
IDENTITIES = np.arange(RECORDS) % 5

MAKERS: dict[str, Callable[..., Sampler]] = {
    "PKSampler": lambda **ranks: PKSampler(IDENTITIES, 2, 2, seed=1, **ranks),
    "ClassBalancedSampler": lambda **ranks: ClassBalancedSampler(IDENTITIES, seed=1, **ranks),
    "WeightedSampler": lambda **ranks: WeightedSampler(np.arange(RECORDS), seed=1, **ranks),
    "SubsetSampler": lambda **ranks: SubsetSampler(np.arange(3, 20), seed=1, **ranks),
}

pytestmark = [
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated"),  # by torchdata
    pytest.mark.filterwarnings("ignore:.*fork"),  # by Python, as the tests before have left threads
]


class Numbers(Dataset[int]):  # type: ignore[misc] # PyTorch has types elsewhere
    """The numbers of the records."""

    def __getitem__(self, number: int) -> int:
        return number

    def __len__(self) -> int:
        return RECORDS


def loader_of(kind: type[DataLoader[Any]], sampler: Sampler, workers: int) -> DataLoader[Any]:
    return kind(Numbers(), batch_size=BATCH, sampler=sampler, num_workers=workers)


def batches(loader: DataLoader[Any]) -> list[list[int]]:
    return [numbers.tolist() for numbers in loader]


def expected(sampler: Sampler, epoch: int) -> list[list[int]]:
    numbers = sampler.checked_order(epoch).tolist()
    return [numbers[at : at + BATCH] for at in range(0, len(numbers), BATCH)]


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[..., Sampler]:
    return MAKERS[request.param]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", [DataLoader, StatefulDataLoader])
def test_each_loop_of_a_data_loader_is_an_epoch(
    make: Callable[..., Sampler], kind: type[DataLoader[Any]], workers: int
) -> None:
    loader = loader_of(kind, make(), workers)
    assert [batches(loader) for _ in range(2)] == [expected(make(), epoch) for epoch in range(2)]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_data_loader_continues_exactly(make: Callable[..., Sampler], workers: int) -> None:
    loader = loader_of(StatefulDataLoader, make(), workers)
    batches(loader)
    states = [loader.state_dict() for _ in loader]
    second, third = (expected(make(), epoch) for epoch in (1, 2))
    for done in (1, len(states)):
        resumed = loader_of(StatefulDataLoader, make(), workers)
        resumed.load_state_dict(states[done - 1])
        # After the last batch, the rest is the next epoch.
        assert batches(resumed) == (second[done:] or third)


def test_ranks_have_slices_of_global_batches(tiny: RecordFile, tmp_path: Path) -> None:
    first, second = run("with_samplers.py", tmp_path, tiny.rec)
    for epoch in range(2):
        batches = expected(MAKERS["PKSampler"](), epoch)
        # The first batch fills the last global batch.
        both = [batches[0::2], [*batches[1::2], batches[0]]]
        assert [rank["loader"][epoch] for rank in (first, second)] == both
        assert [rank["data_loader"][epoch] for rank in (first, second)] == both
    assert [rank["resumed"] for rank in (first, second)] == [rank["loader"][0][1:] for rank in (first, second)]


class Sampled(Recorder):
    """Trains on batches of a sampler."""

    def train_dataloader(self) -> Any:  # noqa: ANN401 a loader
        return open_loader(self.rec, shuffle=False, sampler=MAKERS["PKSampler"]())


class SampledNumbers(Recorder):
    """Trains on numbers of a sampler, without images."""

    def train_dataloader(self) -> Any:  # noqa: ANN401 a loader
        return loader_of(StatefulDataLoader, MAKERS["PKSampler"](), 0)

    def training_step(self, batch: Any, number: int) -> torch.Tensor:  # noqa: ANN401 other than the base's
        return super().training_step((batch.float(), batch), number)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("model", [Sampled, SampledNumbers])
def test_lightning_continues_exactly(tiny: RecordFile, tmp_path: Path, model: type[Recorder]) -> None:
    whole = fit(model(str(tiny.rec)), 2, callbacks=[every_batch(tmp_path)]).batches
    assert whole == [(epoch, batch) for epoch in range(2) for batch in expected(MAKERS["PKSampler"](), epoch)]
    for done in (1, 4, 5, 7):
        resumed = fit(model(str(tiny.rec)), 2, checkpoint=tmp_path / f"{done}.ckpt")
        assert resumed.batches == whole[done:]
