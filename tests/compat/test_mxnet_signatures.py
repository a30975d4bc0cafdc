"""The public names of MXNet 1.9.1's data modules exist in recio with the same parameters, order and defaults.

``data/mxnet_signatures.json`` was generated from MXNet.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

import recio
from tests.support.records import DATA

ALL: dict[str, list[Any]] = json.loads((DATA / "mxnet_signatures.json").read_text())
METHODS = "#methods"

NATIVE = {
    "io.CSVIter",
    "io.ImageDetRecordIter",
    "io.ImageRecordInt8Iter",
    "io.ImageRecordIter",
    "io.ImageRecordIter_v1",
    "io.ImageRecordUInt8Iter",
    "io.ImageRecordUInt8Iter_v1",
    "io.LibSVMIter",
    "io.MNISTIter",
}
"""Classes that MXNet implements in C++, without visible parameters. Their own tests check the parameters."""


def lookup(name: str) -> Any:  # noqa: ANN401 a class or function
    """Return the class or function of recio with a name."""
    module, _, attribute = name.partition(".")
    return getattr(getattr(recio, module), attribute)


@pytest.mark.parametrize("name", [name for name in ALL if not name.endswith(METHODS)])
def test_public_name_has_mxnets_parameters(name: str) -> None:
    parameters = list(inspect.signature(lookup(name)).parameters.values())
    if name in NATIVE:
        return
    positional = [parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    names = [parameter for parameter, _ in ALL[name]]
    # recio may name parameters that MXNet passes on as **kwargs.
    assert [parameter.name for parameter in positional][: len(names)] == names
    for parameter, (_, default) in zip(positional, ALL[name], strict=False):
        assert format_default(parameter.default) == default, parameter.name


def format_default(default: object) -> str | None:
    """Return a default as in the file; None if there is none."""
    if default is inspect.Parameter.empty:
        return None
    return repr(default)


@pytest.mark.parametrize("name", [name for name in ALL if name.endswith(METHODS)])
def test_class_has_mxnets_methods(name: str) -> None:
    cls = lookup(name.removesuffix(METHODS))
    missing = [method for method in ALL[name] if not hasattr(cls, method)]
    assert missing == []


def test_modules_have_mxnets_names() -> None:
    assert recio.img is recio.image
    assert np.dtype(np.float32) == recio.io.DataDesc("data", (1,)).dtype
