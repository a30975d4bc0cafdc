"""The tables of keywords agree with the signatures, the docstrings and the list of features."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from recio._loader.options import IMAGES, LOADING
from recio._loader.validate import REQUIRED, Keyword
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageDetRecordIter, ImageMaskRecordIter, ImageRecordIter
from recio.io._keywords import AUGMENTATION, IMAGE_DET_RECORD, IMAGE_MASK_RECORD, IMAGE_RECORD

FEATURES = (Path(__file__).parents[2] / "docs/features.md").read_text(encoding="utf-8")
TABLES: list[tuple[type, dict[str, Keyword]]] = [
    (ImageRecordIter, IMAGE_RECORD),
    (ImageMaskRecordIter, IMAGE_MASK_RECORD),
    (ImageDetRecordIter, IMAGE_DET_RECORD),
]
IDS = [iterator.__name__ for iterator, _ in TABLES]


def defaults(iterator: type) -> dict[str, Any]:
    parameters = inspect.signature(iterator).parameters.values()
    return {item.name: item.default for item in parameters if item.kind is not item.VAR_KEYWORD}


def documented(iterator: type) -> dict[str, str]:
    """Read the first line of each parameter of a docstring, by the parameter's name."""
    section = re.split(r"\n(?:Other )?Parameters\n-+\n", inspect.getdoc(iterator) or "")[1:]
    entries = re.findall(r"^(\w[^\n]*)$", re.sub(r"\\\n", "", "\n".join(section)), re.MULTILINE)
    return {name.strip(): entry for entry in entries for name in entry.partition(" : ")[0].split(",")}


@pytest.mark.parametrize(("iterator", "table"), TABLES, ids=IDS)
def test_signature_has_the_keywords_and_defaults_of_the_table(iterator: type, table: dict[str, Keyword]) -> None:
    assert defaults(iterator) == {name: keyword.default for name, keyword in table.items()}


@pytest.mark.parametrize(("iterator", "table"), TABLES, ids=IDS)
def test_docstring_documents_each_keyword(iterator: type, table: dict[str, Keyword]) -> None:
    assert table.keys() <= documented(iterator).keys()


@pytest.mark.parametrize(("iterator", "table"), [TABLES[0], TABLES[2]], ids=["ImageRecordIter", "ImageDetRecordIter"])
def test_docstring_has_the_default_of_each_keyword(iterator: type, table: dict[str, Keyword]) -> None:
    for name, entry in documented(iterator).items():
        default = table[name].default if name in table else None
        if default is not None and (stated := re.search(r"default (.*)$", entry)):
            numbers = {float(word) for word in re.findall(r"-?\d[\d.e]*", stated[1])}
            assert repr(default) in stated[1] or default in numbers, name


@pytest.mark.parametrize("iterator", [ImageIter, ImageDetIter])
def test_image_iterators_have_the_common_keywords_and_defaults(iterator: type) -> None:
    shared = defaults(iterator)
    wanted = {name: keyword.default for name, keyword in LOADING.items()} | {"seed": None}
    assert {name: shared[name] for name in wanted} == wanted
    assert {name for name, keyword in IMAGES.items() if keyword.default is REQUIRED} <= shared.keys()


@pytest.mark.parametrize("name", AUGMENTATION)
def test_list_of_features_names_each_augmentation_keyword(name: str) -> None:
    assert f"`{name}`" in FEATURES


@pytest.mark.parametrize(("iterator", "table"), TABLES, ids=IDS)
def test_defaults_pass_their_checks_unchanged(iterator: type, table: dict[str, Keyword]) -> None:
    for name, keyword in table.items():
        if keyword.default is not REQUIRED:
            assert keyword.check(name, keyword.default) == keyword.default, iterator
