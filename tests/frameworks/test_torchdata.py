"""torchdata: states of ``StatefulDataLoader`` and ``torchdata.nodes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from torchdata import nodes
from torchdata.stateful_dataloader import StatefulDataLoader

from tests.frameworks.loaders import epochs, labels, open_loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.records import RecordFile


class Stateful(Protocol):
    """A loader with a state."""

    def __iter__(self) -> Iterator[Any]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def stateful_data_loader(rec: Path) -> Stateful:
    loader: Stateful = StatefulDataLoader(open_loader(rec), batch_size=None)
    return loader


def node(rec: Path) -> Stateful:
    loader: Stateful = nodes.Loader(nodes.IterableWrapper(open_loader(rec)))
    return loader


def prefetching_node(rec: Path) -> Stateful:
    loader: Stateful = nodes.Loader(nodes.Prefetcher(nodes.IterableWrapper(open_loader(rec)), prefetch_factor=2))
    return loader


pytestmark = pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")  # by torchdata

LOADERS = [stateful_data_loader, node, prefetching_node]


@pytest.mark.parametrize("kind", LOADERS)
def test_each_loop_is_an_epoch(tiny: RecordFile, kind: Callable[[Path], Stateful]) -> None:
    loader = kind(tiny.rec)
    assert [labels(loader) for _ in range(3)] == epochs(tiny.rec, 3)


@pytest.mark.parametrize("done", [1, 3, 5, 6, 7, 12])
@pytest.mark.parametrize("kind", LOADERS)
def test_a_state_continues_with_the_rest_of_its_epoch(
    tiny: RecordFile, kind: Callable[[Path], Stateful], done: int
) -> None:
    expected = epochs(tiny.rec, 5)
    loader, resumed = kind(tiny.rec), kind(tiny.rec)
    states = [loader.state_dict() for _ in range(2) for _ in loader]
    resumed.load_state_dict(states[done - 1])
    epoch, batch = divmod(done, len(expected[0]))
    assert [labels(resumed) for _ in range(3)] == [expected[epoch][batch:], *expected[epoch + 1 : epoch + 3]]


@pytest.mark.parametrize("kind", LOADERS)
def test_a_state_after_an_epoch_continues_with_the_next_one(tiny: RecordFile, kind: Callable[[Path], Stateful]) -> None:
    loader, resumed = kind(tiny.rec), kind(tiny.rec)
    labels(loader)
    resumed.load_state_dict(loader.state_dict())
    assert [labels(resumed) for _ in range(2)] == epochs(tiny.rec, 3)[1:]
