"""The parts that the iterators of `recio.io` and `recio.image` have in common.

============= ==========================================================
base          ``DataDesc``, ``DataBatch``, ``DataIter``
native_iter   the base of the iterators on the native pipeline
checkpoint    the form of ``state_dict``
error_policy  ``on_error``, ``error_log``, ``max_errors``
validate      checks of arguments
record_paths  ``path_imgrec`` and ``path_imgidx`` as lists of files
prefetch      threads that read iterators ahead
to_steps      augmenters as steps of the native pipeline
============= ==========================================================

It imports neither of the two packages, and neither imports the other.
"""
