"""As much of PyTorch and torchvision as InsightFace's ``dataset.py`` imports and its data set uses, in NumPy.

So its test needs neither. Modules are made on the fly; a script that spawns processes calls `install` at its top.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class Dataset:
    """The base of data sets, which has nothing."""


class Compose:
    """Transforms one after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:  # noqa: ANN401 what they take
        for transform in self.transforms:
            image = transform(image)
        return image


class ToPILImage:
    """Checks what torchvision's takes: an array, not one of MXNet's."""

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        assert type(image) is np.ndarray
        return image


class RandomHorizontalFlip:
    """Chance is left out."""

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image


class ToTensor:
    """Channels first, levels from 0 to 1."""

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return image.transpose(2, 0, 1).astype(np.float32) / np.float32(255)


class Normalize:
    """Mean and standard deviation of the channels."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean, self.std = (np.array(values, np.float32).reshape(3, 1, 1) for values in (mean, std))

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = (image - self.mean) / self.std
        return scaled


def tensor(value: float, dtype: type) -> NDArray[Any]:
    """Make an array of one number."""
    return np.array(value, dtype)


def no_grad() -> Callable[[type], type]:
    """Decorate nothing."""
    return lambda decorated: decorated


_MODULES: dict[str, dict[str, Any]] = {
    "torch": {"tensor": tensor, "long": np.int64, "no_grad": no_grad, "Tensor": np.ndarray},
    "torch.distributed": {},
    "torch.utils": {},
    "torch.utils.data": {"Dataset": Dataset, "DataLoader": object},
    "torchvision": {},
    "torchvision.transforms": {
        kind.__name__: kind for kind in (Compose, ToPILImage, RandomHorizontalFlip, ToTensor, Normalize)
    },
    "torchvision.datasets": {"ImageFolder": object},
}


def install() -> None:
    """Put the modules where ``import`` finds them."""
    for name, contents in _MODULES.items():
        module = ModuleType(name)
        module.__dict__.update(contents, __path__=[])
        sys.modules[name] = module
        package, _, part = name.rpartition(".")
        if package:
            setattr(sys.modules[package], part, module)


def install_utils() -> None:
    """Put what stands beside ``dataset.py``, which its loader uses and its data set does not."""
    names = ("DistributedSampler", "get_dist_info", "worker_init_fn")
    package, module = ModuleType("utils"), ModuleType("utils.utils_distributed_sampler")
    package.__dict__.update(__path__=[])
    module.__dict__.update(dict.fromkeys(names))
    sys.modules.update({package.__name__: package, module.__name__: module})
