"""
Messages read out of their files, in the readers' threads.

The index says where a file is, and others may have renamed it since: then it is looked for. What is open stays
readable whatever becomes of its name. Neighbours: `store.maildir.content` for line ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ....interfaces.store import IOpenBody
from ....mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem
from ....mail.errors import NoSuchMessage, Unavailable
from ....mail.uid_set import UIDSet
from ...maildir.content import AT_ONCE_OCTETS, read_header, read_whole, turned_file
from ...maildir.listing import file_in, listed
from ...maildir.opening import open_descriptor
from ...maildir.tree import Tree, staged_file
from ..bodies import READ_AT_ONCE_OCTETS
from ..connection import Connection
from ..readers import Readers
from ..selection import bindings_of, fetch, rows_of
from .steps import Key

_OCTETS = FetchItem.HEADER | FetchItem.BODY
_JOINS = (
    " CROSS JOIN email m ON m.account = e.account AND m.email = e.email"
    " CROSS JOIN body b ON b.body = m.body"
    " LEFT JOIN file f ON f.account = e.account AND f.mailbox = e.mailbox AND f.uid = e.uid WHERE "
)
_FOUND = (
    "SELECT e.uid, f.base, f.tail, b.in_files, e.size, "
    "CASE WHEN b.header_size >= 0 THEN b.header_size + length(e.prefix) END"
)
_FOLDER = "SELECT name, target FROM folder WHERE account = ? AND mailbox = ?"


class Indexed(NamedTuple):
    """
    What the index says of a message's file; `base` is empty where others have removed it.

    `header_size` is None where it is found by reading.
    """

    uid: int
    base: bytes
    tail: bytes
    size: int
    header_size: int | None


class Shelf:
    """The files of one mailbox, for one read."""

    def __init__(
        self, connection: Connection, tree: Tree, account: str, key: tuple[int, int], tails: Mapping[Key, bytes]
    ) -> None:
        self._tree = tree
        self._account, self._mailbox = key
        self._tails = tails
        row = connection.find(_FOLDER, key)
        names = () if row is None else (row[0], row[1])
        self._folders = [tree.folder(account, bytes(name)) for name in names if name]
        self._listed: dict[bytes, bytes] | None = None

    def open(self, message: Indexed) -> int:
        """A descriptor of its file. Raises NoSuchMessage: others have removed it. Unavailable: it can't be read."""
        try:
            if not message.base:
                raise NoSuchMessage("the message is gone")
            for find in (self._by_index, self._elsewhere, self._renamed):
                for path in find(message):
                    with suppress(FileNotFoundError):
                        return open_descriptor(path)
        except OSError as error:
            raise Unavailable("a file of the mailbox cannot be read") from error
        raise NoSuchMessage("the message is gone")

    def _by_index(self, message: Indexed) -> list[bytes]:
        tail = self._tails.get((self._account, self._mailbox, message.uid), message.tail)
        return [file_in(folder, message.base, tail) for folder in self._folders]

    def _elsewhere(self, message: Indexed) -> list[bytes]:
        staged = staged_file(self._tree, self._account, message.base)
        gone = self._tree.gone_file(self._account, self._mailbox, message.uid)
        # Once more as the index has it: it may just have come from the stage.
        return [gone, *([staged] if staged else ()), *self._by_index(message)]

    def _renamed(self, message: Indexed) -> list[bytes]:
        if self._listed is None:
            self._listed = {}
            for folder in self._folders:
                with suppress(FileNotFoundError):
                    self._listed |= {base: file_in(folder, base, tail) for base, tail in listed(folder).items()}
        path = self._listed.get(message.base)
        return [] if path is None else [path]


