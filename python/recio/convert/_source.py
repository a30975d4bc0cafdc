"""Sources of rows: one class for each format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recio.convert._labels import LabelReader
from recio.convert._row import Numbering
from recio.convert._survey import Survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from recio._recio import RemotePath
    from recio.convert._row import Row


@dataclass(frozen=True)
class ReadOptions:
    """How files of other programs are read.

    Attributes
    ----------
    image, label : str or None
        Names of the column, feature or extension of the image and of the label.
    classes : list of str or None
        Names of the labels 0, 1, 2 …, instead of those that the source has.
    root : Path or None
        Folder of images that are only named.
    renumber : bool
        Whether keys are 0, 1, 2 … whatever the names.
    """

    image: str | None = None
    label: str | None = None
    classes: list[str] | None = None
    root: Path | None = None
    renumber: bool = False

    def numbering(self) -> Numbering:
        """Return how rows get keys."""
        return Numbering(renumber=self.renumber)


class Source:
    """Source of rows.

    Attributes
    ----------
    files : sequence of Path or RemotePath
        The files that are read.
    total : int or None
        Number of rows, if it is known without reading them.
    without_image : int
        Number of records that have no image. It is known after all rows are read.
    renumbered : bool
        Whether the rows have other keys than in the source.
    """

    files: Sequence[Path | RemotePath]
    total: int | None = None
    without_image = 0
    renumbered = False

    def rows(self) -> Iterator[Row]:
        """Read all rows."""
        raise NotImplementedError

    def classes(self) -> list[str] | None:
        """Return the names of the classes, if they are known; after all rows are read."""
        raise NotImplementedError

    def survey(self) -> Survey:
        """Summarize all rows; this may read all of them."""
        return Survey.of(self.rows())


class FileSource(Source):
    """Files of another program as a source of rows.

    Parameters
    ----------
    files : sequence of Path
        The files.
    options : ReadOptions
        How they are read.
    names : list of str or None
        Names of the classes, from beside the files.
    """

    def __init__(self, files: Sequence[Path], options: ReadOptions, names: list[str] | None) -> None:
        self.files = self._paths = files
        self._options, self._names = options, names

    def classes(self) -> list[str] | None:
        """Return the names of the caller, or those beside the files."""
        return self._names if self._options.classes is None else self._options.classes


@dataclass
class TextNames:
    """Names of classes as rows state them: each with a label and its name."""

    names: dict[int, str] = field(default_factory=dict)
    is_unique: bool = True

    def add(self, label: float, name: str) -> None:
        """Add the label and the name of a row."""
        if self.names.setdefault(int(label), name) != name:
            self.is_unique = False

    def all(self) -> list[str] | None:
        """Return the names, if each of the labels 0, 1, 2 … has one."""
        ordered = [self.names[label] for label in range(len(self.names)) if label in self.names]
        is_complete = self.is_unique and len(ordered) == len(self.names) == len(set(ordered))
        return ordered if ordered and is_complete else None


def label_reader(options: ReadOptions, names: list[str] | None) -> LabelReader:
    """Return the reader of labels, with the names of the caller or those of the source."""
    return LabelReader(names if options.classes is None else options.classes)
