"""Putting the stand-ins where ``import`` finds them, and taking them away."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from recio.compat.mxnet._modules import StandIn, missing, modules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


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
