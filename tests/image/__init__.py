"""Tests of `recio.image`: the codec, the augmenters, `ImageIter`."""
