"""Parquet with the features of Hugging Face `datasets`: it needs pyarrow, ``pip install 'recio[parquet]'``."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from recio._recio import SandboxedFolder
from recio._util import explains_missing, open_regular
from recio.convert._row import Row, damage, file_name
from recio.convert._source import FileSource, label_reader

with explains_missing("Parquet files need pyarrow, which is missing: pip install 'recio[parquet]'", "pyarrow"):
    import pyarrow as pa
    import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from recio.convert._source import ReadOptions
    from recio.convert._survey import Survey

GROUP_ROWS, GROUP_BYTES = 100, 64 << 20
"""Rows, and bytes of images, in a row group, at most; `datasets` too writes images in groups of 100 rows."""
PAGE_ROWS = 16
"""Rows between two checks of a page's size: with the 1,024 of pyarrow, a page would be a group."""
READ_ROWS = 32
"""Rows that are read at once."""
METADATA = b"huggingface"


def write(file: IO[bytes], rows: Iterable[Row], survey: Survey, classes: Sequence[str] | None) -> None:
    """Write rows as a Parquet file."""
    schema = _schema(survey, classes)
    columns = ["image.bytes", "image.path", *(name for name in schema.names if name not in {"image", "label"})]
    options: dict[str, Any] = {
        # Images are compressed already.
        "compression": {
            name: "NONE" if name == "image.bytes" else "ZSTD" for name in [*columns, _label_column(schema)]
        },
        "use_dictionary": False,
        "write_statistics": ["id"],
        "write_page_index": True,
        "write_page_checksum": True,
        "write_batch_size": PAGE_ROWS,
    }
    with pq.ParquetWriter(file, schema, **options) as writer:
        for group in _groups(rows):
            writer.write_table(_table(group, schema))


def _label_column(schema: pa.Schema) -> str:
    return "label.list.element" if pa.types.is_list(schema.field("label").type) else "label"


