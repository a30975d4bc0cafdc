"""Import graphs of the Rust core and of the Python package."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Graph = dict[str, set[str]]
"""The rooms that each room imports."""

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'b?"(?:[^"\\]|\\.)*"', re.DOTALL)
TEST_ITEM = re.compile(r"#\[cfg\((?:test|all\(test\b[^\]]*)\)\]\s*(?:#\[[^\]]*\]\s*)*")
TEST_FILE = re.compile(r"\bmod (\w+);")


def rust_graph(source: Path) -> Graph:
    """Return the arrows between the rooms of a crate: the modules directly under its root."""
    test_files: set[Path] = set()
    code: dict[Path, str] = {}
    for path in sorted(source.rglob("*.rs")):
        code[path], modules = without_tests(path.read_text(encoding="utf-8"))
        test_files |= {module_folder(path) / f"{name}.rs" for name in modules}
    graph: Graph = defaultdict(set)
    for path, text in code.items():
        module = module_path(source, path)
        if path not in test_files and module:
            graph[module[0]] |= imported_rooms(text, module) - {module[0]}
    return dict(graph)


def without_tests(text: str) -> tuple[str, list[str]]:
    """Return code without comments, strings and items for tests, and the names of the test modules in other files."""
    text = STRING.sub('""', COMMENT.sub("", text))
    modules: list[str] = []
    while found := TEST_ITEM.search(text):
        end = item_end(text, found.end())
        modules += TEST_FILE.findall(text[found.end() : end])
        text = text[: found.start()] + text[end:]
    return text, modules


def item_end(text: str, start: int) -> int:
    """Return the end of the item that begins at `start`: its semicolon, or the brace that closes its body."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0 and text[at] in ";}":
            return at + 1
    return len(text)


def module_path(source: Path, path: Path) -> tuple[str, ...]:
    """Return the names of the modules down to a file's; none for the crate's root."""
    parts = path.relative_to(source).with_suffix("").parts
    return parts[:-1] if parts[-1] in {"mod", "lib"} else parts


def module_folder(path: Path) -> Path:
    """Return the folder of the modules that a file declares."""
    return path.parent if path.stem in {"mod", "lib"} else path.with_suffix("")


def imported_rooms(text: str, module: tuple[str, ...]) -> set[str]:
    """Return the rooms that the paths of a file name: from `crate::`, or from enough of `super::`."""
    rooms: set[str] = set()
    for found in re.finditer(r"\b(crate::|(?:super::)+)(\w+|\{)", text):
        start, name = found.groups()
        above = len(module) if start == "crate::" else start.count("super::")
        if above < len(module):
            continue
        names = group(text, found.end()) if name == "{" else [name]
        # What the root exports is of the room `error`.
        rooms |= {"error" if name[0].isupper() else name for name in names}
    return rooms


def group(text: str, start: int) -> list[str]:
    """Return the first names of the paths in braces, from behind the opening one."""
    depth, names = 1, []
    for token in re.finditer(r"\w+|[{},]", text[start:]):
        if depth == 1 and token[0].isidentifier() and text[start + token.start() - 1] != ":":
            names.append(token[0])
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            break
    return [name for name in names if name != "as"]


def python_graph(package: Path) -> Graph:
    """Return the arrows between the modules and packages directly under a package, imports for types included."""
    graph: Graph = defaultdict(set)
    for path in sorted(package.rglob("*.py")):
        module = (package.name, *path.relative_to(package).with_suffix("").parts)
        if len(module) == 2 and module[1] == "__init__":
            continue
        graph[module[1]] |= {name for name in python_imports(path, module) if name != module[1]}
    return dict(graph)


def python_imports(path: Path, module: tuple[str, ...]) -> set[str]:
    """Return the rooms that a module imports from its own top package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                targets = [name.name.split(".") for name in names]
            case ast.ImportFrom(module=source, names=names, level=level):
                above = list(module[:-level]) if level else []
                base = above + (source.split(".") if source else [])
                targets = [[*base, name.name] for name in names]
            case _:
                continue
        found |= {target[1] for target in targets if target[0] == module[0] and len(target) > 1}
    return found
