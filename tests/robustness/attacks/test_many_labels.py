"""Row R43: a record of megabytes of labels, where the number of labels of a batch is that of the widest record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from recio.io import ImageDetRecordIter, ImageRecordIter
from tests.support.records import FIRST_ID, image_record, noise, png, write_records

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 65_536


def write(folder: Path, labels: int) -> dict[str, Any]:
    """Write three records, the second with so many labels; return the settings of an iterator."""
    image = png(noise(8, 8))
    wide = [2.0, 6.0, *[0.0, 0.1, 0.1, 0.9, 0.9, 0.0] * (labels // 6 + 1)][:labels]
    records = [image_record(image, number, wide if number == 1 else [2.0, 6.0, *[0.5] * 6]) for number in range(3)]
    file = write_records(folder, records)
    return {"path_imgrec": file.rec, "data_shape": (3, 8, 8), "batch_size": 1}


@pytest.mark.parametrize("kind", [ImageRecordIter, ImageDetRecordIter])
def test_too_many_labels_are_refused_with_the_record(kind: type, tmp_path: Path) -> None:
    settings = write(tmp_path, LIMIT + 6)
    message = rf"some\.rec: record 1 .*{LIMIT + 6} labels; without a label_width, a sample has at most {LIMIT}"
    with pytest.raises(ValueError, match=message):
        kind(label_width=-1, **settings)


def test_as_many_as_the_limit_or_as_label_width_are_accepted(tmp_path: Path) -> None:
    settings = write(tmp_path, LIMIT)
    assert ImageRecordIter(label_width=-1, **settings).next().label[0].shape == (1, LIMIT)
    settings = write(tmp_path, LIMIT + 6)
    batches = ImageRecordIter(label_width=-1, on_error="skip", **settings)
    assert [int(batch.index[0]) - FIRST_ID for batch in batches] == [0, 2]
