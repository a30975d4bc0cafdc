"""Cases of `compare.py`, a module per subject; each has a function `cases` that yields `Case`s."""
