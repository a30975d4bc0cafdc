"""Components shared by the iterators of `recio.io` and `recio.image`.

============= ==========================================================
base          ``DataDesc``, ``DataBatch``, ``DataIter``
native_iter   the base of the iterators on the native pipeline
checkpoint    the form of ``state_dict``
error_policy  ``on_error``, ``error_log``, ``max_errors``
options       options of the native pipeline, and the keywords for them
ranks         ``num_parts="auto"``
sampler       the base of samplers
validate      checks of arguments
record_paths  ``path_imgrec`` and ``path_imgidx`` as lists of files
prefetch      threads that read iterators ahead
epoch_loops   an epoch for each loop, for trainers of other libraries
sample_loops  the same, as pairs of data and labels
to_steps      augmenters as steps of the native pipeline
weak_function functions of the caller's as native threads hold them
============= ==========================================================

This package imports neither of the two, and neither imports the other.
"""
