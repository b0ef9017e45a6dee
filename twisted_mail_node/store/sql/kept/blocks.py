"""
Signatures of a block of messages, sliced by bits: for each number a row of bits, one a message, so that a search
takes a few rows of all blocks and has what may match.

A block is the messages of one mailbox whose UIDs are the same divided by BLOCK_UIDS; it is written once, when all of
them have come. Neighbours: `wire.mime.signature` says which numbers a text has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....mail.uid_set import UIDSet
from ....wire.mime.signature import MODULUS
from ..connection import Connection, Selection
from ..state import WriteState
from .form import FORM

BLOCK_UIDS = 256
SLICE_OCTETS = BLOCK_UIDS // 8
PART_SLICES = 64
"""So many numbers share a row, of 2 KiB: it lies in a page of its table."""
PARTS = MODULUS // PART_SLICES + 1

Key = tuple[int, int]
_PROGRESS = "SELECT kept, sealed FROM search_progress WHERE account = ? AND mailbox = ? AND form = ?"
_ROWS = Selection(
    ("block", "part"),
    "search_block WHERE account = :account AND mailbox = :mailbox AND block < :sealed "
    "AND part IN (SELECT value FROM numbers_in(:parts))",
    (("bits", "length(bits)"),),
)


def progress(connection: Connection, key: Key) -> tuple[int, int]:
    """How far it has come in a mailbox: the UID up to which texts are kept, and how many blocks are sealed."""
    row = connection.find(_PROGRESS, (*key, FORM))
    return (0, 0) if row is None else (row[0], row[1])


class Block:
    """The signatures of one block while they are gathered."""

    def __init__(self) -> None:
        self._slices = [0] * (PARTS * PART_SLICES)
        self._everywhere = 0

    def add(self, uid: int, numbers: Iterable[int]) -> None:
        """The message has these numbers."""
        bit = 1 << uid % BLOCK_UIDS
        slices = self._slices
        for number in numbers:
            slices[number] |= bit

    def add_unknown(self, uid: int) -> None:
        """The message may have any."""
        self._everywhere |= 1 << uid % BLOCK_UIDS

    def parts(self) -> Iterator[tuple[int, bytes]]:
        """(part, bits), where there are any."""
        for part in range(PARTS):
            first = part * PART_SLICES
            rows = [bits | self._everywhere for bits in self._slices[first : first + PART_SLICES]]
            if any(rows):
                yield part, b"".join([bits.to_bytes(SLICE_OCTETS, "little") for bits in rows])


def seal(state: WriteState, key: Key, number: int, parts: Iterable[tuple[int, bytes]]) -> None:
    """Write a block's signatures."""
    state.run_many(
        "INSERT INTO search_block (account, mailbox, part, block, bits) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (account, mailbox, part, block) DO UPDATE SET bits = excluded.bits",
        [(*key, part, number, bits) for part, bits in parts],
    )


def candidates(connection: Connection, key: Key, wanted: frozenset[int]) -> tuple[UIDSet, int] | None:
    """
    The UIDs whose signatures have all the numbers, and the UID from which on there are no signatures.

    None where nothing is known: no numbers are wanted, or no block is sealed.
    """
    _, sealed = progress(connection, key)
    if not wanted or not sealed:
        return None
    places: dict[int, list[int]] = {}
    for number in wanted:
        places.setdefault(number // PART_SLICES, []).append(number % PART_SLICES * SLICE_OCTETS)
    blocks, parts, rows = connection.columns(
        _ROWS,
        {"account": key[0], "mailbox": key[1], "sealed": sealed, "parts": f"[{','.join(map(str, places))}]"},
    )
    found: dict[int, int] = {}
    seen: dict[int, int] = {}
    for block, part, bits in zip(blocks, parts, rows, strict=True):
        both = found.get(block, -1)
        for start in places[part]:
            both &= int.from_bytes(bits[start : start + SLICE_OCTETS], "little")
        found[block] = both
        seen[block] = seen.get(block, 0) + 1
    # A part that has no row has no bits.
    uids = [
        block * BLOCK_UIDS + position
        for block in sorted(found)
        if found[block] and seen[block] == len(places)
        for position in _positions(found[block])
    ]
    return UIDSet.of_ascending(uids), sealed * BLOCK_UIDS


def _positions(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
