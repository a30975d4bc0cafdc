"""All that is public in MXNet 1.9.1's data modules is in recio's, with its parameters, their order and their defaults.

``data/mxnet_signatures.json`` was read off MXNet itself.
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
"""In MXNet they are made in C++, and Python sees no parameters; theirs are tested with each."""


def found(name: str) -> Any:  # noqa: ANN401 whatever has the name
    module, _, own = name.partition(".")
    return getattr(getattr(recio, module), own)


@pytest.mark.parametrize("name", [name for name in ALL if not name.endswith(METHODS)])
def test_public_name_has_mxnets_parameters(name: str) -> None:
    parameters = list(inspect.signature(found(name)).parameters.values())
    if name in NATIVE:
        return
    own = [parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    names = [parameter for parameter, _ in ALL[name]]
    # What MXNet hands on as **kwargs, recio may name.
    assert [parameter.name for parameter in own][: len(names)] == names
    for parameter, (_, default) in zip(own, ALL[name], strict=False):
        assert shown(parameter.default) == default, parameter.name


def shown(default: object) -> str | None:
    """Show a default as the file has it: arrays and tuples of the same numbers are the same."""
    if default is inspect.Parameter.empty:
        return None
    return repr(default)


@pytest.mark.parametrize("name", [name for name in ALL if name.endswith(METHODS)])
def test_class_has_mxnets_methods(name: str) -> None:
    own = found(name.removesuffix(METHODS))
    missing = [method for method in ALL[name] if not hasattr(own, method)]
    assert missing == []


def test_modules_have_mxnets_names() -> None:
    assert recio.img is recio.image
    assert np.dtype(np.float32) == recio.io.DataDesc("data", (1,)).dtype
