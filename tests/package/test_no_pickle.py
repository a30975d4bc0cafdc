"""Row R22: no file's content is ever given to `pickle`, or to anything else that runs what it reads.

``test_face_dataset.py`` and ``test_pickles.py`` have the files that try; here is the code that must
not.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import recio

PACKAGE = Path(recio.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
RUNS_WHAT_IT_READS = {
    "cloudpickle",
    "code",
    "dill",
    "joblib",
    "jsonpickle",
    "marshal",
    "pickle",
    "runpy",
    "shelve",
    "yaml",
}
RUNS_ITS_ARGUMENT = {"__import__", "compile", "eval", "exec"}
APART_ONLY = {PACKAGE / "datasets" / "_safe_pickle.py": "pickletools"}
"""The one file that knows the format of pickles takes them apart, by a module that runs none."""


def imported(tree: ast.AST) -> set[str]:
    """Return the top-level names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def calls(tree: ast.AST, attribute: str) -> list[ast.Call]:
    """Return the calls of anything by this name, such as ``np.load``."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == attribute
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_does_not_execute_its_input(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    modules = imported(tree)
    assert not modules & RUNS_WHAT_IT_READS
    assert "pickletools" not in modules or APART_ONLY[path] == "pickletools"
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not names & RUNS_ITS_ARGUMENT


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_numpy_files_are_loaded_without_pickle(path: Path) -> None:
    for call in calls(ast.parse(path.read_bytes()), "load"):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("np", "numpy"):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert given.get("allow_pickle") == "False", f"{path}: line {call.lineno}"


def test_search_finds_known_uses() -> None:
    """A search that finds nothing proves nothing."""
    assert imported(ast.parse("def f():\n    from pickle import loads\n    import os.path")) == {"pickle", "os"}
    assert imported(ast.parse((PACKAGE / "datasets" / "_safe_pickle.py").read_bytes())) >= {"pickletools"}
    assert sum(len(calls(ast.parse(path.read_bytes()), "load")) for path in SOURCES) >= 2
    assert len(SOURCES) > 50


def test_reading_a_pickle_does_not_use_pickle() -> None:
    """`pickletools` imports the module; recio takes none of its names."""
    from recio.datasets import _safe_pickle, _verification_pairs  # noqa: PLC0415

    for module in (_safe_pickle, _verification_pairs):
        assert not {"pickle", "loads", "Unpickler"} & set(vars(module))
