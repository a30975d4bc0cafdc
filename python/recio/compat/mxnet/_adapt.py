"""recio's functions, iterators and augmenters with MXNet's arrays: they take and return `NDArray`.

The classes here are subclasses of recio's, made on demand. So the pipeline runs their native steps, and ``isinstance``
holds for both.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import image, io
from recio._loader.to_steps import ArrayType, HasStep, array_type
from recio.compat.mxnet._ndarray import as_ndarray, plain
from recio.compat.mxnet._sparse import CSRNDArray
from recio.image import ImageIter, RandomOrderAug, SequentialAug
from recio.image._hooks import default_hook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def adapted(value: Any) -> Any:  # noqa: ANN401 a class, function or other
    """Return a public name of recio with MXNet's arrays."""
    if isinstance(value, type):
        return adapted_class(value)
    return adapted_function(value) if callable(value) else value


def wrapped(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Return NumPy's arrays as NDArrays, SciPy's sparse ones as CSRNDArrays, and recio's objects as adapted ones."""
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(wrapped, value))
    if isinstance(value, io.DataIter | HasStep):
        # Some are made by functions.
        kind = adapted_class(type(value))
        if kind is not type(value):
            value.__class__ = kind
        return value
    if getattr(value, "format", None) == "csr":
        return CSRNDArray(value)
    return as_ndarray(value)


