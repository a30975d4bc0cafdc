"""Stand-ins for MXNet's modules: their contents, their errors for missing names, and their installation."""

from __future__ import annotations

import functools
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from recio import image, io, recordio
from recio.compat.mxnet import _array_functions
from recio.compat.mxnet._ndarray import Context, as_ndarray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

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


def _make_modules() -> dict[str, ModuleType]:
    """Make all modules; return them by their names."""
    submodules = {
        "recordio": recordio,
        "io": StandIn("mxnet.io", _adapted(io)),
        "image": StandIn("mxnet.image", _adapted(image)),
        "ndarray": StandIn("mxnet.ndarray", _public(_array_functions)),
        "context": StandIn("mxnet.context", {"Context": Context, "cpu": cpu, "num_gpus": lambda: 0}),
        "base": StandIn("mxnet.base", {"MXNetError": ValueError}),
    }
    submodules |= {"img": submodules["image"], "nd": submodules["ndarray"]}
    top = {"__version__": VERSION, "__path__": [], "Context": Context, "cpu": cpu, "MXNetError": ValueError}
    named = {f"mxnet.{name}": module for name, module in submodules.items()}
    return {"mxnet": StandIn("mxnet", top | submodules), **named}


def cpu(device_id: int = 0) -> Context:
    """Return the CPU, the device of all arrays."""
    return Context("cpu", device_id)


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}


def _adapted(module: ModuleType) -> dict[str, Any]:
    """Return the public names of a module, with iterators and functions adapted to return NDArrays."""
    return {
        name: _adapted_class(value) if isinstance(value, type) else _adapted_function(value)
        for name, value in _public(module).items()
    }


def _adapted_function(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 those of the function
        result = function(*args, **options)
        if isinstance(result, io.DataIter):
            # Some iterators are made by functions.
            result.__class__ = _adapted_class(type(result))
        return as_ndarray(result)

    return call


def _adapted_class(cls: type[Any]) -> type[Any]:
    """Return a subclass of an iterator's class whose batches hold NDArrays; return other classes as they are."""
    if cls is io.DataIter or not issubclass(cls, io.DataIter):
        return cls
    return type(cls.__name__, (_ReturnsNDArrays, cls), {"__doc__": cls.__doc__})


class _ReturnsNDArrays(io.DataIter):
    """Mix-in that converts the batches of an iterator's class to NDArrays."""

    def next(self) -> io.DataBatch:
        batch = super().next()
        batch.data, batch.label = as_ndarray(batch.data), as_ndarray(batch.label)
        return batch

    def getdata(self) -> list[NDArray[Any]]:
        return list(as_ndarray(super().getdata()))

    def getlabel(self) -> list[NDArray[Any]] | None:
        labels = super().getlabel()
        return labels and list(as_ndarray(labels))


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
