"""Messages in Maildirs: whether their files are there, and what was written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import blake2b
from typing import BinaryIO

from ....mail.errors import NoSuchMessage, Unavailable
from ...maildir.tree import Tree
from ..integrity import HASH_OCTETS
from ..maildir.reading import FileReader, Indexed
from .findings import Finding, Kind
from .moments import Moments

SLICE_FILES = 500
_PIECE_OCTETS = 256 * 1024

_FILES = (
    "SELECT f.account, f.mailbox, f.uid, f.base, f.tail, e.size, length(e.prefix), b.hash, a.name, m.name FROM "
    "(SELECT account, mailbox, uid, base, tail FROM file WHERE (account, mailbox, uid) > (?, ?, ?){only} "
    "ORDER BY account, mailbox, uid LIMIT ?) f "
    "LEFT JOIN entry e ON e.account = f.account AND e.mailbox = f.mailbox AND e.uid = f.uid "
    "LEFT JOIN email x ON x.account = e.account AND x.email = e.email LEFT JOIN body b ON b.body = x.body "
    "LEFT JOIN account a ON a.account = f.account "
    "LEFT JOIN mailbox m ON m.account = f.account AND m.mailbox = f.mailbox "
    "ORDER BY f.account, f.mailbox, f.uid"
)


class Files:
    """Looks at the files of a store, or of one account's; with `contents`, at their octets."""

    def __init__(self, moments: Moments, tree: Tree, contents: bool, account: int | None) -> None:
        self._moments = moments
        self._reader = FileReader(tree, {})
        self._contents = contents
        self._statement = _FILES.format(only="" if account is None else f" AND account = {account}")

    def check(self, told: Callable[[int], None]) -> Iterator[Finding]:
        """All of them; `told` is called with the number of the last account looked at."""
        for rows in self._moments.slices(self._statement, (0, 0, 0), SLICE_FILES):
            for account, mailbox, uid, base, tail, size, prefix, digest, name, where in rows:
                if size is not None and name is not None:
                    message = Indexed(uid, bytes(base), bytes(tail), size, None)
                    yield from self._file(
                        f"{name} {where} UID {uid}", name, (account, mailbox), message, prefix, digest
                    )
            told(rows[-1][0])

    def _file(
        self, place: str, account: str, key: tuple[int, int], message: Indexed, prefix: int, digest: bytes | None
    ) -> Iterator[Finding]:
        shown = os.fsdecode(message.base)
        try:
            with self._moments.one() as connection:
                descriptor = self._reader.shelf(connection, account, key).open(message)
        except NoSuchMessage:
            yield Finding(Kind.MISSING_FILE, place, shown)
            return
        except Unavailable as error:
            yield Finding(Kind.INCOMPLETE_BODY, place, f"{shown}: {error.__cause__}")
            return
        with closing(os.fdopen(descriptor, "rb", buffering=0)) as file:
            stored = os.fstat(descriptor).st_size
            # Files of other programs have no hash: what they had was never here in another place.
            if digest is None:
                return
            if stored != message.size:
                yield Finding(Kind.INCOMPLETE_BODY, place, f"{shown}: {stored} octets in place of {message.size}")
            elif self._contents and _hash(file, prefix) != digest:
                yield Finding(Kind.DAMAGED_BODY, place, f"{shown}: its hash differs")


def _hash(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    hashed = blake2b(digest_size=HASH_OCTETS)
    while piece := file.read(_PIECE_OCTETS):
        hashed.update(piece)
    return hashed.digest()
