"""The progress bar: on a terminal, with a rate and the time left; silent everywhere else."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tqdm import tqdm

HINT = "for a progress bar: pip install 'recio[cli]'\n"


class Bars:
    """The bars of one run of the command, one list after another."""

    def __init__(self) -> None:
        self._tqdm = _load() if sys.stderr.isatty() else None

    @contextmanager
    def bar(self, name: str) -> Iterator[Callable[[int, int, int], None] | None]:
        """Show a bar while the context lasts.

        Parameters
        ----------
        name : str
            What stands before it.

        Yields
        ------
        callable or None
            What `recio.im2rec.pack` is to call with its progress.
        """
        if self._tqdm is None:
            yield None
            return
        # Some terminals say that they have no columns; then 80 are taken.
        with self._tqdm(desc=name, unit="img", ncols=shutil.get_terminal_size().columns) as bar:

            def show(done: int, total: int, skipped: int) -> None:
                bar.total = total
                if skipped:
                    bar.set_postfix(skipped=skipped, refresh=False)
                bar.update(done - bar.n)

            yield show


def _load() -> type[tqdm[object]] | None:
    try:
        from tqdm import tqdm  # noqa: PLC0415 (optional, and only for terminals)
    except ImportError:
        sys.stderr.write(HINT)
        return None
    return tqdm
