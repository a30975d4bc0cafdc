"""Loaders of tensors in plain loops of PyTorch, and in its ``DataLoader``."""

from __future__ import annotations

import gc
import inspect
import io
import pickle
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import distributed
from torch.utils.data import DataLoader, IterableDataset

from recio.image import ImageIter
from recio.io import (
    CSVIter,
    DataBatch,
    DataIter,
    ImageDetRecordIter,
    ImageMaskRecordIter,
    ImageRecordIter,
    NDArrayIter,
)
from recio.torch import DataIterLoader, ImageDetRecordLoader, ImageMaskRecordLoader, ImageRecordLoader
from tests.frameworks.loaders import BATCH, epochs, labels, open_loader
from tests.support.records import image_record, png, write_records

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile

COLORS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], np.uint8)


def colored(color: int) -> bytes:
    """Return an image of one color."""
    return png(np.full((8, 8, 3), COLORS[color], np.uint8))


def test_a_plain_loop_learns(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(colored(n % 4), n, n % 4) for n in range(40)])
    loader = open_loader(file.rec, scale=1 / 255)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(3):
        total = 0.0
        for images, classes in loader:
            loss = torch.nn.functional.cross_entropy(model(images), classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 4


def test_batches_are_those_of_the_iterator_and_share_its_memory(tiny: RecordFile) -> None:
    settings: dict[str, Any] = {"data_shape": (3, 8, 8), "batch_size": BATCH, "shuffle": True, "seed": 1}
    batches = ImageRecordIter(path_imgrec=tiny.rec, **settings)
    loader = ImageRecordLoader(path_imgrec=tiny.rec, **settings)
    assert len(loader) == len(batches) == 6
    for batch, (images, numbers) in zip(batches, loader, strict=True):
        assert images.dtype == torch.float32
        assert numbers.dtype == torch.int64
        np.testing.assert_array_equal(images.numpy(), batch.data[0])
        np.testing.assert_array_equal(numbers.numpy(), batch.label[0])
        inner = loader._batches.getdata()
        assert images.data_ptr() == inner.ctypes.data


def test_each_loop_is_an_epoch_and_a_kept_batch_stays_as_it_is(tiny: RecordFile) -> None:
    loader = open_loader(tiny.rec)
    kept = [list(loader) for _ in range(3)]
    assert [labels(each) for each in kept] == epochs(tiny.rec, 3)
    assert labels(kept[0]) != labels(kept[1])
    assert loader.epoch == 2
    loader.set_epoch(1)
    assert labels(loader) == labels(kept[1])


def test_channels_last_tensors_share_memory(tiny: RecordFile) -> None:
    loader = open_loader(tiny.rec, channels_last=True)
    for (images, _), (expected, _) in zip(loader, open_loader(tiny.rec), strict=True):
        assert images.shape == (BATCH, 3, 8, 8)
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert images.data_ptr() == loader._batches.getdata().ctypes.data
        assert torch.equal(images, expected)


def test_channels_last_excludes_a_layout(tiny: RecordFile) -> None:
    with pytest.raises(TypeError, match="channels_last sets the layout: pass one of them"):
        open_loader(tiny.rec, channels_last=True, layout="NCHW")


def test_labels_that_are_not_whole_are_an_error_unless_they_are_floats(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(colored(0), n, n / 2) for n in range(4)])
    message = "the label 0.5 of the record with id 101 is not representable as torch.int64; pass label_dtype="
    with pytest.raises(ValueError, match=re.escape(message)):
        labels(open_loader(file.rec, shuffle=False))
    assert labels(open_loader(file.rec, shuffle=False, label_dtype=torch.float32)) == [[0, 0.5, 1, 1.5]]


def test_a_type_that_changes_a_class_is_an_error(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(colored(0), n, label) for n, label in enumerate((2048, 0.1, 1, 2049))])
    with pytest.raises(ValueError, match="the label 2049 of the record with id 103 is not representable as"):
        labels(open_loader(file.rec, label_dtype=torch.float16))


def test_several_labels_are_float32(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(colored(0), n, [n, 0.5]) for n in range(BATCH)])
    ((_, rows),) = open_loader(file.rec, shuffle=False, label_width=2)
    assert rows.dtype == torch.float32
    assert rows.tolist() == [[n, 0.5] for n in range(BATCH)]
    message = "the label 0.5 of the record with id 100 is not"
    with pytest.raises(ValueError, match=message):
        list(open_loader(file.rec, shuffle=False, label_width=2, label_dtype=torch.int64))


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_drop_pad_returns_every_record_once(tiny: RecordFile, parts: int) -> None:
    ids = []
    for part in range(parts):
        loader = open_loader(tiny.rec, shuffle=False, drop_pad=True, num_parts=parts, part_index=part)
        for _ in range(2):
            batches = labels(loader)
            assert len(batches) == len(loader)
            assert all(batches)
        ids += [number for batch in batches for number in batch]
    assert sorted(ids) == list(range(22))


def test_drop_pad_with_global_shards_of_one_rank(tiny: RecordFile) -> None:
    batches = labels(open_loader(tiny.rec, drop_pad=True, shard="global"))
    assert sorted(number for batch in batches for number in batch) == list(range(22))


def test_drop_pad_with_a_shard_without_records(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(colored(0), n) for n in range(2)])
    found = [labels(open_loader(file.rec, drop_pad=True, num_parts=3, part_index=part)) for part in range(3)]
    assert sorted(found) == [[], [[0]], [[1]]]


