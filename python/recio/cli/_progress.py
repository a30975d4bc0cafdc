"""Progress bars of the commands: on a terminal, with a rate and the time left; silent everywhere else."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tqdm import tqdm

HINT = "for a progress bar: pip install 'recio[cli]'\n"


class Bars:
    """The bars of one run of a command, one file after another."""

    def __init__(self) -> None:
        self._tqdm = _load() if sys.stderr.isatty() else None

    @contextmanager
    def bar(self, name: str, unit: Literal["img", "rec", "B"]) -> Iterator[Callable[..., None] | None]:
        """Show a bar while the context lasts.

        Parameters
        ----------
        name : str
            What stands before it.
        unit : {'img', 'rec', 'B'}
            What is counted. Bytes are shown as kB, MB and so on.

        Yields
        ------
        callable or None
            What is to be called with what is done, all there is to do and, if that is known, what was left out.
        """
        if self._tqdm is None:
            yield None
            return
        # Some terminals say that they have no columns; then 80 are taken.
        columns = shutil.get_terminal_size().columns
        with self._tqdm(desc=name, unit=unit, unit_scale=unit == "B", ncols=columns) as bar:

            def show(done: int, total: int, skipped: int = 0) -> None:
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
