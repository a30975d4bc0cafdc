"""Source files of the project, and the comments, docstrings and messages in them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLDERS = ("benches", "examples", "python", "rust", "tests")
RUST_STRING = re.compile(r'b?"((?:[^"\\]|\\.)*)"', re.DOTALL)
RUST_DOC = re.compile(r"^\s*//[/!] ?(.*)$")


def sources(*suffixes: str) -> list[Path]:
    """Return all source files with these suffixes."""
    return sorted(
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and not {"target", "corpus", "__pycache__"} & set(path.parts)
    )


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Return the string literals of a file that are not docstrings, each with its line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".rs":
        code = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
        yield from ((line_of(code, found.start()), found[1]) for found in RUST_STRING.finditer(code))
        return
    tree = ast.parse(text)
    described = {id(string) for _, string in docstring_nodes(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node.lineno, node.value


def docs(path: Path) -> Iterator[tuple[int, str]]:
    """Return the first line of each docstring, or of each paragraph of Rust's doc comments, with its number."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".rs":
        yield from rust_paragraphs(text)
        return
    for line, node in docstring_nodes(ast.parse(text)):
        yield line, str(node.value).strip().partition("\n")[0]


def rust_paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Return the first line of each paragraph of doc comments, with its number."""
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = RUST_DOC.match(line)
        content = found[1] if found else ""
        if content and not before:
            yield number, content
        before = content


def docstring_nodes(tree: ast.AST) -> Iterator[tuple[int, ast.Constant]]:
    """Return all strings that are statements: docstrings, and descriptions below names."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as string):
                yield node.lineno, string


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Return the lines that are nothing but a comment, each with its number."""
    mark = "//" if path.suffix == ".rs" else "#"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith(mark):
            yield number, line


def line_of(text: str, at: int) -> int:
    """Return the number of the line of a position."""
    return text.count("\n", 0, at) + 1
