"""Row R18 for the iterators in Python: `state_dict` and `load_state_dict` resume at the exact position.

Each kind is stopped before each batch of three epochs, at their ends and after the resets, and a new object, which has
already read other batches, continues from there: no batch is missing or repeated.
"""

from __future__ import annotations

import copy
import json
import re
import struct
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import h5py
import numpy as np
import pytest
from scipy import sparse

from recio._loader import checkpoint
from recio.image import ImageIter
from recio.io import (
    CSVIter,
    DataBatch,
    DataDesc,
    DataIter,
    LibSVMIter,
    MNISTIter,
    NDArrayIter,
    PrefetchingIter,
    ResizeIter,
)
from tests.support.records import RecordFile, noise, png, write_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.image._image_iter import LastBatch

KIB = 1024
LABELS = -np.arange(10)
ROWS = "".join(f"{n},{n + 1}\n" for n in range(10))
SPARSE = "".join(f"{n} {n % 3}:{n + 1}\n" for n in range(10))

Make: TypeAlias = "Callable[[Path], Any]"
"""Function from a folder, for its files, to a new iterator."""


def of_ten(_: Path | None = None, **settings: Any) -> NDArrayIter:  # noqa: ANN401 they are of many types
    return NDArrayIter(np.arange(20).reshape(10, 2), LABELS, **{"batch_size": 4, **settings})


