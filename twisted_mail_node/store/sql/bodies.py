"""
Bodies: large ones come in by chunks before their transaction, and all are read without holding the database.

A body is one row with its content, or, above INLINE_BODY_OCTETS, one row and chunks of CHUNK_OCTETS (the last may be
shorter). A body that is open is not swept. Neighbours: `deliveries` makes a staged body a lasting one.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from twisted.internet.defer import Deferred, DeferredLock, succeed
from zope.interface import implementer

from ...interfaces.deferred import shielded
from ...interfaces.store import IBodyWriter, IOpenBody
from ...mail.columns import INLINE_BODY_OCTETS
from ...mail.errors import NoSuchMessage, TemporaryFailure, Unavailable
from ...mail.transaction import Body
from .connection import Connection
from .integrity import HASH_OCTETS, check_body, staged_name
from .readers import Readers
from .state import Number, WriteState
from .writer import Writer

CHUNK_OCTETS = 128 * 1024
"""One commit each while a body is staged, and about what an upload keeps in memory."""

READ_AT_ONCE_OCTETS = 64 * 1024
"""A body up to this size is read when it is opened: most are, and one read is all that they need."""


class Pins:
    """
    Bodies in use here: being staged, or open. What is pinned is not swept. Used in the reactor's thread.

    `given_up` are bodies that their writers gave up; the store's writer looks as well.
    """

    def __init__(self) -> None:
        self.given_up: set[int] = set()
        self._counts: dict[int, int] = {}

    def add(self, body: int) -> None:
        """One more user."""
        self._counts[body] = self._counts.get(body, 0) + 1

    def remove(self, body: int) -> None:
        """One less."""
        left = self._counts.get(body, 0) - 1
        if left > 0:
            self._counts[body] = left
        else:
            self._counts.pop(body, None)

    def snapshot(self) -> frozenset[int]:
        """The pinned bodies now."""
        return frozenset(self._counts)


@implementer(IBodyWriter)
class BodyWriter:
    """
    Stages a body chunk by chunk; each full chunk is one small commit.

    A chunk that could not be written ends the body: it must not be committed with a hole.
    """

    def __init__(self, writer: Writer, pins: Pins) -> None:
        self._writer = writer
        self._pins = pins
        self._buffer = bytearray()
        self._size = 0
        self._number = 0
        self._hash = blake2b(digest_size=HASH_OCTETS)
        self._body: int | None = None
        self._over = False
        self._one_at_a_time = DeferredLock()

    def write(self, data: bytes) -> Deferred[None]:
        """See IBodyWriter.write. Fires at once until a chunk is full."""
        return shielded(Deferred.fromCoroutine(self._write(data)))

    def finish(self, header_size: int, eight_bit: bool) -> Deferred[Body]:
        """See IBodyWriter.finish."""
        return shielded(Deferred.fromCoroutine(self._finish(header_size, eight_bit)))

    async def _write(self, data: bytes) -> None:
        self._check()
        self._buffer += data
        self._size += len(data)
        if len(self._buffer) >= CHUNK_OCTETS:
            async with self._one_at_a_time:
                while len(self._buffer) >= CHUNK_OCTETS:
                    await self._write_chunk()

    async def _finish(self, header_size: int, eight_bit: bool) -> Body:
        self._check()
        async with self._one_at_a_time:
            while not self._over and (self._buffer or self._body is None):
                await self._write_chunk()
        self._check()
        self._over = True
        body = self._body
        assert body is not None
        self._pins.remove(body)
        name = staged_name(body, self._hash.digest())
        return Body(size=self._size, header_size=header_size, staged=name, eight_bit=eight_bit)

    def abort(self) -> None:
        """
        See IBodyWriter.abort. Before a transaction has taken the body, none can any more.

        A piece that is being written is no failure: nobody may be left to be told.
        """
        body, given_up = self._body, self._pins.given_up
        if not self._over and body is not None:
            self._pins.remove(body)
        self._over = True
        self._buffer.clear()
        if body is None or body in given_up:
            return
        given_up.add(body)
        # Should it fail, the sweep comes by later.
        self._writer.submit(_dropping(body)).addBoth(lambda _: given_up.discard(body))

    def _check(self) -> None:
        if self._over:
            raise TemporaryFailure("the message body was given up")
        if not self._writer.accepting:
            raise Unavailable("the store is stopped")

    async def _write_chunk(self) -> None:
        chunk = bytes(self._buffer[:CHUNK_OCTETS])
        del self._buffer[:CHUNK_OCTETS]
        number, body = self._number, self._body
        self._number += 1
        self._hash.update(chunk)
        try:
            written = await self._writer.submit(_staging(body, number, chunk))
        except Exception:
            self.abort()
            raise
        if self._body is None:
            self._body = written
            if self._over:
                self.abort()
            else:
                self._pins.add(written)


def _staging(body: int | None, number: int, chunk: bytes) -> Callable[[WriteState], int]:
    def stage(state: WriteState) -> int:
        known = body
        if known is None:
            known = state.new_number(Number.BODY)
            state.run("INSERT INTO staged VALUES (?, ?)", (known, state.seconds()))
        state.run("INSERT INTO chunk VALUES (?, ?, ?)", (known, number, chunk))
        return known

    return stage


def _dropping(body: int) -> Callable[[WriteState], None]:
    def drop(state: WriteState) -> None:
        if state.run("DELETE FROM staged WHERE body = ?", (body,)):
            state.user_lost((body,))

    return drop


class StoredBody:
    """Where a message's octets are: its prefix, its body's number and size, and the content where it is small."""

    __slots__ = ("content", "in_chunks", "number", "prefix", "size")

    def __init__(self, connection: Connection, number: int, prefix: bytes) -> None:
        """Raises NoSuchMessage where the body is gone; Damaged where it was read and is another."""
        # Where the database does not check its pages, all but what is in chunks is read, to be compared with its hash.
        at_once = READ_AT_ONCE_OCTETS if connection.checks_pages else INLINE_BODY_OCTETS
        row = connection.find(
            "SELECT size, content IS NULL, CASE WHEN size <= ? THEN content END, hash FROM body WHERE body = ?",
            (at_once, number),
        )
        if row is None:
            raise NoSuchMessage("the message is gone")
        self.number, self.prefix = number, prefix
        self.size, self.in_chunks = row[0], bool(row[1])
        self.content: bytes | None = row[2]
        if self.content is not None:
            check_body(self.content, row[3], f"body {number}")
            if self.size > READ_AT_ONCE_OCTETS:
                self.content = None


@implementer(IOpenBody)
class OpenBody:
    """A body open for reading. A read takes one short transaction of its own, or none for a small body."""

    def __init__(self, stored: StoredBody, readers: Readers, pins: Pins, what: str) -> None:
        """`what` it is, for the operator."""
        self.size = len(stored.prefix) + stored.size
        self._stored = stored
        self._readers = readers
        self._pins = pins
        self._what = what
        self._open = True
        pins.add(stored.number)

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See IOpenBody.read."""
        stored = self._stored
        if stored.content is not None:
            return succeed((stored.prefix + stored.content)[offset : offset + length])
        head = stored.prefix[offset : offset + length]
        start = max(0, offset - len(stored.prefix))
        wanted = min(length - len(head), stored.size - start)
        if wanted <= 0:
            return succeed(head)
        read = _chunks if stored.in_chunks else _part
        number = stored.number
        what = f"body {number}, {self._what}"
        return self._readers.read(lambda connection: head + read(connection, number, start, wanted), what)

    def close(self) -> None:
        """See IOpenBody.close."""
        if self._open:
            self._open = False
            self._pins.remove(self._stored.number)


def _part(connection: Connection, number: int, start: int, length: int) -> bytes:
    part = connection.part_of_body(number, start, length)
    if part is None:
        raise NoSuchMessage("the message is gone")
    return part


def _chunks(connection: Connection, number: int, start: int, length: int) -> bytes:
    first, last = start // CHUNK_OCTETS, (start + length - 1) // CHUNK_OCTETS
    rows = connection.every(
        "SELECT content FROM chunk WHERE body = ? AND number BETWEEN ? AND ? ORDER BY number",
        (number, first, last),
    )
    if len(rows) != last - first + 1:
        raise NoSuchMessage("the message is gone")
    at = start - first * CHUNK_OCTETS
    return b"".join([row[0] for row in rows])[at : at + length]
