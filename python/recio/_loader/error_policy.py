"""What becomes of damaged samples that an iterator passes over: they are listed, logged, told, and counted.

The native pipeline decides which these are and keeps the batches full; this is the other end, in the caller's thread.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from recio.errors import TooManyErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recio._util import StrPath
    from recio.errors import DecodeError, RecordError

    OnError: TypeAlias = Literal["raise", "skip"] | Callable[[Exception], object]

_log = logging.getLogger("recio")


class SkippedSample(NamedTuple):
    """A sample that was passed over.

    Parameters
    ----------
    path : str or None
        Its file.
    record : int or None
        Its number in the file, or in the list, from 0.
    id : int or None
        Its own id, as far as it could be read.
    offset : int or None
        Where it stands in the file, in bytes.
    reason : str
        What is wrong with it.
    """

    path: str | None
    record: int | None
    id: int | None
    offset: int | None
    reason: str


class Faults:
    """The samples that were passed over, and what is done about them.

    Parameters
    ----------
    on_error : {'raise', 'skip'} or callable
        As for `recio.io.ImageRecordIter`.
    error_log : path or None
        Likewise.
    max_errors : int, float or None
        Likewise.
    """

    def __init__(self, on_error: OnError, error_log: StrPath | None, max_errors: float | None) -> None:
        if on_error not in {"raise", "skip"} and not callable(on_error):
            raise ValueError(f"on_error={on_error!r}; it is 'raise', 'skip' or a function")
        self.skips = on_error != "raise"
        if not self.skips and not (error_log is None and max_errors is None):
            raise ValueError("error_log and max_errors are for on_error='skip' or a function: nothing is skipped here")
        self.listed: list[SkippedSample] = []
        self._tell = on_error if callable(on_error) else None
        self._log = None if error_log is None else Path(os.path.abspath(error_log))  # noqa: PTH100 also when the folder is left
        self._max = _ceiling(max_errors)

    def note(self, errors: Sequence[RecordError | DecodeError | OSError], samples: int) -> None:
        """List what is new, of so many samples; raise if it is too much, or what the caller's function raises.

        Raises
        ------
        TooManyErrors
            If there are more than the caller allows, from then on each time.
        """
        for error in errors:
            self.listed.append(_row(error))
            _log.warning("a sample is left out: %s", error)
        if errors and self._log is not None:
            self._append(self.listed[-len(errors) :])
        if self._tell is not None:
            for error in errors:
                self._tell(error)
        self._check(samples)

    def _append(self, rows: Sequence[SkippedSample]) -> None:
        assert self._log is not None  # noqa: S101 the only caller has looked
        with self._log.open("a", encoding="utf-8") as log:
            log.writelines(json.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in rows)

    def _check(self, samples: int) -> None:
        if self._max is None:
            return
        most = self._max * samples if isinstance(self._max, float) else self._max
        if len(self.listed) > most:
            raise TooManyErrors(
                f"{len(self.listed)} of {samples} samples could not be read, more than max_errors={self._max}; "
                f"the last: {self.listed[-1]}"
            )


def _row(error: RecordError | DecodeError | OSError) -> SkippedSample:
    path = getattr(error, "path", None)
    return SkippedSample(
        None if path is None else os.fspath(path),
        getattr(error, "record", None),
        getattr(error, "id", None),
        getattr(error, "offset", None),
        getattr(error, "reason", str(error)),
    )


def _ceiling(max_errors: float | None) -> float | None:
    if max_errors is None:
        return None
    is_count = isinstance(max_errors, int) and not isinstance(max_errors, bool) and max_errors >= 0
    is_fraction = isinstance(max_errors, float) and 0 <= max_errors <= 1
    if not (is_count or is_fraction):
        raise ValueError(f"max_errors={max_errors!r}; it is a whole number from 0 up, or a fraction from 0.0 to 1.0")
    return max_errors