def test_drop_pad_returns_no_empty_batch_where_records_are_skipped(tmp_path: Path) -> None:
    records = [image_record(colored(0) if n < 4 else b"no image", n) for n in range(5)]
    file = write_records(tmp_path, records)
    loader = open_loader(file.rec, shuffle=False, drop_pad=True, on_error="skip")
    assert [labels(loader) for _ in range(2)] == [[[0, 1, 2, 3]]] * 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shard": "global", "num_parts": 2}, "drop_pad excludes shard='global' and a sampler"),
        ({"shard_policy": "pad", "num_parts": 2}, "drop_pad needs shard_policy='uneven', got 'pad'"),
        ({"shard_policy": "drop", "num_parts": 2}, "drop_pad needs shard_policy='uneven', got 'drop'"),
    ],
)
def test_drop_pad_refuses_shards_with_repeats(tiny: RecordFile, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_loader(tiny.rec, drop_pad=True, **settings)


def test_a_state_passes_through_torch_save(tiny: RecordFile) -> None:
    loader = open_loader(tiny.rec)
    next(iter(loader))
    file = io.BytesIO()
    torch.save(loader.state_dict(), file)
    file.seek(0)
    resumed = open_loader(tiny.rec)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    expected = epochs(tiny.rec, 2)
    assert [labels(resumed) for _ in range(2)] == [expected[0][1:], expected[1]]


def test_a_data_loader_returns_the_same_batches(tiny: RecordFile) -> None:
    loader = open_loader(tiny.rec)
    assert isinstance(loader, IterableDataset)
    wrapped = DataLoader(loader, batch_size=None)
    assert len(wrapped) == len(loader)
    assert [labels(wrapped) for _ in range(2)] == epochs(tiny.rec, 2)


def error_of(loader: DataLoader[Any]) -> str:
    """Return the message of the error that the first batch raises, without its frames, which keep a worker alive."""
    try:
        next(iter(loader))
    except (RuntimeError, TypeError) as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore:Got pickle error:UserWarning")
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_worker_processes_are_an_error(tiny: RecordFile, context: str) -> None:
    wrapped = DataLoader(open_loader(tiny.rec), batch_size=None, num_workers=1, multiprocessing_context=context)
    message = error_of(wrapped)
    gc.collect()
    assert "ImageRecordLoader" in message
    assert "pass num_workers=0 to DataLoader" in message


def test_a_loader_is_not_pickled(tiny: RecordFile) -> None:
    with pytest.raises(TypeError, match=r"ImageRecordLoader cannot be pickled.*create the loader in the process"):
        pickle.dumps(open_loader(tiny.rec))


def test_a_loader_created_before_the_ranks_is_an_error(tiny: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    early, explicit = open_loader(tiny.rec), open_loader(tiny.rec, num_parts=1)
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    message = "created for rank 0 of 1, and this is rank 1 of 2: create it after torch.distributed is initialized"
    with pytest.raises(RuntimeError, match=message):
        iter(early)
    assert len(labels(explicit)) == 6
    assert len(labels(open_loader(tiny.rec))) == 3


@pytest.mark.parametrize(
    ("loader", "iterator"),
    [
        (ImageRecordLoader, ImageRecordIter),
        (ImageDetRecordLoader, ImageDetRecordIter),
        (ImageMaskRecordLoader, ImageMaskRecordIter),
    ],
)
def test_signatures_have_all_keywords(loader: type, iterator: type) -> None:
    mine, theirs = (inspect.signature(kind).parameters for kind in (loader, iterator))
    assert theirs.keys() - mine.keys() <= {"unknown"}
    assert mine["num_parts"].default == "auto"
    with pytest.raises(TypeError, match=r"batch_sise.*did you mean 'batch_size'"):
        loader(batch_sise=1, data_shape=(3, 8, 8), batch_size=1)


def test_close_stops_the_threads(tiny: RecordFile) -> None:
    loader = open_loader(tiny.rec)
    next(iter(loader))
    loader.close()
    with pytest.raises(ValueError, match="closed"):
        next(iter(loader))


class Counts(DataIter):
    """A user's iterator, with nothing but what is needed."""

    def __init__(self) -> None:
        super().__init__(2)
        self.done = 0

    def reset(self) -> None:
        self.done = 0

    def next(self) -> DataBatch:
        if self.done == 3:
            raise StopIteration
        self.done += 1
        return DataBatch([np.full((2, 1), self.done)], pad=self.done == 3)


def test_a_users_iterator() -> None:
    loader = DataIterLoader(Counts(), drop_pad=True)
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        assert [data.ravel().tolist() for (data,) in loader] == [[1, 1], [2, 2], [3]]
    with pytest.raises(NotImplementedError, match="Counts has no state: define state_dict"):
        loader.state_dict()


def test_an_image_iter(tiny: RecordFile) -> None:
    batches = ImageIter(BATCH, (3, 8, 8), path_imgrec=str(tiny.rec), path_imgidx=str(tiny.idx))
    loader = DataIterLoader(batches, drop_pad=True, label_dtype=torch.int64)
    assert [number for batch in labels(loader) for number in batch] == list(range(22))
    with pytest.raises(ValueError, match="channels_last needs an iterator with layout='NHWC', got 'NCHW'"):
        DataIterLoader(batches, channels_last=True)


def test_csv_and_arrays(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(f"{n},{n / 4}\n" for n in range(6)))
    loader = DataIterLoader(CSVIter(data_csv=tmp_path / "a.csv", data_shape=(2,), batch_size=2))
    rows = [data.tolist() for data, *_ in loader]
    assert rows == [[[n, n / 4], [n + 1, (n + 1) / 4]] for n in (0, 2, 4)]
    arrays = NDArrayIter({"a": np.arange(4), "b": np.arange(4) * 2.0}, np.arange(4), batch_size=2)
    assert [[tensor.tolist() for tensor in batch] for batch in DataIterLoader(arrays)] == [
        [[0, 1], [0, 2], [0, 1]],
        [[2, 3], [4, 6], [2, 3]],
    ]
