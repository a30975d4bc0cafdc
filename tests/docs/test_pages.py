"""The examples of the README and of the other pages run on the photos of tests/data.

The Python blocks of a page and its commands `im2rec` and `recio` run in order, in a folder with the photos
and the record file that the README packs. A block marked ``no-run`` is skipped, and one marked ``needs=MODULE`` where
the module is not installed. A comment after a command may name the exit code that is expected, for example
``# exit code 1``. URLs ``s3://bucket/...`` lead to a server of the tests. A block marked ``file=NAME`` is written to
that file, for ``torchrun``. Pages of frameworks are scripts of their own: these start processes, and issue warnings.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from recio.image import imread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.servers.moto import Moto

ROOT = Path(__file__).parents[2]
PHOTOS = Path(__file__).parents[1] / "data" / "photos"
README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benches" / "RESULTS.md",
    ROOT / "rust" / "recio-jpeg" / "README.md",
]
FRAMEWORKS = {
    "pytorch.md": ("torch", "torchvision", "torchdata", "lightning", "accelerate"),
    "ray.md": ("ray",),
    "spark-and-dask.md": ("pyspark", "dask"),
}
"""Pages that need libraries."""
PACKAGE = ROOT / "python"
EXAMPLE = re.compile(r">>> (?!.*doctest: \+SKIP)")
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if EXAMPLE.search(path.read_text(encoding="utf-8"))]
"""The modules with examples in their docstrings that run."""


def name_of(page: Path) -> str:
    """Return the path of a page in the repository."""
    return str(page.relative_to(ROOT))


class Block(NamedTuple):
    """A code block of a page."""

    language: str
    code: str
    file: str | None
    """File that it is written to, instead of running it."""


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that run, in order."""
    text = page.read_text(encoding="utf-8")
    # A block within a list is indented.
    matches = re.findall(r"^([ ]*)```(\S+)([^\n]*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [
        Block(language, re.sub(f"^{indent}", "", code, flags=re.MULTILINE), _file_of(info))
        for indent, language, info, code in matches
        if "no-run" not in info and is_installed(re.findall(r"needs=(\w+)", info))
    ]


def _file_of(info: str) -> str | None:
    found = re.search(r"file=(\S+)", info)
    return found[1] if found else None


def is_installed(modules: Iterable[str]) -> bool:
    """Return whether all modules are installed."""
    return all(importlib.util.find_spec(module) for module in modules)


def commands(code: str) -> list[str]:
    """Return the lines of a shell block that call recio's commands."""
    return [line for line in code.splitlines() if line.startswith(("im2rec ", "recio ", "torchrun "))]


def run_command(line: str) -> None:
    """Run a command line and check its exit code, 0 unless a comment names another one."""
    program, *arguments = shlex.split(line, comments=True)
    module = {"im2rec": "recio.im2rec", "recio": "recio.cli", "torchrun": "torch.distributed.run"}[program]
    code = re.search(r"# .*exit code (\d+)", line)
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == (int(code[1]) if code else 0), done.stdout + done.stderr


def run_as_script(page: Path) -> None:
    """Run the blocks of a page in a process of their own, as a script."""
    lines = [f"import sys\nsys.path.append({str(ROOT)!r})\nfrom tests.docs.test_pages import run_command\n"]
    for block in blocks(page):
        if block.file:
            Path(block.file).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            lines.append(block.code)
        else:
            lines += [f"run_command({line!r})" for line in commands(block.code)]
    script = Path("page.py")
    script.write_text("\n".join(lines), encoding="utf-8")
    # Spark starts Python by name.
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)  # noqa: T201 for `pytest -s`


def run_page(page: Path) -> dict[str, Any]:
    """Run the blocks of a page and return the names that its Python code has defined."""
    scope: dict[str, Any] = {}
    for block in blocks(page):
        if block.language == "python":
            exec(compile(block.code, page.name, "exec", dont_inherit=True), scope)  # noqa: S102 pages of this repository
        elif block.language == "sh":
            for line in commands(block.code):
                run_command(line)
    return scope


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the photos, packed as in the README."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "photos").symlink_to(PHOTOS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks(README):
            for line in commands(block.code):
                run_command(line)
    assert (folder / "pets.idx").exists()
    return folder


@pytest.fixture
def _store(moto: Moto, s3: object) -> None:
    """Create the bucket that the pages name."""
    del s3  # sets the environment
    moto.create_bucket("bucket")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=name_of)
def test_every_example_runs(
    page: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if not is_installed(FRAMEWORKS.get(page.name, ())):
        pytest.skip(f"{page.name} needs {', '.join(FRAMEWORKS[page.name])}")
    if any("s3://bucket/" in block.code for block in blocks(page)):
        request.getfixturevalue("_store")
    shutil.copytree(packed, tmp_path / "work", symlinks=True)
    monkeypatch.chdir(tmp_path / "work")
    if page.name in FRAMEWORKS:
        run_as_script(page)
        return
    scope = run_page(page)
    if page == README:
        assert scope["x"].shape == (8, 3, 224, 224)
        assert scope["n"] == 30 - 3 * 8


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_anchor_is_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
    assert [
        (file, anchor) for file, anchor in links if anchor not in anchors(page.parent / file if file else page)
    ] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_test_file_that_a_page_names_exists() -> None:
    names = [(page, name) for page in PAGES for name in re.findall(r"\btests/[\w/]+\.py", page.read_text("utf-8"))]
    roots = (ROOT, ROOT / "rust" / "recio-jpeg")
    assert [(page.name, name) for page, name in names if not any((root / name).exists() for root in roots)] == []


def test_features_page_names_all_public_names_of_mxnet() -> None:
    features = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    names = json.loads((PHOTOS.parent / "mxnet_signatures.json").read_text())
    public = {name.partition(".")[2] for name in names if "#" not in name}
    assert [name for name in sorted(public) if f"`{name}`" not in features] == []


@pytest.mark.parametrize("example", ["detection", "segmentation"])
def test_example_writes_its_image(example: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{example}.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    image = imread(tmp_path / f"{example}.png")
    assert image.shape == (2 * 240, 8 * 240, 3)
    assert image.std() > 20


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_in_docstrings_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    assert doctest.testmod(importlib.import_module(name)).failed == 0
