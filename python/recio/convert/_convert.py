"""Conversions between formats of image data sets."""

from __future__ import annotations

import os
import time
import warnings
from typing import TYPE_CHECKING

from recio._class_names import SUFFIX
from recio._loader import validate
from recio._recio import RemotePath
from recio._storage import local_path, storage
from recio.convert import _names
from recio.convert._formats import FORMATS, format_of_name, open_source
from recio.convert._report import ConvertReport
from recio.convert._source import ReadOptions
from recio.convert._survey import Survey
from recio.convert._write import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from recio._storage import AnyPath, StorageOptions
    from recio._util import StrPath
    from recio.convert._report import Format
    from recio.convert._row import Row
    from recio.convert._source import Source
    from recio.convert._write import Written

    Progress = Callable[[int, int | None], object]

SECONDS_BETWEEN_REPORTS = 0.1


def convert(
    src: AnyPath | Sequence[AnyPath],
    dst: AnyPath,
    *,
    src_format: Format | None = None,
    dst_format: Format | None = None,
    shards: int | None = None,
    shard_size: int | None = None,
    classes: StrPath | Sequence[str] | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    root: StrPath | None = None,
    renumber: bool = False,
    checksum: bool = False,
    progress: Progress | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> ConvertReport:
    """Convert a data set to another format: record file, folder of images, WebDataset tar, TFRecord or Parquet.

    The bytes of images are copied. A record file that was converted to another format and back is the same, byte for
    byte, with its index. An output is complete, or not written; an existing file is replaced, and a folder must be
    empty or not exist.

    Parameters
    ----------
    src : path or sequence of path
        Record files as `path_imgrec` of `recio.io.ImageRecordIter`: one, several, a pattern, a folder, a manifest, or
        URLs. Or files of another format: one, several, a pattern (``train-*.tar``, ``train-{00000..00003}.tar``) or
        their folder. Or a folder of images. If keys of several record files are the same, all are numbered from 0, as
        by `recio.files.merge`.
    dst : path
        The file or, of images and of shards, the folder to write.
    src_format, dst_format : {'rec', 'folder', 'tar', 'tfrecord', 'parquet'}, optional
        The formats. By default those that the names state: their suffix, or the files in a folder; a name without a
        suffix is a folder of images.
    shards : int, optional
        Number of files to write into the folder `dst`, ``NAME_00000.tar`` and so on. Of record files, a manifest is
        written too.
    shard_size : int, optional
        Size in bytes of each such file, about, instead of their number.
    classes : path or sequence of str, optional
        Names of the labels 0, 1, 2 …, or a file with one name a line. By default those that the source has.
    image_column, label_column : str, optional
        Column of Parquet, feature of TFRecord, or suffix of the files in a tar, of the image and of the label.
    root : path, optional
        Folder of images that a Parquet file only names. Paths that leave it are errors.
    renumber : bool, default False
        Whether records get the keys 0, 1, 2 … Otherwise these are the numbers in the names of the images; if the first
        name is no number, all are numbered.
    checksum : bool, default False
        Whether to write a ``.rsum`` for each record file too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the number of images written, and of all, which is None if it is not known. An
        exception that it raises stops the function.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths; with a `filesystem`, a local path is ``file:///PATH``. Only
        record files may be objects of a store.

    Returns
    -------
    ConvertReport
        What was written.

    Warns
    -----
    UserWarning
        If records without an image, such as identity records of face data sets, were left out, as keys are new.

    Raises
    ------
    ValueError
        If an argument is invalid, `dst` is a file of `src`, there are no images, or a label has no name. If two images
        have the same key.
    RecordError
        If a file of the source is damaged, or a row of it has no image or no label; with path, record and offset, as
        far as they are known.
    ModuleNotFoundError
        If a format needs a package that is not installed.
    FileExistsError
        If `dst` is a folder that is not empty.
    OSError
        If a file cannot be read or written.
    """
    opened_with = storage(storage_options, filesystem)
    options = _read_options(classes, image_column, label_column, root, renumber)
    output = _output(opened_with.path(dst), dst_format, shards, shard_size, renumber, checksum)
    source, kind = open_source(src, _choice("src_format", src_format), options, opened_with)
    if kind == output.format == "rec":
        raise ValueError("src and dst are both record files: recio.files.merge, split and shuffle copy them")
    _refuse_to_overwrite(source, output, options)
    survey = source.survey() if output.needs_survey else Survey()
    _check_labels(survey, source.classes() if output.needs_survey else None, output)
    rows = CountedRows(source.rows(), survey if output.needs_survey else None, source.total, progress)
    written = output.write(rows, survey, source.classes)
    if source.without_image and source.renumbered:
        warnings.warn(
            f"{source.without_image} records without an image were left out, as keys are new: the identity records of "
            "a face data set refer to its keys",
            stacklevel=2,
        )
    return _report(output, source, written, rows.count)


def rows(
    src: AnyPath | Sequence[AnyPath],
    *,
    src_format: Format | None = None,
    classes: StrPath | Sequence[str] | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    root: StrPath | None = None,
    renumber: bool = False,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> Iterator[Row]:
    """Read the images of a data set of any format, one after another.

    Parameters
    ----------
    src, src_format, classes, image_column, label_column, root, renumber, storage_options, filesystem
        As for `convert`.

    Returns
    -------
    iterator of Row
        The rows: key, id, labels and image.

    Raises
    ------
    ValueError, RecordError, OSError
        As from `convert`; of rows, while they are read.

    Examples
    --------
    >>> for row in recio.convert.rows("pets.parquet"):  # doctest: +SKIP
    ...     print(row.key, row.labels, len(row.image))
    """
    options = _read_options(classes, image_column, label_column, root, renumber)
    source, _ = open_source(src, _choice("src_format", src_format), options, storage(storage_options, filesystem))
    return source.rows()


def _choice(name: str, value: Format | None) -> Format | None:
    if value is not None and value not in FORMATS:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, FORMATS))}, got {value!r}")
    return value


