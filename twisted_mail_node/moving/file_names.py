"""Names of files of which there may be a million: sorted, and in one piece of memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate


class FileNames:
    """These names, sorted; the list is emptied on the way."""

    def __init__(self, names: list[bytes]) -> None:
        names.sort()
        self._octets = b"".join(names)
        self._ends = array("Q", accumulate(map(len, names), initial=0))
        names.clear()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, position: int) -> bytes:
        # A position that is none ends a loop over positions, as with any sequence.
        if not 0 <= position < len(self):
            raise IndexError(position)
        return self._octets[self._ends[position] : self._ends[position + 1]]

    def first_from(self, name: bytes) -> int:
        """The position of the first that is not below this name."""
        return bisect_left(self, name)