def _schema(survey: Survey, classes: Sequence[str] | None) -> pa.Schema:
    """Return the columns, and what `datasets` reads as their features."""
    label_type, label = _label_type(survey, classes)
    features = {"image": {"_type": "Image"}, "label": label, "id": _value("uint64")}
    fields = [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", label_type),
        ("id", pa.uint64()),
    ]
    if survey.has_rest:
        features["recio"] = _value("string")
        fields.append(("recio", pa.string()))
    return pa.schema(fields, {METADATA: json.dumps({"info": {"features": features}}).encode()})


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _label_type(survey: Survey, classes: Sequence[str] | None) -> tuple[pa.DataType, dict[str, Any]]:
    if not survey.is_single:
        # Since version 4, `datasets` calls it List, and reads this name too.
        return pa.list_(pa.float32()), {"feature": _value("float32"), "_type": "Sequence"}
    if not survey.is_whole:
        return pa.float32(), _value("float32")
    if classes is None:
        return pa.int64(), _value("int64")
    return pa.int64(), {"names": list(classes), "_type": "ClassLabel"}


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Divide rows into row groups."""
    group: list[Row] = []
    size = 0
    for row in rows:
        if group and (len(group) == GROUP_ROWS or size + len(row.image) > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(row)
        size += len(row.image)
    if group:
        yield group


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    image = pa.StructArray.from_arrays(
        [pa.array([row.image for row in rows], pa.binary()), pa.array([file_name(row) for row in rows], pa.string())],
        fields=list(schema.field("image").type),
    )
    columns = {
        "image": image,
        "label": _label_array(rows, schema.field("label").type),
        "id": pa.array([row.id for row in rows], pa.uint64()),
        "recio": pa.array([row.rest for row in rows], pa.string()),
    }
    return pa.table([columns[name] for name in schema.names], schema)


def _label_array(rows: Sequence[Row], kind: pa.DataType) -> pa.Array:
    labels = np.concatenate([row.labels for row in rows])
    if pa.types.is_list(kind):
        ends = np.cumsum([0, *(len(row.labels) for row in rows)], dtype=np.int32)
        return pa.ListArray.from_arrays(ends, pa.array(labels), type=kind)
    return pa.array(labels.astype(np.int64) if pa.types.is_integer(kind) else labels, kind)


class ParquetSource(FileSource):
    """Parquet files, which have the same columns, as a source of rows."""

    def __init__(self, files: Sequence[Path], options: ReadOptions, names: list[str] | None) -> None:
        super().__init__(files, options, names)
        opened = [Table(path, options) for path in files]
        self.total = sum(table.rows for table in opened)
        self._class_names = opened[0].class_names()
        for table in opened:
            if table.class_names() != self._class_names:
                raise ValueError(f"{table.path}: its names of classes differ from those of {files[0]}")
        self._root = None if options.root is None else SandboxedFolder(options.root, allow_outside=False)

    def classes(self) -> list[str] | None:
        """Return the names of the caller, or those of the feature `ClassLabel`, or those beside the files."""
        return self._options.classes or self._class_names or self._names

    def rows(self) -> Iterator[Row]:
        """Read all rows."""
        numbering, labels = self._options.numbering(), label_reader(self._options, self.classes())
        for path in self._paths:
            for number, (image, label, id_, rest) in enumerate(Table(path, self._options).values()):
                try:
                    name, content = self._image(image)
                    key = numbering.key(name)
                    yield Row(key, key if id_ is None else id_, labels.read(label), content, rest)
                except (ValueError, OSError) as error:
                    raise damage(path, str(error), number) from None

    def _image(self, value: Any) -> tuple[str | None, bytes]:  # noqa: ANN401 a cell
        """Return the name and the bytes of an image."""
        cell = value if isinstance(value, dict) else {"bytes": value}
        content, path = cell.get("bytes"), cell.get("path")
        if not isinstance(content, bytes | None) or not isinstance(path, str | None):
            raise ValueError(f"an image must be bytes, or bytes and a path, got {value!r:.60}")  # noqa: TRY004 of the file
        if content is not None:
            return path, content
        if path is None:
            raise ValueError("it has no image")
        if self._root is None:
            raise ValueError(
                f"the image is only named, {path!r:.200}: --root DIR (root=) is the folder that it is relative to"
            )
        return path, self._root.read(path)


class Table:
    """Parquet file, and which of its columns are read.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        The names of the columns of image and label.

    Raises
    ------
    RecordError
        If it is no sound Parquet file.
    ValueError
        If it has no column of images, or of labels.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        with self._open() as file:
            self.schema, self.rows = file.schema_arrow, file.metadata.num_rows
        self.features = _features(self.schema)
        self.image = options.image or self._find_image()
        self.label = options.label or self._find_label()
        for noun, name in (("image", self.image), ("label", self.label)):
            if name not in self.schema.names:
                raise ValueError(f"{path}: it has no column {name!r}, but {self._listed()}; --{noun}-column names it")

    def _listed(self) -> str:
        return ", ".join(map(repr, self.schema.names))

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        with open_regular(self.path) as file:
            try:
                # In pieces of a buffer, so that a large row group is never in memory.
                opened = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False, page_checksum_verification=True)
            except (pa.ArrowException, OSError) as error:
                raise damage(self.path, f"this is no sound Parquet file: {error}") from None
            with opened:
                yield opened

    def _find_image(self) -> str:
        """Return the column of the images: by its feature, its name, or as the only one with bytes."""
        by_feature = [name for name, feature in self.features.items() if _type_of(feature) == "Image"]
        by_type = [field.name for field in self.schema if _has_bytes(field.type)]
        for names in (by_feature, [name for name in by_type if name == "image"], by_type):
            if len(names) == 1:
                return names[0]
        raise ValueError(f"{self.path}: which of the columns {self._listed()} has the images? --image-column names it")

    def _find_label(self) -> str:
        """Return the column of the labels: by its name, or as the only one with the feature `ClassLabel`."""
        by_feature = [name for name, feature in self.features.items() if _type_of(feature) == "ClassLabel"]
        for names in ([name for name in ("label", "labels") if name in self.schema.names][:1], by_feature):
            if len(names) == 1:
                return names[0]
        raise ValueError(f"{self.path}: which of the columns {self._listed()} has the labels? --label-column names it")

    def class_names(self) -> list[str] | None:
        """Return the names of the feature `ClassLabel` of the labels."""
        feature = self.features.get(self.label)
        while isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
            feature = feature["feature"]
        names = feature.get("names") if isinstance(feature, dict) and _type_of(feature) == "ClassLabel" else None
        is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
        return names if is_list else None

    def values(self) -> Iterator[tuple[Any, Any, int | None, str | None]]:
        """Read image, label, id and `recio` of all rows.

        Raises
        ------
        RecordError
            If the file is damaged.
        """
        names = [self.image, self.label, *(name for name in _OWN if self._has(name))]
        row = 0
        with self._open() as file:
            try:
                for batch in file.iter_batches(READ_ROWS, columns=names):
                    columns = {name: batch.column(name).to_pylist() for name in names}
                    none = [None] * len(batch)
                    yield from zip(
                        columns[self.image],
                        columns[self.label],
                        map(_id, columns.get("id", none)),
                        columns.get("recio", none),
                        strict=True,
                    )
                    row += len(batch)
            except (pa.ArrowException, OSError) as error:
                raise damage(self.path, f"the Parquet file is damaged at row {row} or after it: {error}") from None

    def _has(self, name: str) -> bool:
        """Return whether there is a column of a name, of the type that recio writes."""
        return name in self.schema.names and bool(_OWN[name](self.schema.field(name).type))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


_OWN = {"id": pa.types.is_integer, "recio": _is_text}
"""Columns beside image and label, and what their types must be."""


def _features(schema: pa.Schema) -> dict[str, Any]:
    """Return the features that `datasets` has written; none if there are none."""
    try:
        features = json.loads((schema.metadata or {})[METADATA])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _type_of(feature: object) -> object:
    return feature.get("_type") if isinstance(feature, dict) else None


def _has_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return {"bytes", "path"} <= {field.name for field in kind}
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _id(value: int | None) -> int | None:
    return None if value is None or value < 0 else value
