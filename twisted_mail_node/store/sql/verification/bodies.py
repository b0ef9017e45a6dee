"""What was received: whether it is all there, what was written, and wanted by somebody."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from hashlib import blake2b

from ..bodies import CHUNK_OCTETS
from ..connection import Connection
from ..integrity import HASH_OCTETS, body_hash
from .findings import Finding, Kind
from .mailboxes import shown
from .moments import Moments

SLICE_BODIES = 100
"""In one moment: at most 25 MiB, since none of these has more than INLINE_BODY_OCTETS."""

SLICE_CHUNKS = 32

_BODIES = (
    "SELECT body, size, header_size, content IS NULL, {content}, hash, in_files, "
    "EXISTS (SELECT 1 FROM email WHERE email.body = b.body) OR EXISTS (SELECT 1 FROM queue WHERE queue.body = b.body) "
    "OR EXISTS (SELECT 1 FROM orphan WHERE orphan.body = b.body) "
    "FROM body b WHERE {which}"
)
_NEXT = "body > ?{only} ORDER BY body LIMIT ?"
_ONE = "body = ?{only}"
_CHUNKS = "SELECT number, content FROM chunk WHERE body = {body} AND number > ? ORDER BY number LIMIT ?"
_THERE = "SELECT 1 FROM body WHERE body = ? AND body NOT IN (SELECT body FROM orphan)"
_QUEUED = "SELECT item FROM queue WHERE body = ? ORDER BY item LIMIT 5"
_SHOWN = (
    "SELECT a.account, a.name, m.email FROM email m JOIN account a ON a.account = m.account WHERE m.body = ? "
    "ORDER BY 1, 3 LIMIT 5"
)
_OF_ACCOUNT = " AND body IN (SELECT body FROM email WHERE account = {account})"


class Bodies:
    """
    Looks at bodies; `without_hash` counts those that have none. `account`: at that account's only.

    With `contents`, at their octets; without, at what is told of them.
    """

    def __init__(self, moments: Moments, contents: bool, account: int | None) -> None:
        self.without_hash = 0
        self._moments = moments
        self._contents = contents
        only = "" if account is None else _OF_ACCOUNT.format(account=account)
        columns = "content" if contents else "NULL"
        self._next = _BODIES.format(content=columns, which=_NEXT.format(only=only))
        self._one = _BODIES.format(content=columns, which=_ONE.format(only=only))

    def check(self, told: Callable[[int], None]) -> Iterator[Finding]:
        """All of them; `told` is called with the number of the last one looked at."""
        after: int | None = 0
        while after is not None:
            try:
                rows = self._moments.rows(self._next, (after, SLICE_BODIES))
            except self._moments.errors:
                after = yield from self._one_by_one(after)
            else:
                for row in rows:
                    yield from self._body(*row)
                after = rows[-1][0] if len(rows) == SLICE_BODIES else None
            if after is not None:
                told(after)

    def _one_by_one(self, after: int) -> Generator[Finding, None, int | None]:
        """Among the next bodies are damaged ones: which? Returns where to go on."""
        last = after + SLICE_BODIES
        for number in range(after + 1, last + 1):
            try:
                rows = self._moments.rows(self._one, (number,))
            except self._moments.errors as error:
                where = self._where(number)
                # Where nobody shows it, there need not be one of that number.
                if where:
                    yield Finding(Kind.DAMAGED_BODY, f"body {number}: {where}", str(error), (number,))
                continue
            for row in rows:
                yield from self._body(*row)
        return last if self._last_number() > last else None

    def _last_number(self) -> int:
        try:
            return int(self._moments.rows("SELECT body FROM numbering")[0][0])
        except self._moments.errors:
            return 0

    def _body(
        self,
        number: int,
        size: int,
        header_size: int,
        in_chunks: bool,
        content: bytes | None,
        digest: bytes | None,
        in_files: int,
        is_used: bool,
    ) -> Iterator[Finding]:
        if not is_used:
            yield Finding(Kind.UNUSED_BODY, f"body {number}", f"{size} octets", (number,))
        if header_size > size:
            yield self._finding(Kind.INCOMPLETE_BODY, number, f"a header of {header_size} octets in {size}")
        if in_files:
            return
        if digest is None:
            self.without_hash += 1
        if not self._contents:
            return
        if in_chunks:
            yield from self._chunks(number, size, digest)
            return
        octets = content or b""
        if len(octets) != size:
            yield self._finding(Kind.INCOMPLETE_BODY, number, f"{len(octets)} octets in place of {size}")
        elif digest is not None and body_hash(octets) != digest:
            yield self._finding(Kind.DAMAGED_BODY, number, "its hash differs")

    def _chunks(self, number: int, size: int, digest: bytes | None) -> Iterator[Finding]:
        found, expected, hashed = 0, 0, blake2b(digest_size=HASH_OCTETS)
        try:
            for rows in self._moments.slices(_CHUNKS.format(body=number), (-1,), SLICE_CHUNKS):
                for chunk, content in rows:
                    if chunk != expected or (found % CHUNK_OCTETS and content):
                        yield self._finding(Kind.INCOMPLETE_BODY, number, f"chunk {expected} is not there or too short")
                        return
                    expected += 1
                    found += len(content)
                    hashed.update(content)
        except self._moments.errors as error:
            yield self._finding(Kind.DAMAGED_BODY, number, str(error))
            return
        if found != size:
            if not self._is_there(number):
                return  # Swept meanwhile.
            yield self._finding(Kind.INCOMPLETE_BODY, number, f"{found} octets in place of {size}")
        elif digest is not None and hashed.digest() != digest:
            yield self._finding(Kind.DAMAGED_BODY, number, "its hash differs")

    def _is_there(self, number: int) -> bool:
        return bool(
            self._moments.rows("SELECT 1 FROM body WHERE body = ? AND body NOT IN (SELECT body FROM orphan)", (number,))
        )

    def _finding(self, kind: Kind, number: int, detail: str) -> Finding:
        where = self._where(number)
        return Finding(kind, f"body {number}: {where}" if where else f"body {number}", detail, (number,))

    def _where(self, number: int) -> str:
        try:
            with self._moments.one() as connection:
                return _shown_in(connection, number)
        except self._moments.errors:
            return "where it is shown cannot be read"


def _shown_in(connection: Connection, body: int) -> str:
    showing = connection.every(_SHOWN, (body,))
    places = [f"{name} {shown(connection, account, email)}" for account, name, email in showing]
    places += [f"queue item {item}" for (item,) in connection.every(_QUEUED, (body,))]
    return "; ".join(places)
