"""Sets of guids of which there may be millions: 16 octets each, and no object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

GUID_OCTETS = 16


class GuidSet:
    """The guids of these pages. Looking one up takes some microseconds."""

    def __init__(self, pages: Iterable[Sequence[bytes]] = ()) -> None:
        # Page by page, so that the objects of one are gone before those of the next come.
        ordered = [b"".join(sorted(page)) for page in pages]
        self._octets = bytearray()
        for guid in merge(*map(_split, ordered)):
            self._octets += guid
        self._count = len(self._octets) // GUID_OCTETS

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return _split(bytes(self._octets))

    def __contains__(self, guid: object) -> bool:
        octets, low, high = self._octets, 0, self._count
        while low < high:
            middle = (low + high) // 2
            begin = middle * GUID_OCTETS
            found = octets[begin : begin + GUID_OCTETS]
            if found == guid:
                return True
            if found < guid:  # type: ignore[operator]
                low = middle + 1
            else:
                high = middle
        return False


def _split(octets: bytes) -> Iterator[bytes]:
    for begin in range(0, len(octets), GUID_OCTETS):
        yield octets[begin : begin + GUID_OCTETS]
