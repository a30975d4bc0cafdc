"""The keys of an index as a sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Keys(MutableSequence[Any]):
    """Keys in the order of the records in the file. It behaves like a list.

    Integers stay in an array, of 8 bytes each, until the sequence is changed: sorting or shuffling it does not change
    the index.

    Parameters
    ----------
    keys : ndarray or list
        The keys; a list is not copied.
    """

    __hash__ = None  # type: ignore[assignment] # as of a list

    def __init__(self, keys: NDArray[np.uint64] | list[Any]) -> None:
        self._keys: Any = keys

    def _list(self) -> list[Any]:
        """Return the keys as a list that may be changed."""
        if isinstance(self._keys, np.ndarray):
            self._keys = self._keys.tolist()
        return self._keys  # type: ignore[no-any-return]

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...  # noqa: ANN401 keys are of any type

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        """Return a key, or a list of keys."""
        item = self._keys[index]
        if isinstance(item, np.ndarray):
            return item.tolist()
        return int(item) if isinstance(item, np.integer) else item

    def __setitem__(self, index: Any, value: Any) -> None:  # noqa: ANN401 as of a list
        """Replace a key, or several."""
        self._list()[index] = value

    def __delitem__(self, index: Any) -> None:  # noqa: ANN401 as of a list
        """Remove a key, or several."""
        del self._list()[index]

    def insert(self, index: SupportsIndex, value: Any) -> None:  # noqa: ANN401 as of a list
        """Insert a key before another."""
        self._list().insert(index, value)

    def sort(self, **options: Any) -> None:  # noqa: ANN401 those of list.sort
        """Sort the keys; the options are those of `list.sort`."""
        self._list().sort(**options)

    def copy(self) -> list[Any]:
        """Return a list of the keys."""
        return list(self)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._keys)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the keys."""
        return iter(self._keys.tolist() if isinstance(self._keys, np.ndarray) else self._keys)

    def __contains__(self, key: object) -> bool:
        """Check whether a key is among them."""
        if isinstance(self._keys, np.ndarray) and not isinstance(key, int | float | np.number):
            return False
        return bool(np.any(self._keys == key)) if isinstance(self._keys, np.ndarray) else key in self._keys

    def __eq__(self, other: object) -> bool:
        """Compare with a list, or with the keys of another index."""
        if isinstance(other, Keys | list):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __add__(self, other: Iterable[Any]) -> list[Any]:
        """Return a list of these keys and others."""
        return [*self, *other]

    def __radd__(self, other: Iterable[Any]) -> list[Any]:
        """Return a list of others and these keys."""
        return [*other, *self]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401 as of an array
        """Return the keys as an array."""
        return np.array(self._keys, dtype, copy=True) if copy is not False else np.asarray(self._keys, dtype)

    def __repr__(self) -> str:
        """Return the list."""
        return repr(list(self))
