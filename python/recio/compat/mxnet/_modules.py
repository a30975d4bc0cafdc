"""Stand-ins for MXNet's modules: their contents, their errors for missing names, and their installation."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import im2rec, image, io, recordio
from recio.compat.mxnet import _array_functions, _context, _random, _sparse
from recio.compat.mxnet._adapt import adapted
from recio.image import detection

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "1.9.1"
"""The version of MXNet that the modules stand in for."""


class StandIn(ModuleType):
    """Module with the name of one of MXNet's."""

    def __init__(self, name: str, contents: dict[str, Any]) -> None:
        super().__init__(name, f"The names of {name} of MXNet {VERSION} that recio has.")
        # Some libraries test for a spec to find out whether MXNet is installed.
        self.__spec__ = ModuleSpec(name, None)
        self.__dict__.update(contents)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 never
        """Raise an error that names the modules that recio has."""
        raise AttributeError(_missing(f"{self.__name__}.{name}"))


def _missing(name: str) -> str:
    """Return the message for a name of MXNet's that recio lacks."""
    return (
        f"recio has no {name.replace('mxnet', 'mx', 1)}; of MXNet it has only mx.recordio, mx.io, mx.image and their"
        " arrays"
    )


def _im2rec_path(home_env: str = "MXNET_HOME") -> str:  # noqa: ARG001 MXNet's
    """Return the path of recio's ``im2rec`` as a script for ``python``."""
    return str(Path(im2rec.__file__).with_name("__main__.py"))


def _make_modules() -> dict[str, ModuleType]:
    """Make all modules; return them by their names."""
    contents: dict[str, dict[str, Any]] = {
        "io": _adapted(io),
        "image": _adapted(image),
        "ndarray": _public(_array_functions),
        "context": _public(_context),
        "base": {
            "MXNetError": ValueError,
            "numeric_types": (float, int, np.generic),
            "integer_types": (int, np.int32, np.int64),
            "string_types": (str,),
        },
        "random": _public(_random),
        "test_utils": {"get_im2rec_path": _im2rec_path},
    }
    submodules: dict[str, ModuleType] = {"recordio": recordio}
    for name, names in contents.items():
        submodules[name] = StandIn(f"mxnet.{name}", {"__path__": [], **names})
    # Modules of MXNet's packages, whose names the packages have too.
    for name, names in (
        ("io.io", contents["io"]),
        ("image.image", contents["image"]),
        ("image.detection", {name: adapted(getattr(detection, name)) for name in detection.__all__}),
        ("ndarray.ndarray", contents["ndarray"]),
        ("ndarray.random", contents["random"]),
        ("ndarray.sparse", _public(_sparse)),
    ):
        package, _, module = name.partition(".")
        submodules[name] = StandIn(f"mxnet.{name}", names)
        setattr(submodules[package], module, submodules[name])
    for alias, package in {"img": "image", "nd": "ndarray", "rnd": "random"}.items():
        for name in [name for name in submodules if name.partition(".")[0] == package]:
            submodules[alias + name.removeprefix(package)] = submodules[name]
    top = {"__version__": VERSION, "__path__": [], "MXNetError": ValueError, **contents["context"]}
    direct = {name: module for name, module in submodules.items() if "." not in name}
    named = {f"mxnet.{name}": module for name, module in submodules.items()}
    return {"mxnet": StandIn("mxnet", top | direct), **named}


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}


def _adapted(module: ModuleType) -> dict[str, Any]:
    """Return the public names of a module, with iterators, augmenters and functions that work on NDArrays."""
    return {name: adapted(value) for name, value in _public(module).items()}


class _MissingSubmoduleFinder:
    """Import finder for submodules that recio lacks: raises an error that explains this."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:  # noqa: ARG002
        if name.startswith("mxnet."):
            raise ImportError(_missing(name), name=name)


_FINDER = _MissingSubmoduleFinder()


def install() -> None:
    """Make ``import mxnet`` import the stand-in, in this process. A second call does nothing.

    Raises
    ------
    RuntimeError
        If MXNet itself has been imported: then arrays of both kinds would be in use.
    """
    present = sys.modules.get("mxnet")
    if isinstance(present, StandIn):
        return
    if present is not None:
        raise RuntimeError(f"MXNet itself has been imported, from {getattr(present, '__file__', None)}: install first")
    sys.modules.update(_make_modules())
    sys.meta_path.insert(0, _FINDER)


def uninstall() -> None:
    """Remove the stand-in; names imported from it remain usable. Does nothing if it is not installed."""
    if not isinstance(sys.modules.get("mxnet"), StandIn):
        return
    for name in _make_modules():
        sys.modules.pop(name, None)
    sys.meta_path.remove(_FINDER)
