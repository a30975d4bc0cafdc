"""Progress bars of the commands: on a terminal, with rate and remaining time; nothing elsewhere."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tqdm import tqdm

HINT = "for a progress bar: pip install 'recio[cli]'\n"


class ProgressBars:
    """Progress bars of one run of a command, one file after another."""

    def __init__(self) -> None:
        self._tqdm = _load_tqdm() if sys.stderr is not None and sys.stderr.isatty() else None

    @contextmanager
    def bar(self, name: str, unit: Literal["img", "rec", "B"]) -> Iterator[Callable[..., None] | None]:
        """Show a bar while the context lasts.

        Parameters
        ----------
        name : str
            The text before the bar.
        unit : {'img', 'rec', 'B'}
            The unit that is counted. Bytes are shown as kB, MB and so on.

        Yields
        ------
        callable or None
            To be called with the number done, the total and, if known, the number skipped.
        """
        if self._tqdm is None:
            yield None
            return
        # Some terminals report 0 columns; then 80 are assumed.
        columns = shutil.get_terminal_size().columns
        with self._tqdm(desc=name, unit=unit, unit_scale=unit == "B", ncols=columns) as bar:

            def show(done: int, total: int, skipped: int = 0) -> None:
                bar.total = total
                if skipped:
                    bar.set_postfix(skipped=skipped, refresh=False)
                bar.update(done - bar.n)

            yield show


def _load_tqdm() -> type[tqdm[object]] | None:
    try:
        from tqdm import tqdm  # noqa: PLC0415 (optional, and only for terminals)
    except ImportError:
        sys.stderr.write(HINT)
        return None
    return tqdm