def file(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file unless it exists: open files must not change."""
    if not (folder / name).exists():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def csv(folder: Path, **settings: Any) -> CSVIter:  # noqa: ANN401 they are of many types
    arguments = {"data_csv": file(folder, "a.csv", ROWS), "data_shape": 2, "batch_size": 4, **settings}
    return CSVIter(**arguments)


def libsvm(folder: Path, **settings: Any) -> LibSVMIter:  # noqa: ANN401 they are of many types
    arguments = {"data_libsvm": file(folder, "a.t", SPARSE), "data_shape": 3, "batch_size": 2, **settings}
    return LibSVMIter(**arguments)


def mnist(folder: Path, **settings: Any) -> MNISTIter:  # noqa: ANN401 they are of many types
    pixels = np.arange(60, dtype=np.uint8)
    image = file(folder, "images", struct.pack(">4I", 0x803, 10, 2, 3) + pixels.tobytes())
    label = file(folder, "labels", struct.pack(">2I", 0x801, 10) + bytes(range(10)))
    return MNISTIter(**{"image": image, "label": label, "batch_size": 3, **settings})


def stored(folder: Path) -> NDArrayIter:
    path = folder / "a.h5"
    if not path.exists():
        with h5py.File(path, "w") as output:
            output["data"] = np.arange(20).reshape(10, 2)
    return NDArrayIter(h5py.File(path)["data"], batch_size=4, shuffle=True, seed=5)


def nested(folder: Path) -> PrefetchingIter:
    inner = PrefetchingIter(ResizeIter(csv(folder), 5))
    return PrefetchingIter([ResizeIter(inner, 3), of_ten(shuffle=True, seed=1)])


KINDS: dict[str, Make] = {
    **{
        f"NDArrayIter {handle}{', shuffled' * shuffle}": partial(
            of_ten, last_batch_handle=handle, shuffle=shuffle, seed=7
        )
        for handle in ("pad", "discard", "roll_over")
        for shuffle in (False, True)
    },
    "NDArrayIter of few": lambda _: NDArrayIter(
        np.arange(3), batch_size=8, shuffle=True, last_batch_handle="roll_over", seed=2**64 - 1
    ),
    "NDArrayIter of none": lambda _: NDArrayIter(np.zeros((0, 2)), batch_size=4),
    "NDArrayIter of a data set": stored,
    "NDArrayIter of a sparse matrix": lambda _: NDArrayIter(
        sparse.csr_array(np.eye(10)), batch_size=4, last_batch_handle="discard"
    ),
    "NDArrayIter of a layout": lambda _: NDArrayIter(np.arange(20).reshape(2, 10), batch_size=4, layout="TN"),
    "CSVIter": csv,
    "CSVIter, zeros": lambda folder: csv(folder, round_batch=False),
    "LibSVMIter": libsvm,
    "LibSVMIter, a shard": lambda folder: libsvm(folder, num_parts=3, part_index=1),
    "MNISTIter": mnist,
    "ResizeIter": lambda _: ResizeIter(of_ten(shuffle=True, seed=1), 5),
    "ResizeIter without internal reset": lambda _: ResizeIter(of_ten(shuffle=True, seed=1), 2, reset_internal=False),
    "PrefetchingIter": lambda _: PrefetchingIter(of_ten(shuffle=True, seed=1)),
    "PrefetchingIter that rolls over": lambda _: PrefetchingIter(of_ten(last_batch_handle="roll_over")),
    "PrefetchingIter of two": lambda folder: PrefetchingIter([csv(folder), of_ten(shuffle=True, seed=1)]),
    "PrefetchingIter of few": lambda _: PrefetchingIter(
        NDArrayIter(np.arange(3), batch_size=8, last_batch_handle="roll_over")
    ),
    "ResizeIter of a PrefetchingIter": lambda _: ResizeIter(PrefetchingIter(of_ten(shuffle=True, seed=1)), 4),
}


def shown(batch: DataBatch) -> list[Any]:
    """Return everything in a batch."""
    sources: list[Any] = [*batch.data, *(batch.label or [])]
    arrays = [source.toarray() if sparse.issparse(source) else source for source in sources]
    return [[array.tolist() for array in arrays], batch.pad, None if batch.index is None else batch.index.tolist()]


def steps(batches: Any, epochs: int = 3) -> Iterator[Any]:  # noqa: ANN401 an iterator of any kind
    """Return the remaining batches of so many epochs, their ends, and each reset after one."""
    for _ in range(epochs):
        for batch in batches:
            yield shown(batch)
        yield "the end"
        batches.reset()
        yield "reset"


def states_of(
    batches: Any,  # noqa: ANN401 an iterator of any kind
    state_of: Callable[[Any], Any] = lambda batches: batches.state_dict(),
) -> list[tuple[Any, int, list[Any]]]:
    """Return the states before each batch, at the ends and after the resets of two epochs, with what follows.

    The number in between is the epoch.
    """
    states, stream = [(state_of(batches), 0, 0)], []
    for step in steps(batches):
        stream.append(step)
        # After the end of an epoch, the end is repeated.
        states.append((state_of(batches), stream.count("reset"), len(stream) - (step == "the end")))
    return [(state, epoch, stream[position:]) for state, epoch, position in states if epoch < 3]


@pytest.mark.parametrize("kind", KINDS)
def test_stream_resumes_exactly_at_every_position(tmp_path: Path, kind: str) -> None:
    states = states_of(KINDS[kind](tmp_path))
    assert len(states) > 2
    for state, epoch, rest in states:
        other = KINDS[kind](tmp_path)
        for _ in range(2):
            next(other, None)
        other.load_state_dict(state)
        assert list(steps(other, 3 - epoch)) == rest


@pytest.mark.parametrize("kind", KINDS)
def test_state_is_small_and_survives_json(tmp_path: Path, kind: str) -> None:
    for state, _, _ in states_of(KINDS[kind](tmp_path)):
        text = json.dumps(state, allow_nan=False)
        assert len(text) <= KIB
        assert json.loads(text) == state
        other = KINDS[kind](tmp_path)
        other.load_state_dict(json.loads(text))
        assert other.state_dict() == state


@pytest.mark.parametrize("kind", KINDS)
def test_state_may_be_loaded_by_the_same_iterator(tmp_path: Path, kind: str) -> None:
    batches = KINDS[kind](tmp_path)
    state = batches.state_dict()
    first = list(steps(batches, 1))
    batches.load_state_dict(state)
    assert list(steps(batches, 1)) == first


@pytest.mark.parametrize("kind", KINDS)
def test_load_leaves_no_current_batch(tmp_path: Path, kind: str) -> None:
    batches = KINDS[kind](tmp_path)
    state = batches.state_dict()
    batches.iter_next()
    batches.load_state_dict(state)
    with pytest.raises(ValueError, match="no current batch"):
        batches.getdata()


def test_state_is_loaded_in_another_process() -> None:
    program = (
        "import json, sys, numpy as np; from recio.io import NDArrayIter;"
        "it = NDArrayIter(np.arange(10), batch_size=4, shuffle=True, seed=3);"
        "it.load_state_dict(json.loads(sys.argv[1]));"
        "print(json.dumps([batch.data[0].tolist() for batch in it]))"
    )
    batches = NDArrayIter(np.arange(10), batch_size=4, shuffle=True, seed=3)
    list(batches)
    batches.reset()
    batches.next()
    state = json.dumps(batches.state_dict())
    done = subprocess.run([sys.executable, "-c", program, state], capture_output=True, check=True)
    assert json.loads(done.stdout) == [batch.data[0].tolist() for batch in batches]


MISFITS: dict[str, tuple[Make, Make, str]] = {
    "batch_size": (of_ten, lambda _: of_ten(batch_size=5), "batch_size: 4 in the state, 5 here"),
    "shuffle": (
        of_ten,
        lambda _: of_ten(shuffle=True, seed=1),
        "shuffle: False in the state, True here; seed: None in the state, 1 here",
    ),
    "seed": (
        lambda _: of_ten(shuffle=True, seed=1),
        lambda _: of_ten(shuffle=True, seed=2),
        "seed: 1 in the state, 2 here",
    ),
    "shuffled by numpy.random": (
        lambda _: of_ten(shuffle=True, seed=1),
        lambda _: of_ten(shuffle=True),
        "seed: 1 in the state, None here",
    ),
    "last_batch_handle": (
        of_ten,
        lambda _: of_ten(last_batch_handle="discard"),
        "last_batch_handle: 'pad' in the state, 'discard' here",
    ),
    "dtype of the data": (
        of_ten,
        lambda _: NDArrayIter(np.arange(20).reshape(10, 2) * 1.0, LABELS, 4),
        "data: ['int64",
    ),
    "shape of the data": (of_ten, lambda _: NDArrayIter(np.arange(10), LABELS, 4), "data: ['int64"),
    "the data": (of_ten, lambda _: NDArrayIter(-np.arange(20).reshape(10, 2), LABELS, 4), "data: ['int64"),
    "the labels": (of_ten, lambda _: NDArrayIter(np.arange(20).reshape(10, 2), -LABELS, 4), "label: ['int64"),
    "no labels": (of_ten, lambda _: NDArrayIter(np.arange(20).reshape(10, 2), batch_size=4), "here"),
    "layout": (
        lambda _: NDArrayIter(np.eye(4), batch_size=2, layout="NT"),
        lambda _: NDArrayIter(np.eye(4), batch_size=2, layout="TN"),
        "layout: 'NT' in the state, 'TN' here",
    ),
    "another class": (of_ten, csv, "the state is of NDArrayIter, not of CSVIter"),
    "lines": (csv, lambda folder: csv(folder, data_csv=file(folder, "b.csv", ROWS[4:])), "data: '1 file of 41 bytes"),
    "text": (
        csv,
        lambda folder: csv(folder, data_csv=file(folder, "b.csv", ROWS.replace("5", "6"))),
        "data: '1 file of 41 bytes",
    ),
    "files": (
        csv,
        lambda folder: csv(folder, data_csv=[file(folder, "b.csv", ROWS[:8]), file(folder, "c.csv", ROWS[8:])]),
        "'2 files of 41 bytes",
    ),
    "files divided differently": (
        lambda folder: csv(folder, data_csv=[file(folder, "b.csv", ROWS[:8]), file(folder, "c.csv", ROWS[8:])]),
        lambda folder: csv(folder, data_csv=[file(folder, "d.csv", ROWS[:4]), file(folder, "e.csv", ROWS[4:])]),
        "data: '2 files of 41 bytes",
    ),
    "labels of text": (
        csv,
        lambda folder: csv(folder, label_csv=file(folder, "l.csv", "1\n" * 10)),
        "label: None in the state, '1 file of 20 bytes",
    ),
    "round_batch": (csv, lambda folder: csv(folder, round_batch=False), "round_batch: True in the state, False here"),
    "data_shape": (
        csv,
        lambda folder: csv(folder, data_shape=(1, 2)),
        "data_shape: [2] in the state, [1, 2] here",
    ),
    "label_shape": (csv, lambda folder: csv(folder, label_shape=2), "label_shape: [1] in the state, [2] here"),
    "dtype": (csv, lambda folder: csv(folder, dtype="int32"), "dtype: 'float32' in the state, 'int32' here"),
    "shard": (
        libsvm,
        lambda folder: libsvm(folder, num_parts=2, part_index=1),
        "num_parts: 1 in the state, 2 here",
    ),
    "width": (libsvm, lambda folder: libsvm(folder, data_shape=4), "data_shape: [3] in the state, [4] here"),
    "seed of MNIST": (mnist, lambda folder: mnist(folder, seed=1), "seed: 0 in the state, 1 here"),
    "flat": (mnist, lambda folder: mnist(folder, flat=True), "flat: False in the state, True here"),
    "shard of MNIST": (mnist, lambda folder: mnist(folder, num_parts=2), "num_parts: 1 in the state, 2 here"),
    "size": (
        lambda _: ResizeIter(of_ten(), 5),
        lambda _: ResizeIter(of_ten(), 4, reset_internal=False),
        "size: 5 in the state, 4 here; reset_internal: True in the state, False here",
    ),
    "inner iterator of a ResizeIter": (
        lambda _: ResizeIter(of_ten(), 5),
        lambda _: ResizeIter(of_ten(batch_size=2), 5),
        "data_iter: the state does not fit this NDArrayIter: batch_size: 4 in the state, 2 here",
    ),
    "number of iterators": (
        lambda _: PrefetchingIter(of_ten()),
        lambda _: PrefetchingIter([of_ten(), of_ten()]),
        "iters: 1 in the state, 2 here",
    ),
    "inner iterators of a PrefetchingIter": (
        lambda _: PrefetchingIter([of_ten(shuffle=True, seed=seed) for seed in (1, 2)]),
        lambda _: PrefetchingIter([of_ten(shuffle=True, seed=seed) for seed in (1, 3)]),
        "iters[1]: the state does not fit this NDArrayIter: seed: 2 in the state, 3 here",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_mismatched_state_is_refused_by_name_and_changes_nothing(tmp_path: Path, case: str) -> None:
    saved, here, message = MISFITS[case]
    np.random.seed(1)  # noqa: NPY002 the generator that NDArrayIter uses
    batches = here(tmp_path)
    np.random.seed(1)  # noqa: NPY002 the generator that NDArrayIter uses
    unchanged = here(tmp_path)
    for iterator in (batches, unchanged):
        next(iterator)
    state = saved(tmp_path).state_dict()
    with pytest.raises(ValueError, match=re.escape(message)):
        batches.load_state_dict(state)
    np.random.seed(2)  # noqa: NPY002 the generator that NDArrayIter uses
    rest = list(steps(batches, 2))
    np.random.seed(2)  # noqa: NPY002 the generator that NDArrayIter uses
    assert rest == list(steps(unchanged, 2))


@pytest.mark.parametrize(
    ("saved", "here"),
    [
        (lambda _: of_ten(seed=1), lambda _: of_ten(seed=2, data_name="x", label_name="y")),
        (lambda folder: mnist(folder, shuffle=False, seed=1), lambda folder: mnist(folder, shuffle=False, silent=True)),
        (lambda folder: mnist(folder, seed=2**32), mnist),
        (csv, lambda folder: csv(folder, prefetch_buffer=1, data_csv=file(folder, "b.csv", ROWS), data_name="x")),
        (lambda _: PrefetchingIter(of_ten()), lambda _: PrefetchingIter(of_ten(), rename_data=[{"data": "x"}])),
    ],
    ids=["seed without shuffle", "that of MNIST", "the same seed of MNIST", "another file with the same", "names"],
)
def test_settings_that_do_not_affect_the_stream_may_differ(tmp_path: Path, saved: Make, here: Make) -> None:
    batches, other = saved(tmp_path), here(tmp_path)
    next(batches)
    other.load_state_dict(batches.state_dict())
    assert list(steps(other, 2)) == list(steps(batches, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: None, "no state of a recio iterator"),
        (lambda _: [], "no state of a recio iterator"),
        (lambda _: {}, "no state of a recio iterator"),
        (lambda state: {**state, "recio": 2}, "the state has version 2; this recio reads version 1"),
        (lambda state: {**state, "settings": None}, "no state of a recio iterator"),
        (lambda state: {**state, "position": 3}, "no state of a recio iterator"),
        (lambda state: {**state, "settings": {}}, "batch_size: absent in the state, 4 here"),
        (lambda state: {**state, "settings": {**state["settings"], "new": 1}}, "new: 1 in the state, absent here"),
        (lambda state: {**state, "position": {}}, "the state's epoch must be from 0 to 4294967295 here, got None"),
        (lambda state: moved(state, next=11), "the state's next must be from 0 to 10 here, got 11"),
        (lambda state: moved(state, next=-1), "the state's next must be from 0 to 10 here, got -1"),
        (lambda state: moved(state, next=1.5), "the state's next must be from 0 to 10 here, got 1.5"),
        (lambda state: moved(state, next="4"), "the state's next must be from 0 to 10 here, got '4'"),
        (lambda state: moved(state, rolled=1), "the state's rolled must be from 0 to 0 here, got 1"),
        (lambda state: moved(state, epoch=2**32), f"the state's epoch must be from 0 to 4294967295 here, got {2**32}"),
    ],
)
def test_invalid_state_is_refused(change: Callable[[Any], Any], message: str) -> None:
    batches = of_ten()
    state = change(batches.state_dict())
    with pytest.raises(ValueError, match=re.escape(message)):
        batches.load_state_dict(state)


def moved(state: dict[str, Any], **to: Any) -> dict[str, Any]:  # noqa: ANN401 also invalid positions
    return {**state, "position": {**state["position"], **to}}


@pytest.mark.parametrize("kind", [csv, libsvm, mnist, lambda _: ResizeIter(of_ten(), 3)])
def test_position_past_the_end_is_refused(tmp_path: Path, kind: Make) -> None:
    batches = kind(tmp_path)
    state = batches.state_dict()
    (name,) = (name for name in state["position"] if name in {"next", "cur"})
    with pytest.raises(ValueError, match=f"the state's {name} must be from 0 to .* here, got 100"):
        batches.load_state_dict(moved(state, **{name: 100}))


def test_state_is_a_copy(tmp_path: Path) -> None:
    batches = nested(tmp_path)
    state = batches.state_dict()
    kept = copy.deepcopy(state)
    state["position"]["iters"][0]["position"]["cur"] = 3
    assert batches.state_dict() == kept


def orders_of(batches: NDArrayIter, epochs: int) -> list[list[int]]:
    """Return the numbers of the samples of epochs that have one batch each."""
    orders = []
    for _ in range(epochs):
        (batch,) = batches
        assert batch.index is not None
        orders.append(batch.index.tolist())
        batches.reset()
    return orders


class TestShuffling:
    """Shuffling of `NDArrayIter` with a seed."""

    def test_order_is_a_function_of_seed_and_epoch(self) -> None:
        def orders(seed: int) -> list[Any]:
            np.random.seed()  # noqa: NPY002 must have no effect
            batches = NDArrayIter(np.arange(50), batch_size=50, shuffle=True, seed=seed)
            return orders_of(batches, 3)

        assert orders(1) == orders(1)
        every = orders(1) + orders(2) + orders(2**32) + orders(2**32 + 1)
        assert len({tuple(order) for order in every}) == 12
        assert all(sorted(order) == [*range(50)] for order in every)

    def test_orders_never_change_between_versions(self) -> None:
        """A state may be older than the NumPy that reads it."""
        batches = NDArrayIter(np.arange(10), batch_size=10, shuffle=True, seed=7)
        assert orders_of(batches, 2) == [[1, 7, 5, 2, 6, 0, 4, 3, 9, 8], [4, 3, 2, 1, 6, 5, 7, 8, 0, 9]]

    def test_seed_does_not_use_the_global_generator(self) -> None:
        samples = []
        for epochs in (0, 3):
            np.random.seed(1)  # noqa: NPY002 the generator that NDArrayIter uses
            list(steps(of_ten(shuffle=True, seed=1), epochs))
            samples.append(np.random.random())  # noqa: NPY002
        assert samples[0] == samples[1]

    def test_reset_before_the_first_batch_keeps_the_epoch(self) -> None:
        batches, other = of_ten(shuffle=True, seed=1), of_ten(shuffle=True, seed=1)
        batches.reset()
        batches.hard_reset()
        assert list(steps(batches)) == list(steps(other))

    def test_order_of_numpys_global_generator_has_no_state(self) -> None:
        batches = of_ten(shuffle=True)
        for call in (batches.state_dict, lambda: batches.load_state_dict(of_ten(shuffle=True).state_dict())):
            with pytest.raises(NotImplementedError, match=r"numpy\.random, .* pass a seed to NDArrayIter"):
                call()

    @pytest.mark.parametrize("seed", [-(2**31) - 1, 2**64, 1.5, "one"])
    def test_invalid_seed_is_refused(self, seed: Any) -> None:  # noqa: ANN401 of any type
        with pytest.raises(ValueError, match=re.escape(f"seed must be an integer from 0 to 2^64-1, got {seed!r}")):
            of_ten(shuffle=True, seed=seed)


class Counter(DataIter):
    """Custom iterator with a state."""

    def __init__(self, minimum: int = 0) -> None:
        super().__init__(batch_size=1)
        self.at, self.minimum = 0, minimum
        self.provide_data, self.provide_label = [DataDesc("data", (1,))], []  # type: ignore[var-annotated]

    def next(self) -> DataBatch:
        if self.at == 3:
            raise StopIteration
        self.at += 1
        return DataBatch([np.array([self.at])], pad=0)

    def reset(self) -> None:
        self.at = 0

    def state_dict(self) -> dict[str, Any]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["at"] < self.minimum:
            raise ValueError(f"at: {state['at']} is too little")
        self.at = state["at"]


class Stateless(Counter):
    """Custom iterator without a state."""

    state_dict = DataIter.state_dict
    load_state_dict = DataIter.load_state_dict


class Broken(Counter):
    """Custom iterator whose `state_dict` raises."""

    def state_dict(self) -> dict[str, Any]:
        raise KeyError("at")


class TestUserIterators:
    def test_base_class_names_the_methods_to_define(self) -> None:
        for call in (Stateless().state_dict, lambda: Stateless().load_state_dict({})):
            with pytest.raises(
                NotImplementedError, match=r"Stateless has no state: .*define state_dict.*load_state_dict"
            ):
                call()

    @pytest.mark.parametrize("wrap", [PrefetchingIter, lambda inner: ResizeIter(inner, 3)])
    def test_wrappers_include_the_state_of_user_iterators(self, wrap: Callable[[Any], Any]) -> None:
        for state, epoch, rest in states_of(wrap(Counter())):
            other = wrap(Counter())
            other.load_state_dict(json.loads(json.dumps(state)))
            assert list(steps(other, 3 - epoch)) == rest

    @pytest.mark.parametrize("wrap", [PrefetchingIter, lambda inner: ResizeIter(inner, 3)])
    def test_stateless_user_iterators_can_be_read_but_not_resumed(self, wrap: Callable[[Any], Any]) -> None:
        batches = wrap(Stateless())
        assert [batch.data[0][0] for batch in batches] == [1, 2, 3]
        with pytest.raises(NotImplementedError, match="Stateless has no state"):
            batches.state_dict()
        with pytest.raises(NotImplementedError, match="Stateless has no state"):
            batches.load_state_dict(wrap(Counter()).state_dict())

    def test_failing_state_is_raised_only_by_state_dict(self) -> None:
        batches = PrefetchingIter([Counter(), Broken()])
        assert len(list(batches)) == 3
        with pytest.raises(NotImplementedError, match=r"iters\[1\] has no state: KeyError: 'at'"):
            batches.state_dict()

    def test_inner_iterator_without_state_dict_is_named(self) -> None:
        class Bare:
            batch_size = 1
            provide_data = provide_label = ()

        bare: Any = Bare()
        with pytest.raises(NotImplementedError, match="Bare has no state"):
            ResizeIter(bare, 1).state_dict()


class TestPrefetching:
    """Prefetched batches do not count as read."""

    def test_raised_error_counts_as_received(self) -> None:
        class Failing(Counter):
            def next(self) -> DataBatch:
                batch = super().next()
                if self.at == 2:
                    raise OSError("disk")
                return batch

        with PrefetchingIter(Failing()) as batches:
            batches.next()
            before = batches.state_dict()
            with pytest.raises(OSError, match="disk"):
                batches.next()
            after = batches.state_dict()
            for state, expected in ((before, OSError), (after, None)):
                with PrefetchingIter(Failing()) as other:
                    other.load_state_dict(state)
                    if expected:
                        with pytest.raises(expected, match="disk"):
                            other.next()
                    assert [batch.data[0][0] for batch in other] == [3]

    def test_reset_is_in_the_state_at_once(self) -> None:
        with (
            PrefetchingIter(of_ten(shuffle=True, seed=1)) as batches,
            PrefetchingIter(of_ten(shuffle=True, seed=1)) as other,
        ):
            batches.next()
            batches.reset()
            other.load_state_dict(batches.state_dict())
            assert list(steps(other, 2)) == list(steps(batches, 2))

    def test_load_recovers_from_a_failed_reset(self) -> None:
        class Stuck(Counter):
            def reset(self) -> None:
                raise OSError("stuck")

        with PrefetchingIter(Stuck()) as batches:
            batches.next()
            state = batches.state_dict()
            with pytest.raises(OSError, match="stuck"):
                batches.reset()
            batches.load_state_dict(state)
            assert batches.next().data[0] == 2

    def test_failed_load_restores_all_iterators(self) -> None:
        with PrefetchingIter([Counter(), Counter(minimum=1)]) as batches:
            start = batches.state_dict()
            for _ in range(2):
                batches.next()
            with pytest.raises(ValueError, match=re.escape("iters[1]: at: 0 is too little")):
                batches.load_state_dict(start)
            assert [[data[0] for data in batch.data] for batch in batches] == [[3, 3]]

    def test_closed_iterator_has_a_state_but_loads_none(self) -> None:
        batches, other = PrefetchingIter(of_ten()), PrefetchingIter(of_ten())
        batches.next()
        state = batches.state_dict()
        batches.close()
        assert batches.state_dict() == state
        with pytest.raises(ValueError, match="the iterator is closed"):
            batches.load_state_dict(state)
        other.load_state_dict(state)
        assert len(list(other)) == 2

    def test_list_of_the_wrong_length_is_refused(self) -> None:
        with PrefetchingIter(of_ten()) as batches:
            wrong: list[Any] = [[], [{}, {}], {}, None]
            for iters in wrong:
                with pytest.raises(ValueError, match=re.escape("no state of a recio iterator")):
                    batches.load_state_dict(moved(batches.state_dict(), iters=iters))


class TestSize:
    """States have at most 1 KiB for any settings."""

    def test_nested_iterators_resume(self, tmp_path: Path) -> None:
        states = states_of(nested(tmp_path))
        assert max(len(json.dumps(state)) for state, _, _ in states) <= KIB
        for state, epoch, rest in states[::3]:
            other = nested(tmp_path)
            other.load_state_dict(state)
            assert list(steps(other, 3 - epoch)) == rest

    def test_many_arrays_are_identified_by_a_digest(self) -> None:
        def of_many(last: int) -> NDArrayIter:
            arrays = {f"a rather long name, number {n}": np.full((10, 3), n) for n in range(40)}
            return NDArrayIter({**arrays, "z": np.full(10, last)}, batch_size=4)

        state = of_many(1).state_dict()
        assert len(json.dumps(state)) <= KIB
        of_many(1).load_state_dict(state)
        with pytest.raises(ValueError, match=r"data: '#[0-9a-f]{12}' in the state, '#[0-9a-f]{12}' here"):
            of_many(2).load_state_dict(state)

    @pytest.mark.parametrize("count", [1, 4, 6])
    def test_wrapped_iterators_are_identified(self, count: int) -> None:
        def wrapped(batch_size: int) -> PrefetchingIter:
            return PrefetchingIter([of_ten(batch_size=4) for _ in range(count - 1)] + [of_ten(batch_size=batch_size)])

        state = wrapped(4).state_dict()
        assert len(json.dumps(state)) <= KIB
        wrapped(4).load_state_dict(state)
        with pytest.raises(
            ValueError, match=re.escape(f"iters[{count - 1}]: the state does not fit this NDArrayIter: ")
        ):
            wrapped(5).load_state_dict(state)

    def test_longest_settings_are_hashed_first_and_only_as_needed(self) -> None:
        settings = {"short": 1, "long": "x" * 600, "longer": "y" * 800}
        state = checkpoint.make("Kind", {"next": 3}, settings)
        assert state["settings"] == {**settings, "longer": state["settings"]["longer"]}
        assert re.fullmatch("#[0-9a-f]{12}", state["settings"]["longer"])
        assert checkpoint.fit(state, "Kind", settings) == {"next": 3}

    def test_settings_compare_by_value(self) -> None:
        state = checkpoint.make("Kind", {}, {"a": (1, 2.0), "b": np.float32(0.5), "c": float("nan"), "d": np.arange(2)})
        assert json.loads(json.dumps(state, allow_nan=False)) == state
        assert checkpoint.fit(state, "Kind", {"a": [1.0, 2], "b": 0.5, "c": float("nan"), "d": [0, 1]}) == {}

    def test_hashed_settings_are_compared_as_one(self) -> None:
        settings = {f"setting number {n}": n for n in range(100)}
        state = checkpoint.make("Kind", {}, settings)
        assert len(json.dumps(state)) <= KIB
        assert checkpoint.fit(state, "Kind", settings) == {}
        with pytest.raises(ValueError, match="the settings differ; there are too many for the state to hold which"):
            checkpoint.fit(state, "Kind", {**settings, "setting number 3": 4})


class Hooked(ImageIter):
    """Iterator with a hook that takes decoded images and only calls the base."""

    def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
        return super().postprocess_data(datum)


class Decoding(ImageIter):
    """Iterator that decodes in Python, by the base."""

    def imdecode(self, s: Any) -> NDArray[np.uint8]:  # noqa: ANN401 as of ImageIter
        return super().imdecode(s)


class Choosy(Hooked):
    """Iterator that skips about every third image."""

    def check_valid_image(self, data: Any) -> None:  # noqa: ANN401 as of ImageIter
        if data[0, 0, 0] % 3 == 0:
            raise RuntimeError("a third")


class ChoosyDecoding(Choosy, Decoding):
    """One that does both."""


class Every2nd(ImageIter):
    """One that uses every second sample."""

    def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
        super().next_sample()
        return super().next_sample()


class Generated(ImageIter):
    """One with samples of its own."""

    def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
        return 1.0, png(noise(8, 8))


@pytest.fixture
def photos(tmp_path: Path) -> RecordFile:
    """Write ten small images, all different."""
    return write_images(tmp_path, [png(noise(8, 8, seed=number)) for number in range(10)])


class TestHooks:
    """`ImageIter` with hooks: states are those of the native pipeline."""

    @pytest.mark.parametrize("kind", [Hooked, Decoding, Choosy, ChoosyDecoding, Every2nd])
    @pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
    @pytest.mark.parametrize("size", [4, 5, 16])
    def test_stream_with_hooks_resumes_exactly_at_every_position(
        self, photos: RecordFile, kind: type[ImageIter], handle: LastBatch, size: int
    ) -> None:
        def make() -> ImageIter:
            return kind(
                size,
                (3, 6, 6),
                path_imgrec=photos.rec,
                shuffle=True,
                seed=3,
                last_batch_handle=handle,
                rand_crop=True,
                rand_mirror=True,
                preprocess_threads=2,
            )

        for state, epoch, rest in states_of(make()):
            assert len(json.dumps(state)) < KIB
            other = make()
            next(other, None)
            other.load_state_dict(json.loads(json.dumps(state)))
            assert list(steps(other, 3 - epoch)) == rest

    def test_samples_of_a_user_hook_have_no_position(self, photos: RecordFile) -> None:
        batches = Generated(4, (3, 8, 8), path_imgrec=photos.rec)
        assert batches.next().index is None
        with pytest.raises(
            NotImplementedError, match=r"Generated\.next_sample .* define state_dict and load_state_dict"
        ):
            batches.state_dict()

    @pytest.mark.parametrize("kind", [ImageIter, Hooked, Decoding])
    @pytest.mark.parametrize(
        "change",
        [{"at": [0, 11]}, {"at": [1, 0]}, {"epoch": 1 << 40}, {"base": 1}, {"first": [0, 11]}],
        ids=str,
    )
    def test_invalid_position_is_refused(
        self, photos: RecordFile, kind: type[ImageIter], change: dict[str, Any]
    ) -> None:
        batches = kind(4, (3, 8, 8), path_imgrec=photos.rec, last_batch_handle="roll_over", seed=1)
        batches.next()
        before = batches.state_dict()
        with pytest.raises(ValueError, match="is no position among 10 samples"):
            batches.load_state_dict({**before, "position": {**before["position"], **change}})
        assert batches.state_dict() == before

    def test_position_without_an_entry_is_refused(self, photos: RecordFile) -> None:
        batches = ImageIter(4, (3, 8, 8), path_imgrec=photos.rec, seed=1)
        state = batches.state_dict()
        del state["position"]["base"]
        with pytest.raises(ValueError, match="the position of the state must have 'base', got"):
            batches.load_state_dict(state)
