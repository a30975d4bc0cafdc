"""The modules that stand in for MXNet's: what each has, and what is said of the rest."""

from __future__ import annotations

import functools
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from recio import image, io, recordio
from recio.compat.mxnet import _array_functions
from recio.compat.mxnet._ndarray import Context, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

VERSION = "1.9.1"
"""The version of MXNet whose names these are."""


class StandIn(ModuleType):
    """A module of a name of MXNet's."""

    def __init__(self, name: str, contents: dict[str, Any]) -> None:
        super().__init__(name, f"{name} of MXNet {VERSION}, as far as recio has it.")
        # Some libraries look for one to know whether MXNet is there.
        self.__spec__ = ModuleSpec(name, None)
        self.__dict__.update(contents)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 never
        """Say that there is no such thing."""
        raise AttributeError(missing(f"{self.__name__}.{name}"))


def missing(name: str) -> str:
    """Say that recio has no such name of MXNet's."""
    return (
        f"recio has no {name.replace('mxnet', 'mx', 1)}; it stands in for mx.recordio, mx.io, mx.image and the arrays"
        " that these give, and for nothing else of MXNet"
    )


def modules() -> dict[str, ModuleType]:
    """Make all modules anew, by their names."""
    parts = {
        "recordio": recordio,
        "io": StandIn("mxnet.io", _adapted(io)),
        "image": StandIn("mxnet.image", _adapted(image)),
        "ndarray": StandIn("mxnet.ndarray", _public(_array_functions)),
        "context": StandIn("mxnet.context", {"Context": Context, "cpu": cpu, "num_gpus": lambda: 0}),
        "base": StandIn("mxnet.base", {"MXNetError": ValueError}),
    }
    parts |= {"img": parts["image"], "nd": parts["ndarray"]}
    top = {"__version__": VERSION, "__path__": [], "Context": Context, "cpu": cpu, "MXNetError": ValueError}
    return {"mxnet": StandIn("mxnet", top | parts), **{f"mxnet.{name}": part for name, part in parts.items()}}


def cpu(device_id: int = 0) -> Context:
    """Give the device that all arrays are on."""
    return Context("cpu", device_id)


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}


def _adapted(module: ModuleType) -> dict[str, Any]:
    """Give what is public of a module, with iterators and functions that give NDArrays."""
    return {name: _class(it) if isinstance(it, type) else _function(it) for name, it in _public(module).items()}


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 those of the function
        given = function(*args, **options)
        if isinstance(given, io.DataIter):
            # Some iterators are made by functions; one of them is as good as one of the class that gives NDArrays.
            given.__class__ = _class(type(given))
        return keep(given)

    return call


def _class(kind: type[Any]) -> type[Any]:
    """Give an iterator's class whose batches hold NDArrays; others as they are."""
    if kind is io.DataIter or not issubclass(kind, io.DataIter):
        return kind
    return type(kind.__name__, (_GivesNDArrays, kind), {"__doc__": kind.__doc__})


class _GivesNDArrays(io.DataIter):
    """What the iterator beside it gives, as NDArrays."""

    def next(self) -> io.DataBatch:
        batch = super().next()
        batch.data, batch.label = keep(batch.data), keep(batch.label)
        return batch

    def getdata(self) -> list[NDArray[Any]]:
        return list(keep(super().getdata()))

    def getlabel(self) -> list[NDArray[Any]] | None:
        labels = super().getlabel()
        return labels and list(keep(labels))


class _Refusal:
    """Says of submodules that are not there that recio has none, where Python would only say that there are none."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:  # noqa: ARG002
        if name.startswith("mxnet."):
            raise ImportError(missing(name), name=name)


_REFUSAL = _Refusal()


def install() -> None:
    """Let ``import mxnet`` give recio, in this process. A second call does nothing.

    Raises
    ------
    RuntimeError
        If MXNet itself has been imported: then arrays of both kinds would be about.
    """
    present = sys.modules.get("mxnet")
    if isinstance(present, StandIn):
        return
    if present is not None:
        raise RuntimeError(f"MXNet itself has been imported, from {getattr(present, '__file__', None)}: install first")
    sys.modules.update(modules())
    sys.meta_path.insert(0, _REFUSAL)


def uninstall() -> None:
    """Take the stand-ins away again; what was imported of them stays usable. Without them, do nothing."""
    if not isinstance(sys.modules.get("mxnet"), StandIn):
        return
    for name in modules():
        sys.modules.pop(name, None)
    sys.meta_path.remove(_REFUSAL)