def _read_options(
    classes: StrPath | Sequence[str] | None,
    image: str | None,
    label: str | None,
    root: StrPath | None,
    renumber: bool,
) -> ReadOptions:
    names: list[str] | None = None
    if isinstance(classes, str | os.PathLike):
        names = _names.load(local_path("classes", classes))
    elif classes is not None:
        names = list(classes) or None
    folder = None if root is None else local_path("root", root)
    return ReadOptions(image, label, names, folder, validate.flag("renumber", renumber))


def _output(
    path: Path | RemotePath,
    kind: Format | None,
    shards: int | None,
    shard_size: int | None,
    renumber: bool,
    checksum: bool,
) -> Output:
    """Check the arguments of the output."""
    if shards is not None and shard_size is not None:
        raise ValueError(f"shards={shards} and shard_size={shard_size} exclude each other")
    for name, value in (("shards", shards), ("shard_size", shard_size)):
        if value is not None and validate.integer(name, value) < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    stated = format_of_name(path.name)
    if path.name.endswith((".gz", ".tgz")):
        raise ValueError(f"{path}: compressed files are not written; images are compressed already")
    kind = _choice("dst_format", kind) or stated or ("folder" if "." not in path.name else None)
    if kind is None:
        raise ValueError(f"{path}: the format is not known by this name: --to (dst_format=) states it")
    output = Output(path, kind, shards, shard_size, renumber, validate.flag("checksum", checksum))
    if output.is_sharded and (kind == "folder" or stated is not None):
        raise ValueError(
            f"{path}: shards are written into a folder, whose name has no suffix: --to (dst_format=) states the format "
            "of its files"
        )
    if isinstance(path, RemotePath) and (kind != "rec" or output.is_sharded):
        raise ValueError(f"{path}: dst must be a local path, unless it is one record file")
    if kind == "rec" and not output.is_sharded and path.suffix != ".rec":
        raise ValueError(f"{path}: the name of a record file must end in .rec")
    return output


def _refuse_to_overwrite(source: Source, output: Output, options: ReadOptions) -> None:
    """Refuse an output that is a file of the source, or whose file of names belongs to the source."""
    target = _resolved(output.path)
    if target in map(_resolved, source.files):
        raise ValueError(f"{output.path}: the output would overwrite an input or its index; choose another name")
    if options.classes is None or not output.path.suffix:
        return
    names = output.path.with_suffix(SUFFIX)
    of_source = {_resolved(path.with_suffix(SUFFIX)) for path in source.files if path.suffix}
    if _resolved(names) in of_source and names.exists() and _names.load(names) != options.classes:
        raise ValueError(f"{names} belongs to the source, and has other names of classes; choose another name")


def _resolved(path: Path | RemotePath) -> str:
    return str(path) if isinstance(path, RemotePath) else str(path.resolve())


def _check_labels(survey: Survey, classes: Sequence[str] | None, output: Output) -> None:
    """Check that each label has a name, if there are names; in `datasets`, -1 is that of no class."""
    low, high = survey.labels
    lowest = -1 if output.format == "parquet" else 0
    if classes is None or not survey.is_whole or not survey.rows:
        return
    if not lowest <= low <= high < len(classes):
        label = low if low < lowest else high
        raise ValueError(
            f"the label {label:.0f} has no name: there are {len(classes)} names of classes, of the labels 0 to "
            f"{len(classes) - 1}; --classes FILE (classes=) has others"
        )


class CountedRows:
    """Rows, which are counted and reported as they are read.

    Parameters
    ----------
    rows : iterable of Row
        The rows.
    survey : Survey or None
        Summary of the rows, if there is one.
    total : int or None
        Their number, if it is known without a summary.
    progress : callable or None
        Called with the number of rows so far and the total: now and then, and after the last row.
    """

    def __init__(
        self, rows: Iterable[Row], survey: Survey | None, total: int | None, progress: Progress | None
    ) -> None:
        self._rows, self._survey, self._progress = rows, survey, progress
        self._total = total if survey is None else survey.rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows.

        Raises
        ------
        ValueError
            If there are none, or others than in the summary.
        """
        due = time.monotonic()
        for row in self._rows:
            self.count += 1
            if self._survey is not None:
                self._survey.check(row)
            yield row
            if self._progress is not None and time.monotonic() >= due:
                self._progress(self.count, self._total)
                due = time.monotonic() + SECONDS_BETWEEN_REPORTS
        if not self.count:
            raise ValueError("there are no images in src")
        if self._survey is not None and self.count != self._survey.rows:
            raise ValueError(f"src changed while it was read: it had {self._survey.rows} images, and has {self.count}")
        if self._progress is not None:
            self._progress(self.count, self.count)


def _report(output: Output, source: Source, written: Written, count: int) -> ConvertReport:
    classes = source.classes()
    return ConvertReport(
        output.path,
        output.format,
        written.files,
        count,
        written.bytes,
        source.without_image,
        source.renumbered,
        None if classes is None else len(classes),
    )
