"""What `import recio` costs and does: little, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import recio
import recio.image.detection
from tests.support.measure import slowness
from tests.support.processes import run_python

if TYPE_CHECKING:
    from types import ModuleType

IMPORT = "import recio.image, recio.io, recio.recordio"


@pytest.mark.alone
def test_import_takes_at_most_150_ms() -> None:
    """Best of five, beyond what NumPy's own import takes."""
    script = f"import time, numpy; start = time.perf_counter(); {IMPORT}; print(time.perf_counter() - start)"
    seconds = min(float(run_python(script).stdout) for _ in range(5))
    print(f"importing all of recio takes {1000 * seconds:.1f} ms beyond NumPy")  # noqa: T201
    assert seconds <= 0.15 * slowness()


def test_import_starts_no_thread() -> None:
    count = 'print(len(os.listdir("/proc/self/task")))'
    done = run_python(f"import os, numpy; {count}; {IMPORT}; {count}")
    before, after = done.stdout.split()
    assert before == after, done.stderr


def test_import_loads_no_other_library() -> None:
    script = f'{IMPORT}; import sys; print(*{{"cv2", "PIL", "torch", "mxnet", "tqdm"}} & sys.modules.keys())'
    done = run_python(script)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_import_prints_nothing_and_raises_no_warnings() -> None:
    done = run_python(f"import warnings; warnings.simplefilter('error'); {IMPORT}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("package", "others"),
    [("_loader", ["io", "image", "recordio"]), ("io", ["image", "recordio"]), ("image", ["io"])],
)
def test_packages_depend_on_each_other_in_one_direction(package: str, others: list[str]) -> None:
    for module in (Path(recio.__file__).parent / package).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not [name for name in others if f"{node.module}.".startswith(f"recio.{name}.")], module


@pytest.mark.parametrize("package", [recio.image, recio.image.detection, recio.io])
def test_lazily_imported_names_are_those_that_type_checkers_see(package: ModuleType) -> None:
    assert package.__file__
    (checked,) = (node for node in ast.parse(Path(package.__file__).read_text()).body if isinstance(node, ast.If))
    imports = (node for node in checked.body if isinstance(node, ast.ImportFrom))
    seen = [alias.asname for node in imports for alias in node.names]
    assert sorted(package.__all__) == sorted(filter(None, seen))
    assert all(getattr(package, name) is not None for name in package.__all__)
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("name", ["nd", "ndarray", "cpu", "gpu", "gluon", "context", "sym", "MXNetError"])
def test_name_of_mxnet_is_an_error_with_the_way_out(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"has no attribute '{name}', which is MXNet's.*compat\.mxnet\.install"):
        getattr(recio, name)


def test_import_recio_as_mx_provides_all_modules() -> None:
    names = "mx.recordio.MXRecordIO, mx.io.ImageRecordIter, mx.image.imdecode, mx.errors.RecordError, mx.__version__"
    assert run_python(f"import recio as mx; {names}").stderr == ""
