"""``batch``: encoded images as one array, made by native threads."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from recio import _recio
from recio._loader import validate
from recio._loader.options import LoaderOptions
from recio._loader.to_steps import to_steps
from recio._loader.validate import REQUIRED, Keyword
from recio._util import as_bytes, available_cores
from recio.image._create import CreateAugmenter
from recio.limits import format_list, limits_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from recio._util import BytesLike
    from recio.limits import Limits

_KEYWORDS = {
    "data_shape": Keyword(REQUIRED, validate.image_shape),
    "seed": Keyword(0, validate.signed_seed),
    "epoch": Keyword(0, validate.natural),
    "threads": Keyword(None, validate.optional(validate.positive)),
    "dtype": Keyword("float32", validate.dtype("float32", "float16", "uint8", "int8")),
    "layout": Keyword("NCHW", validate.one_of("NCHW", "NHWC")),
    "on_damage": Keyword("error", validate.one_of("error", "fill")),
}


def batch(
    payloads: Iterable[BytesLike],
    data_shape: Sequence[int],
    aug_list: Sequence[Callable[..., Any]] | None = None,
    *,
    seed: int = 0,
    epoch: int = 0,
    ids: Iterable[int] | None = None,
    threads: int | None = None,
    dtype: DTypeLike = "float32",
    layout: Literal["NCHW", "NHWC"] = "NCHW",
    on_damage: Literal["error", "fill"] = "error",
    limits: Limits | None = None,
    formats: str | Sequence[str] | None = None,
    **unknown: object,
) -> NDArray[Any]:
    """Decode and augment encoded images into one array, in native threads.

    For data loaders that read or sample images themselves, such as Ray Data, Grain, or ``set_transform`` of Hugging
    Face data sets. The pixels are those of `ImageIter` and `recio.io.ImageRecordIter` with the same `data_shape`,
    `aug_list`, seed and epoch, if `ids` are the numbers of the images in the data set: random parameters are a function
    of (seed, epoch, id).

    Parameters
    ----------
    payloads : iterable of bytes-like
        The encoded images.
    data_shape : (int, int, int)
        Channels (1, 3 or 4), height and width of an image in the result, in pixels.
    aug_list : list, optional
        Augmenters, as for `ImageIter`: native ones run in all threads, a Python function is called by one thread at a
        time. Default: ``CreateAugmenter(data_shape)``.
    seed : int, default 0
        Seed of the augmentation, from 0 to 2**64 - 1.
    epoch : int, default 0
        Number of the epoch.
    ids : iterable of int, optional
        Number of each image in its data set, at least 0. Default: 0, 1, 2 … Pass them, or another seed for each call,
        if `aug_list` is random: otherwise all batches have the same random parameters.
    threads : int, optional
        Number of threads. Default: number of cores that the process may use.
    dtype : {'float32', 'float16', 'uint8', 'int8'}, default 'float32'
        Type of the result. Values are converted as by `recio.io.ImageRecordIter`.
    layout : {'NCHW', 'NHWC'}, default 'NCHW'
        Order of the axes.
    on_damage, limits, formats
        As for `recio.io.ImageRecordIter`.

    Returns
    -------
    ndarray, shape (images, channels, height, width) or (images, height, width, channels)
        The images, C-contiguous and writable, in new memory.

    Raises
    ------
    recio.DecodeError
        If an image cannot be decoded. The message and the attribute ``record`` have the index of the first such
        payload.
    TypeError
        If a payload is not bytes-like.
    ValueError
        If an image has another size than `data_shape` after the augmentation, with its index likewise; if an argument
        is out of range, or `ids` and `payloads` differ in length.

    Notes
    -----
    An exception of a function in `aug_list` is raised as it is, with a note that has the index of the payload.

    Examples
    --------
    >>> payloads = [open(path, "rb").read() for path in paths]  # doctest: +SKIP
    >>> augmenters = CreateAugmenter((3, 224, 224), rand_crop=True, rand_resize=True)  # doctest: +SKIP
    >>> batch(payloads, (3, 224, 224), augmenters, seed=1, ids=ids).shape  # doctest: +SKIP
    (64, 3, 224, 224)
    """
    validate.refuse_unknown("batch", unknown, inspect.signature(batch).parameters)
    given = {
        "data_shape": data_shape,
        "seed": seed,
        "epoch": epoch,
        "threads": threads,
        "dtype": dtype,
        "layout": layout,
        "on_damage": on_damage,
    }
    checked = validate.check_keywords(_KEYWORDS, given)
    encoded, numbers = _payloads(payloads), None if ids is None else _ids(ids)
    numbers = list(range(len(encoded))) if numbers is None else numbers
    if len(numbers) != len(encoded):
        raise ValueError(f"ids must have a number for each of {len(encoded)} payloads, got {len(numbers)}")
    # Kept until the threads have ended: they have only weak references to functions.
    augmenters = [*(CreateAugmenter(checked["data_shape"]) if aug_list is None else aug_list)]
    options = LoaderOptions(
        data_shape=checked["data_shape"],
        batch_size=max(len(encoded), 1),
        steps=to_steps(augmenters),
        dtype=checked["dtype"].name,
        layout=checked["layout"],
        label_width=-1,
        seed_aug=checked["seed"],
        preprocess_threads=available_cores() if checked["threads"] is None else checked["threads"],
        limits=limits_tuple(limits),
        formats=format_list(formats),
        on_damage=checked["on_damage"],
    )
    try:
        return _recio.render_batch(encoded, numbers, checked["epoch"], options)
    except ValueError as error:
        number = getattr(error, "record", None)
        # Notes are those of functions' exceptions, which stay as they are.
        if number is None or hasattr(error, "__notes__"):
            raise
        raise _of_payload(error, number) from None


def _payloads(payloads: Iterable[BytesLike]) -> list[bytes]:
    encoded = []
    for number, payload in enumerate(payloads):
        try:
            encoded.append(as_bytes(payload))
        except TypeError:
            raise TypeError(f"payload {number} must be bytes, got {type(payload).__name__}") from None
    return encoded


def _ids(ids: Iterable[int]) -> list[int]:
    return [validate.seed(f"ids[{number}]", id_) for number, id_ in enumerate(ids)]


def _of_payload(error: Any, number: int) -> ValueError:  # noqa: ANN401 attributes that native code sets
    """Return an error that names the payload instead of a record."""
    named: Any = type(error)(f"payload {number}: {error.reason}")
    named.path, named.record, named.id, named.offset, named.reason = None, number, None, None, error.reason
    return named  # type: ignore[no-any-return]
