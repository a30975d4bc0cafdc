"""Imports between the rooms of the Rust core, and between the packages of Python, point downwards only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .architecture import python_graph, rust_graph
from .sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from .architecture import Graph

CORE = ROOT / "rust" / "recio-core" / "src"
PACKAGE = ROOT / "python" / "recio"
LAYERS = (
    {"printable"},
    {"error"},
    {"memory"},
    {"limits", "rng", "progress", "image"},
    {"boxes"},
    {"format"},
    {"storage"},
    {"read", "text"},
    {"write"},
    {"dataset"},
    {"decode", "encode"},
    {"ops"},
    {"plan"},
    {"render"},
    {"loader", "pack", "tools"},
)
"""The rooms of the core, lowest first; a room imports from lower layers only."""
FILE_ROOMS = {"format", "storage", "read", "write", "dataset"}
PIXEL_ROOMS = {"decode", "encode", "ops", "plan", "render"}


def upward(graph: Graph, layers: tuple[set[str], ...]) -> list[str]:
    """Return the arrows that do not point to a lower layer."""
    height = {room: number for number, layer in enumerate(layers) for room in layer}
    return [f"{room} -> {used}" for room in graph for used in sorted(graph[room]) if height[used] >= height[room]]


def write_crate(folder: Path, files: dict[str, str]) -> Path:
    """Write the source files of a crate."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_every_room_of_the_core_has_a_layer() -> None:
    assert set(rust_graph(CORE)) == set.union(*LAYERS)


def test_rooms_of_the_core_import_from_lower_layers_only() -> None:
    assert upward(rust_graph(CORE), LAYERS) == []


def test_pixels_know_no_files() -> None:
    graph = rust_graph(CORE)
    assert {room: graph[room] & FILE_ROOMS for room in PIXEL_ROOMS if graph[room] & FILE_ROOMS} == {}


@pytest.mark.parametrize(
    "code",
    [
        "use crate::read::file::Reader;",
        "use crate::{error::Error, read::{self, file}};",
        "pub(crate) use crate::read as reading;",
        "fn f() -> crate::read::Reader { todo!() }",
        "use super::super::read::Reader;",
        '#[cfg(test)]\nmod tests {\n    fn f() { "}"; }\n}\nuse crate::read;',
    ],
)
def test_an_upward_import_is_found(tmp_path: Path, code: str) -> None:
    crate = write_crate(tmp_path, {"error.rs": "", "read/mod.rs": "use crate::format;", "format/frame.rs": code})
    assert upward(rust_graph(crate), LAYERS) == ["format -> read"]


@pytest.mark.parametrize(
    "code",
    [
        "use super::index::Index;",
        "// use crate::read;",
        "/// [`Reader`](crate::read::Reader)",
        "/* crate::read */",
        'const TEXT: &str = "crate::read";',
        "#[cfg(test)]\nmod tests {\n    use crate::read;\n}",
        "#[cfg(test)]\n#[allow(unused)]\nuse crate::read;",
        "use crate::{Error, Result};",
    ],
)
def test_other_paths_are_none(tmp_path: Path, code: str) -> None:
    crate = write_crate(tmp_path, {"error.rs": "", "read/mod.rs": "", "format/frame.rs": code})
    assert upward(rust_graph(crate), LAYERS) == []


def test_files_of_tests_may_import_from_above(tmp_path: Path) -> None:
    files = {"format/mod.rs": "#[cfg(test)]\nmod tests;", "format/tests.rs": "use crate::read;", "read.rs": ""}
    assert upward(rust_graph(write_crate(tmp_path, files)), LAYERS) == []


def test_io_and_image_share_code_through_the_loader_only() -> None:
    graph = python_graph(PACKAGE)
    assert "image" not in graph["io"]
    assert "io" not in graph["image"]
    assert not graph["_loader"] & {"io", "image", "recordio", "datasets"}


@pytest.mark.parametrize(
    "code",
    [
        "import recio.image",
        "from recio import image",
        "from recio.image import imdecode",
        "from ..image import imdecode",
        "from .. import image",
        "def f():\n    from recio.image._codec import imdecode",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from recio.image import Augmenter",
    ],
)
def test_an_import_in_python_is_found(tmp_path: Path, code: str) -> None:
    package = write_crate(tmp_path / "recio", {"__init__.py": "", "io/__init__.py": code, "image/__init__.py": ""})
    assert python_graph(package) == {"io": {"image"}, "image": set()}