class FileReader:
    """Reads messages of mailboxes whose files are in this tree; `tails` are those that the rows do not have yet."""

    def __init__(self, tree: Tree, tails: Mapping[Key, bytes]) -> None:
        self._tree = tree
        self._tails = tails

    def shelf(self, connection: Connection, account: str, key: tuple[int, int]) -> Shelf:
        """The files of a mailbox, as they are during this read."""
        return Shelf(connection, self._tree, account, key, self._tails)

    def find(self, connection: Connection, account: str, key: tuple[int, int], uid: int) -> tuple[Indexed, int] | None:
        """A message and its open file; None where it has none. Raises as `Shelf.open`."""
        for table in ("entry", "expunged"):
            found = _indexed(connection, key, UIDSet.span(uid, uid), table)
            if found:
                message = found[0]
                return None if message is None else (message, self.shelf(connection, account, key).open(message))
        return None

    def opened(self, found: tuple[Indexed, int], readers: Readers) -> IOpenBody:
        """The message, whose file is open, as the door gives it. In a reader's thread."""
        message, descriptor = found
        try:
            stored = os.fstat(descriptor).st_size
            as_it_is = stored == message.size
            if stored <= (READ_AT_ONCE_OCTETS if as_it_is else AT_ONCE_OCTETS):
                return ReadBody(read_whole(descriptor, message.size))
            descriptor = turned_file(descriptor, message.size, self._tree.gone)
            body = OpenFile(descriptor, readers)
            descriptor = -1
            return body
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def fetch(self, account: str) -> Callable[[Connection, int, int, UIDSet, FetchItem, str], Columns]:
        """`selection.fetch` for the mailboxes of an account, with what is in files."""

        def fetch_all(
            connection: Connection, number: int, mailbox: int, uids: UIDSet, items: FetchItem, table: str = "entry"
        ) -> Columns:
            columns = fetch(connection, number, mailbox, uids, items & ~_OCTETS, table)
            if items & _OCTETS:
                self._add_octets(connection, account, (number, mailbox), uids, items, table, columns)
            return columns

        return fetch_all

    def _add_octets(
        self,
        connection: Connection,
        account: str,
        key: tuple[int, int],
        uids: UIDSet,
        items: FetchItem,
        table: str,
        columns: Columns,
    ) -> None:
        if not columns.uids:
            columns.headers, columns.bodies = (
                [] if items & item else None for item in (FetchItem.HEADER, FetchItem.BODY)
            )
            return
        shelf = self.shelf(connection, account, key)
        headers: dict[int, bytes] = {}
        bodies: dict[int, bytes | None] = {}
        in_database = []
        for uid, message in zip(columns.uids, _indexed(connection, key, uids, table), strict=True):
            if message is None:
                in_database.append(uid)
                continue
            # Whoever wants the body of one that others have removed is told when he opens it.
            headers[uid], bodies[uid] = b"", None
            with suppress(NoSuchMessage):
                headers[uid], bodies[uid] = _octets(shelf, message, items)
        if in_database:
            rest = fetch(connection, *key, UIDSet.of_ascending(in_database), items & _OCTETS, table)
            headers.update(zip(rest.uids, rest.headers or (), strict=False))
            bodies.update(zip(rest.uids, rest.bodies or (), strict=False))
        if items & FetchItem.HEADER:
            columns.headers = [headers[uid] for uid in columns.uids]
        if items & FetchItem.BODY:
            columns.bodies = [bodies[uid] for uid in columns.uids]


def _octets(shelf: Shelf, message: Indexed, items: FetchItem) -> tuple[bytes, bytes | None]:
    wants_body = bool(items & FetchItem.BODY) and message.size <= INLINE_BODY_OCTETS
    if not wants_body and not items & FetchItem.HEADER:
        return b"", None
    descriptor = shelf.open(message)
    try:
        header = read_header(descriptor, message.size, message.header_size) if items & FetchItem.HEADER else b""
        return header, read_whole(descriptor, message.size) if wants_body else None
    finally:
        os.close(descriptor)


def _indexed(connection: Connection, key: tuple[int, int], uids: UIDSet, table: str) -> list[Indexed | None]:
    """A value a row, ascending; None where the message is in the database."""
    rows = rows_of(uids, table).replace(" WHERE ", _JOINS, 1)
    return [
        Indexed(uid, bytes(base or b""), bytes(tail or b""), size, header_size) if in_files else None
        for uid, base, tail, in_files, size, header_size in connection.every(
            f"{_FOUND} FROM {rows} ORDER BY e.uid", bindings_of(*key, uids)
        )
    ]


@implementer(IOpenBody)
class ReadBody:
    """A message that was read when it was opened."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See IOpenBody.read."""
        return succeed(self._content[offset : offset + length])

    def close(self) -> None:
        """See IOpenBody.close."""


@implementer(IOpenBody)
class OpenFile:
    """A message read from its open file, which it closes."""

    def __init__(self, descriptor: int, readers: Readers) -> None:
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._readers = readers
        self._reads = 0
        self._closing = False

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See IOpenBody.read."""
        if offset >= self.size or self._closing:
            return succeed(b"")
        self._reads += 1
        descriptor = self._descriptor
        return self._readers.read(lambda _: _part(descriptor, offset, length)).addBoth(self._was_read)

    def _was_read(self, result: bytes) -> bytes:
        self._reads -= 1
        self._close_unused()
        return result

    def close(self) -> None:
        """See IOpenBody.close. A read that runs is finished first."""
        self._closing = True
        self._close_unused()

    def _close_unused(self) -> None:
        if self._closing and not self._reads and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        # Whoever forgot to close it must not cost the process a descriptor.
        self._closing, self._reads = True, 0
        self._close_unused()


def _part(descriptor: int, offset: int, length: int) -> bytes:
    parts = list[bytes]()
    while length and (part := os.pread(descriptor, length, offset)):
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)
