"""
Bodies on their way into files: what of them stays in the database, and where their octets come from.

A body that the queue has as well is kept twice: the queue's copy in the database goes when it has been sent.
Neighbours: `deliveries` and `alterations` ask; `work` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from ....mail.columns import INLINE_BODY_OCTETS
from ....mail.transaction import Body
from ..connection import Value
from ..integrity import staged_body
from ..state import Number, WriteState
from .writing import Pieces

INSERT_FILE = "INSERT INTO file VALUES (?, ?, ?, ?, ?)"

Octets = bytes | Callable[[], Iterator[bytes]]


def octets_of(state: WriteState, body: Body) -> Octets:
    """The body's octets, those of a large one piece by piece. To be asked before the body is taken."""
    if body.staged is None:
        return body.content or b""
    number, _ = staged_body(body.staged)

    def chunks() -> Iterator[bytes]:
        position = 0
        while row := state.connection.find(
            "SELECT content FROM chunk WHERE body = ? AND number = ?", (number, position)
        ):
            yield row[0]
            position += 1

    return chunks if body.size > INLINE_BODY_OCTETS else b"".join(chunks())


def with_prefix(prefix: bytes, octets: Octets) -> Pieces:
    """What the file has: as others are to see the message."""
    if isinstance(octets, bytes):
        return prefix, octets

    def pieces() -> Iterable[bytes]:
        return chain((prefix,), octets())

    return pieces


def second_body(state: WriteState, rows: list[tuple[Value, ...]]) -> int:
    """The row of the body in files beside the last one, which the queue has. Returns its number."""
    number = state.new_number(Number.BODY)
    _, size, header_size, eight_bit, _, digest, _ = rows[-1]
    rows.append((number, size, header_size, eight_bit, None, digest, 1))
    return number


def drop_chunks(state: WriteState, body: Body) -> None:
    """The body is in files: what was staged in the database goes."""
    if body.staged is not None:
        state.run("DELETE FROM chunk WHERE body = ?", (staged_body(body.staged)[0],))