def unwrapped(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Return NDArrays as NumPy's arrays on their memory, CSRNDArrays as SciPy's."""
    if isinstance(value, CSRNDArray):
        return value.asscipy()
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(unwrapped, value))
    if type(value) is dict:
        return {key: unwrapped(each) for key, each in value.items()}
    return plain(value)


_MXNETS_ARRAYS = ArrayType(wrapped, unwrapped)


@contextmanager
def _functions_take_ndarrays() -> Iterator[None]:
    """Let the functions that become steps meanwhile take and return NDArrays."""
    token = array_type.set(_MXNETS_ARRAYS)
    try:
        yield
    finally:
        array_type.reset(token)


@contextmanager
def _mxnets_errors() -> Iterator[None]:
    """Raise errors of the operating system as objects that are MXNetErrors too."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ValueError):
            raise
        raise _copied(error) from error


def _copied(error: OSError) -> OSError:
    """Return an error of the operating system as an object that is an MXNetError too."""
    # The name of a file is an attribute, not in `args`.
    names = [] if error.filename is None else [error.filename]
    if error.filename2 is not None:
        names += [None, error.filename2]
    copy = _also_value_error(type(error))(*error.args, *names)
    copy.__dict__.update(error.__dict__)
    return copy


def _also_value_error(kind: type[OSError]) -> type[OSError]:
    return type(kind.__name__, (kind, ValueError), {"__module__": __name__, "__doc__": kind.__doc__})


@functools.cache
def adapted_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes and returns NDArrays."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 those of the function
        with _functions_take_ndarrays(), _mxnets_errors():
            result = wrapped(function(*unwrapped(args), **unwrapped(options)))
        out = options.get("out")
        return result if out is None else out

    return call


_ADAPTED: dict[type[Any], type[Any]] = {}


def adapted_class(cls: type[Any]) -> type[Any]:
    """Return a subclass of an iterator's or augmenter's class that works on NDArrays; other classes as they are."""
    if cls not in _ADAPTED:
        mixin = _mixin(cls)
        _ADAPTED[cls] = cls if mixin is None or issubclass(cls, mixin) else _subclass(cls, mixin)
    return _ADAPTED[cls]


def _subclass(cls: type[Any], mixin: type[Any]) -> type[Any]:
    public = [base for base in cls.__bases__ if _mixin(base) and base.__name__ in _public_classes()]
    bases = [adapted_class(base) for base in public] or [mixin]
    return type(cls.__name__, (*bases, cls), {"__doc__": cls.__doc__, "__module__": __name__})


def _mixin(cls: type[Any]) -> type[Any] | None:
    """Return the mix-in for a class of recio's; none for base classes, which have no arrays."""
    if not cls.__module__.startswith("recio.") or cls in (io.DataIter, io.MXDataIter):
        return None
    if issubclass(cls, ImageIter):
        return _ImageIter
    if issubclass(cls, io.NDArrayIter):
        return _ArrayIter
    if issubclass(cls, io.DataIter):
        return _Iterator
    if issubclass(cls, HasStep):
        return _Combination if issubclass(cls, SequentialAug | RandomOrderAug) else _Augmenter
    return None


@functools.cache
def _public_classes() -> dict[str, type[Any]]:
    names = {name: getattr(module, name) for module in (io, image) for name in module.__all__}
    return {name: value for name, value in names.items() if isinstance(value, type)}


def __getattr__(name: str) -> Any:  # noqa: ANN401 a class
    """Return an adapted class, for pickles, which name it in this module."""
    if name in _public_classes():
        return adapted_class(_public_classes()[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Iterator(io.DataIter):
    """Mix-in that converts the batches of an iterator's class to NDArrays."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 those of the class
        with _functions_take_ndarrays(), _mxnets_errors():
            super().__init__(*self._arguments(args), **self._arguments(options))

    @staticmethod
    def _arguments(arguments: Any) -> Any:  # noqa: ANN401 positional or named
        return unwrapped(arguments)

    def next(self) -> io.DataBatch:
        batch = super().next()
        batch.data, batch.label = wrapped(batch.data), wrapped(batch.label)
        return batch

    def getdata(self) -> Any:  # noqa: ANN401 an array or a list
        return wrapped(super().getdata())

    def getlabel(self) -> Any:  # noqa: ANN401 an array or a list
        return wrapped(super().getlabel())

    @property
    def first_batch(self) -> Any:  # noqa: ANN401 a batch or None
        batch = super().first_batch  # type: ignore[misc]
        if batch is not None:
            batch.data, batch.label = wrapped(batch.data), wrapped(batch.label)
        return batch


class _ArrayIter(_Iterator):
    """Mix-in for `NDArrayIter`, which keeps the types of NDArrays."""

    @staticmethod
    def _arguments(arguments: Any) -> Any:  # noqa: ANN401 positional or named
        return _dense_kept(arguments)


def _dense_kept(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Convert sparse matrices only."""
    if isinstance(value, list | tuple):
        return [_dense_kept(each) for each in value]
    if isinstance(value, dict):
        return {key: _dense_kept(each) for key, each in value.items()}
    return value.asscipy() if isinstance(value, CSRNDArray) else value


class _ImageIter(_Iterator):
    """Mix-in for `ImageIter`: its hooks take and return NDArrays.

    An empty `path_root` means, as in MXNet, that the paths of a list are used as they are.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 those of the class
        if options.get("path_root") == "":
            options.setdefault("allow_outside", True)
        super().__init__(*args, **options)

    @property
    def auglist(self) -> Any:  # noqa: ANN401 a list
        """The augmenters, which take and return NDArrays also when the caller calls them."""
        return self.__dict__["auglist"]

    @auglist.setter
    def auglist(self, augmenters: Any) -> None:  # noqa: ANN401 a list
        for augmenter in augmenters:
            wrapped(augmenter)
        self.__dict__["auglist"] = augmenters

    @functools.cached_property
    def _listed(self) -> Any:  # noqa: ANN401 a dict or None
        listed = super()._listed  # type: ignore[misc]
        for key, (labels, path) in (listed or {}).items():
            # No change of the caller's.
            dict.__setitem__(listed, key, (wrapped(labels), path))
        return listed

    def _reopen(self) -> None:
        with _functions_take_ndarrays():
            super()._reopen()  # type: ignore[misc]

    def reshape(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 those of the class
        with _functions_take_ndarrays():
            super().reshape(*args, **options)  # type: ignore[misc]


def _hook(name: str) -> Callable[..., Any]:
    """Return the default of a hook with NDArrays."""

    def call(self: Any, *args: Any) -> Any:  # noqa: ANN401 as of the hook
        with _functions_take_ndarrays():
            return wrapped(getattr(super(_ImageIter, self), name)(*unwrapped(args)))

    call.__name__ = name
    return default_hook(call)


def _next_sample(self: Any) -> Any:  # noqa: ANN401 label and bytes
    """Return the next sample; its label is an NDArray if it comes from a list, as in MXNet."""
    label, data = super(_ImageIter, self).next_sample()
    return (label if self.imglist is None else wrapped(np.atleast_1d(unwrapped(label)))), data


_ImageIter.next_sample = default_hook(_next_sample)  # type: ignore[attr-defined]
for _name in ("imdecode", "check_valid_image", "augmentation_transform", "postprocess_data"):
    setattr(_ImageIter, _name, _hook(_name))


class _Augmenter(HasStep):
    """Mix-in that lets an augmenter take and return NDArrays when it is called."""

    def step(self) -> Any:  # noqa: ANN401 as of the augmenter
        # Defined next to `__call__`, so that the pipeline uses it.
        return super().step()

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 image, or image and label
        with _functions_take_ndarrays():
            return wrapped(super().__call__(*unwrapped(args)))  # type: ignore[misc]


class _Combination(HasStep):
    """Mix-in for combinations, whose functions take NDArrays too."""

    def step(self) -> Any:  # noqa: ANN401 as of the augmenter
        return super().step()

    def __call__(self, src: Any) -> Any:  # noqa: ANN401 an image
        return wrapped(super().__call__(wrapped(src)))  # type: ignore[misc]
