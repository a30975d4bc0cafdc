"""Names that other libraries give to what keywords of the iterators do, for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    Choices: TypeAlias = tuple[tuple[tuple[str, ...], str], ...]
    """Keywords, and what is said about them; those that an iterator has first are suggested."""

_LAST: Choices = (
    (("last_batch_handle",), "'discard' drops the samples that do not fill the last batch"),
    (("payloads",), "they make one batch, of as many images"),
    (("round_batch",), "no sample is dropped: batch.pad is the number of samples that only fill the last batch"),
)
_THREADS: Choices = (
    (("preprocess_threads",), "they are threads, not processes"),
    (("threads",), "they are threads, not processes"),
    (("prefetch_buffer",), ""),
)
_SHARDS: Choices = ((("num_parts", "part_index"), ""),)
_TRANSFORM: Choices = ((("aug_list",), "a list of augmenters and functions"), (("transform",), "a function"))
_SIZE: Choices = ((("data_shape",), "(channels, height, width)"), (("flat",), ""))
_FILES: Choices = (
    (("path_imgrec",), ""),
    (("data_csv",), ""),
    (("data_libsvm",), ""),
    (("image", "label"), ""),
    (("data",), ""),
)

_BY_MEANING: tuple[tuple[str, Choices], ...] = (
    ("drop_last drop_remainder drop_last_batch last_batch", _LAST),
    ("last_batch_handle", _LAST[2:]),
    ("round_batch", _LAST[:1]),
    ("num_workers workers n_workers num_threads threads n_threads nthreads num_parallel_calls", _THREADS),
    ("world_size num_shards num_replicas shard_count rank shard_id shard_index part", _SHARDS),
    ("aug_list transform transforms augment augmentation augmentations augmenters aug map_fn preprocess", _TRANSFORM),
    ("image_size img_size input_size image_shape input_shape shape size crop_size output_size height width", _SIZE),
    ("path path_rec file filename files root dataset record rec data_dir", _FILES),
    (
        "mean mean_rgb mean_pixels means",
        ((("mean_r", "mean_g", "mean_b"), "in 8-bit values"), (("mean",), "in 8-bit values")),
    ),
    ("std std_rgb std_pixels stds", ((("std_r", "std_g", "std_b"), "in 8-bit values"), (("std",), "in 8-bit values"))),
    ("normalize", ((("mean_r", "std_r"), "in 8-bit values"), (("mean", "std"), "in 8-bit values"))),
    (
        "random_shuffle shuffle_data rand_shuffle is_shuffle do_shuffle buffer_size shuffle_buffer_size",
        ((("shuffle",), ""),),
    ),
    (
        "sampler batch_sampler shuffler weighted_sampler",
        ((("sampler",), "one of recio.samplers"), (("shuffle",), "")),
    ),
    ("random_seed rand_seed rng_seed random_state", ((("seed",), ""),)),
    ("prefetch prefetch_factor prefetch_queue_depth", ((("prefetch_buffer",), "a number of batches"),)),
    (
        "flip hflip horizontal_flip rand_flip random_flip random_mirror rand_hflip",
        ((("rand_mirror",), ""), (("rand_mirror_prob",), "")),
    ),
    ("rand_mirror", ((("rand_mirror_prob",), ""),)),
    ("random_crop", ((("rand_crop",), ""), (("rand_crop_prob",), ""))),
    ("rand_crop", ((("rand_crop_prob",), ""),)),
    ("rand_resize random_resize rand_resized_crop", ((("random_resized_crop",), ""), (("rand_resize",), ""))),
    ("random_resized_crop", ((("rand_resize",), ""),)),
    ("resize_short shorter_side short_side resize_size", ((("resize",), ""),)),
    ("interpolation interp resample", ((("inter_method",), "a number, such as 1 for bilinear"),)),
    ("batch batchsize bs minibatch_size global_batch_size", ((("batch_size",), ""),)),
    ("idx index_file path_idx index_path", ((("path_imgidx",), ""),)),
    ("data_format channels_last channel_order", ((("layout",), "'NCHW' or 'NHWC'"),)),
    ("ignore_errors skip_errors skip_damaged skip_corrupt", ((("on_error",), "on_error='skip'"),)),
    ("hue", ((("random_h",), ""), (("max_random_hue", "random_hue_prob"), ""))),
    (
        "labels label_file label_path",
        ((("path_imglist",), ""), (("label_csv",), ""), (("label_libsvm",), ""), (("label",), "")),
    ),
)
_CHOICES = {name: choices for names, choices in _BY_MEANING for name in names.split()}


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return the suggestion for a name that is none of the keywords `known`; None if its meaning is not known."""
    present = {*known}
    for keywords, remark in _CHOICES.get(name.lower(), ()):
        if present.issuperset(keywords):
            named = " and ".join(repr(keyword) for keyword in keywords)
            return f"did you mean {named}?" + (f" ({remark})" if remark else "")
    return None
