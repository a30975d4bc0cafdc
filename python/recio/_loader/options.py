# ruff: noqa: FBT003 flags are the defaults of keywords
"""Options of the native pipeline, and the keywords that all iterators on it share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from recio._loader import ranks, validate
from recio._loader.sampler import check_batches, check_sampler
from recio._loader.validate import REQUIRED, Keyword
from recio._loader.weak_function import WeakFunction
from recio._storage import CACHE_BYTES, storage
from recio._util import available_cores
from recio.limits import format_list, limits_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from recio._loader.sampler import Sampler
    from recio._recio import Step
    from recio._storage import Located, Storage
    from recio._util import OnDamage

    LabelForm: TypeAlias = Literal["numbers", "row", "table"]
    LastBatch: TypeAlias = Literal["pad", "zeros", "discard", "roll_over"]

_CHANNELS = "rgba"
READ_AHEAD_BYTES = 256 << 20
"""Bytes of records that are read ahead, at most."""

LOADING: dict[str, Keyword] = {
    "shuffle": Keyword(False, validate.flag),
    "seed": Keyword(0, validate.signed_seed),
    "num_parts": Keyword(1, ranks.num_parts),
    "part_index": Keyword(0, validate.integer),
    "preprocess_threads": Keyword(None, validate.optional(validate.integer)),
    "prefetch_buffer": Keyword(2, validate.integer),
    "read_ahead": Keyword(None, validate.optional(validate.natural)),
    "read_ahead_bytes": Keyword(READ_AHEAD_BYTES, validate.natural),
    "shard": Keyword("contiguous"),
    "shard_policy": Keyword("pad"),
    "on_error": Keyword("raise"),
    "error_log": Keyword(None),
    "max_errors": Keyword(None),
    "limits": Keyword(None),
    "formats": Keyword(None),
    "storage_options": Keyword(None),
    "filesystem": Keyword(None),
    "cache_dir": Keyword(None),
    "cache_bytes": Keyword(CACHE_BYTES, validate.natural),
    "sampler": Keyword(None, check_sampler),
    "allocator": Keyword(None, validate.optional(validate.function)),
}
"""Keywords of every iterator on the native pipeline."""

IMAGES: dict[str, Keyword] = {
    "data_shape": Keyword(REQUIRED, validate.image_shape),
    "batch_size": Keyword(REQUIRED, validate.integer),
    "label_width": Keyword(1, validate.integer),
    **LOADING,
    "on_damage": Keyword("error"),
}
"""Keywords of `ImageIter` and `ImageDetIter` that the pipeline needs."""


@dataclass(frozen=True, kw_only=True)
class LoaderOptions:
    """Options of the native pipeline.

    `recio._recio.ImagePipeline` reads the fields by their names and checks their values. They have the meaning of the
    keywords of `recio.io.ImageRecordIter`, but for these.

    Parameters
    ----------
    steps : sequence of Step
        The augmentation.
    label_by_key : bool, default False
        Whether `path_imglist` has the keys of the index, if there is one; otherwise the ids of the records.
    label_type : {'float32', 'float64'}, default 'float32'
        Type of the labels of lists and hooks: those that it would change are errors.
    label_form : {'numbers', 'row', 'table'}, default 'numbers'
        Labels as they are; the objects of an image in one row, with its size; or the objects in a table, one a row.
    label_width, label_pad_width : int, default 1 and -1
        Labels of a record, and numbers in a row of objects; -1 for as many as the longest has.
    path_imglist : str or RemotePath, optional
        The list.
    masks : (list, list, int), optional
        Record files of masks, their indexes, and the value of pixels without image.
    mean, std : (float, float, float, float)
        Mean and standard deviation of R, G, B and A, in 8-bit values.
    mean_image : list of float, optional
        Mean of each value of the output, channel by channel, in place of `mean`.
    divide : bool, default False
        Whether values are divided by `std` as MXNet's detection iterator does, or multiplied by its inverse.
    last_batch : {'pad', 'zeros', 'discard', 'roll_over'}, default 'pad'
        Handling of the samples that do not fill a batch.
    skip_damaged : bool, default False
        Whether damaged samples are skipped.
    limits : (int, int, int, int)
        Largest side, pixels, bytes and scans of an image that is decoded.
    formats : list of str
        Formats that are decoded.
    """

    data_shape: tuple[int, int, int]
    batch_size: int
    steps: Sequence[Step]
    dtype: str = "float32"
    layout: str = "NCHW"
    path_imglist: Located | None = None
    label_by_key: bool = False
    label_type: Literal["float32", "float64"] = "float32"
    label_form: LabelForm = "numbers"
    label_width: int = 1
    label_pad_width: int = -1
    label_pad_value: float = 0.0
    masks: tuple[list[Located], list[Located], int] | None = None
    mean: tuple[float, ...] = (0.0,) * len(_CHANNELS)
    mean_image: list[float] | None = None
    std: tuple[float, ...] = (1.0,) * len(_CHANNELS)
    scale: float = 1.0
    divide: bool = False
    max_random_contrast: float = 0.0
    max_random_illumination: float = 0.0
    shuffle: bool = False
    seed: int = 0
    seed_aug: int = 0
    num_parts: int = 1
    part_index: int = 0
    shard: str = "contiguous"
    shard_policy: str = "pad"
    last_batch: LastBatch = "pad"
    preprocess_threads: int = 1
    prefetch_buffer: int = 2
    read_ahead: int | None = None
    read_ahead_bytes: int = READ_AHEAD_BYTES
    skip_damaged: bool = False
    limits: tuple[int, int, int, int] = limits_tuple(None)
    formats: Sequence[str] = ()
    on_damage: OnDamage = "error"
    decode_scale: str | None = None
    sampler: Sampler | None = None
    allocator: Callable[[int], object] | None = None

    @property
    def weak_allocator(self) -> WeakFunction | None:
        """The allocator for native threads; the iterator has these options, and so keeps it alive."""
        return None if self.allocator is None else WeakFunction(self.allocator, "allocator")

    @property
    def weak_sampler(self) -> tuple[int, int | None, WeakFunction] | None:
        """Samples of an epoch, number of records if the sampler knows it, and the function of its orders."""
        sampler = self.sampler
        if sampler is None:
            return None
        return sampler.num_samples, sampler.records, WeakFunction(sampler.checked_order, "sampler")


_SAME = (
    "data_shape",
    "batch_size",
    "layout",
    "label_width",
    "label_pad_width",
    "label_pad_value",
    "scale",
    "max_random_contrast",
    "max_random_illumination",
    "shuffle",
    "seed",
    "shard",
    "shard_policy",
    "prefetch_buffer",
    "read_ahead",
    "read_ahead_bytes",
    "on_damage",
    "decode_scale",
    "sampler",
    "allocator",
)
"""Options that are keywords too."""


def loader_options(
    args: Mapping[str, Any],
    *,
    steps: Sequence[Step],
    last_batch: LastBatch,
    **others: Any,  # noqa: ANN401 fields of many types
) -> LoaderOptions:
    """Make the options of a pipeline from an iterator's keywords.

    Parameters
    ----------
    args : mapping of str to object
        Checked keywords by name. Those that an iterator does not have take their defaults.
    steps, last_batch
        As for `LoaderOptions`.
    **others
        Other fields of `LoaderOptions`, in place of the keywords.
    """
    num_parts, part_index = ranks.shard_of(args["num_parts"], args["part_index"])
    threads, seed_aug, path_imglist = (args.get(name) for name in ("preprocess_threads", "seed_aug", "path_imglist"))
    options = {
        **{name: args[name] for name in _SAME if name in args},
        "num_parts": num_parts,
        "part_index": part_index,
        "steps": steps,
        "dtype": args["dtype"].name if "dtype" in args else "float32",
        # MXNet's default is an empty string.
        "path_imglist": storage_of(args).locate(path_imglist) if path_imglist else None,
        **{kind: _per_channel(args, kind) for kind in ("mean", "std") if f"{kind}_r" in args},
        "seed_aug": args["seed"] if seed_aug is None else seed_aug,
        "last_batch": last_batch,
        "preprocess_threads": available_cores() if threads is None else threads,
        "skip_damaged": args["on_error"] != "raise",
        "limits": limits_tuple(args["limits"]),
        "formats": format_list(args["formats"]),
    }
    if options.get("sampler") is not None:
        check_batches(args["sampler"], args["batch_size"])
        # Its order is that of all shards.
        options["shard"] = "global"
    return LoaderOptions(**{**options, **others})


def storage_of(args: Mapping[str, Any]) -> Storage:
    """Return how an iterator opens paths, by its keywords."""
    names = ("storage_options", "filesystem", "cache_dir", "cache_bytes")
    return storage(**{name: args[name] for name in names})


def _per_channel(args: Mapping[str, Any], kind: str) -> tuple[float, ...]:
    return tuple(args[f"{kind}_{channel}"] for channel in _CHANNELS)
