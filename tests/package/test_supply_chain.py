"""Row R23: what recio is built of. Its dependencies' licences, and where it says `unsafe`.

`deny.toml` is the one list of licences; ``cargo deny check`` reads it where it is installed, and this test where it is
not. CONTRIBUTING.md is the one list of the files that may say `unsafe`.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RUST = sorted(path for path in (ROOT / "rust").rglob("*.rs") if "target" not in path.parts)
UNSAFE = re.compile(r"\bunsafe\b(?=\s*(\{|fn\b|impl\b|extern\b|trait\b))")
TYPE = re.compile(r"unsafe extern \"C(-unwind)?\" fn\(")
REASON_WITHIN = 6
"""Lines above an `unsafe` in which its reason begins."""


@cache
def packages() -> list[dict[str, Any]]:
    """Return all packages in the lock file, for every platform."""
    if shutil.which("cargo") is None:
        pytest.skip("no cargo here")
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1", "--all-features"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and "--offline" in done.stderr:
        pytest.skip("the dependencies' sources are not here")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    return found


def allowed() -> set[str]:
    return set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])


def is_allowed(expression: str, licences: set[str]) -> bool:
    """Return whether these licenses satisfy an SPDX expression: one of each OR, all of each AND."""
    # Old manifests write a slash for OR. WITH belongs to the name before it.
    tokens = re.findall(r"[()]|OR|AND|[\w.+-]+(?: WITH [\w.+-]+)?", expression.replace("/", " OR "))
    words = {"OR": "or", "AND": "and", "(": "(", ")": ")"}
    terms = [words.get(token) or str(token in licences) for token in tokens]
    return truth(terms)


def truth(terms: list[str]) -> bool:
    """Evaluate an expression of truth values, ``and``, ``or`` and parentheses."""
    while "(" in terms:
        end = terms.index(")")
        start = max(at for at in range(end) if terms[at] == "(")
        terms = [*terms[:start], str(truth(terms[start + 1 : end])), *terms[end + 1 :]]
    choices = " ".join(terms).split(" or ")
    return any(all(term == "True" for term in choice.split(" and ")) for choice in choices)


def test_every_dependency_has_an_allowed_license() -> None:
    refused = [
        f"{package['name']} {package['version']}: {package['license']}"
        for package in packages()
        if not is_allowed(package["license"] or "", allowed())
    ]
    print(f"R23: {len(packages())} packages, {len(refused)} with a licence that is not allowed")  # noqa: T201 the figure
    assert refused == []


def test_every_allowed_license_is_needed() -> None:
    for licence in allowed():
        others = allowed() - {licence}
        assert not all(is_allowed(package["license"], others) for package in packages()), licence


def test_every_dependency_comes_from_the_registry() -> None:
    registry = "registry+https://github.com/rust-lang/crates.io-index"
    assert {package["source"] for package in packages()} == {None, registry}


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only/MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND (GPL-3.0-only OR MIT)", True),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("", False),
    ],
)
def test_spdx_expressions(expression: str, met: bool) -> None:
    assert is_allowed(expression, {"MIT", "Apache-2.0"}) == met


def code(path: Path) -> list[str]:
    """Return the lines of a file without comments."""
    return [line.split("//")[0] for line in path.read_text().splitlines()]


def says_unsafe(path: Path) -> list[int]:
    """Return the numbers, from 0, of the lines with `unsafe` code; types of functions do not count."""
    return [n for n, line in enumerate(code(path)) if UNSAFE.search(TYPE.sub("", line))]


def named_by_contributing() -> set[Path]:
    """Return the files that may contain `unsafe` by CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (paragraph,) = re.findall(r"- \*\*`unsafe` .*?(?=\n- \*\*|\n\n)", text, re.DOTALL)
    return {ROOT / "rust" / path for name in re.findall(r"`(\S+\.rs)`", paragraph) for path in expand(name)}


def expand(name: str) -> list[str]:
    """Expand braces, as a shell does: ``{a,b}/c`` is ``a/c`` and ``b/c``."""
    parts = [part.split(",") for part in re.split(r"[{}]", name)]
    return ["".join(choice) for choice in itertools.product(*parts)]


def test_unsafe_is_only_in_the_listed_files() -> None:
    found = {path for path in RUST if says_unsafe(path)}
    blocks = sum(len(says_unsafe(path)) for path in found)
    print(f"R23: {blocks} places in {len(found)} files say unsafe")  # noqa: T201 the figure is the point
    shown = [{str(path.relative_to(ROOT)) for path in paths} for paths in (found, named_by_contributing())]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "path", [path for path in RUST if says_unsafe(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_each_unsafe_has_a_safety_comment(path: Path) -> None:
    lines = path.read_text().splitlines()
    for number in says_unsafe(path):
        if "unsafe fn" in lines[number]:
            # A method of an unsafe trait: the trait's author wrote what it must keep, and its body
            # has its reasons.
            continue
        above = lines[max(number - REASON_WITHIN, 0) : number]
        assert any("// SAFETY: " in line for line in above), f"{path}: line {number + 1}"


@pytest.mark.parametrize("crate", ["recio-jpeg", "recio-core", "recio-py"])
def test_the_compiler_denies_unsafe_elsewhere(crate: str) -> None:
    assert re.search(
        r"^#!\[(deny|forbid)\(unsafe_code\)\]", (ROOT / "rust" / crate / "src" / "lib.rs").read_text(), re.MULTILINE
    )


def test_search_finds_known_unsafe(tmp_path: Path) -> None:
    source = tmp_path / "a.rs"
    source.write_text(
        "// unsafe { comment }\nunsafe { f() }\nunsafe impl A for B {}\n#![deny(unsafe_code)]\nunsafe fn g();\n"
    )
    assert says_unsafe(source) == [1, 2, 4]
    assert expand("a/{b,c/d}.rs") == ["a/b.rs", "a/c/d.rs"]
