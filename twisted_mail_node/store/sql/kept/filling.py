"""
Filling one mailbox: BODYSTRUCTURE and search texts of its messages in order of UID, and signatures of full blocks.

Each step ends with one commit, which says how far it has come, so a killed process goes on where it was. Work on a
message is cut into pieces of about a millisecond, with `breathe` between them. What is held in memory is a few
messages, or one's text. Neighbours: `filler` decides which mailbox and when; `blocks` has the signatures.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from ....interfaces.store import IOpenBody
from ....mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem
from ....mail.errors import Damaged, NoSuchMessage, TemporaryFailure
from ....mail.uid_set import UIDSet
from ....wire.mime.body_structure import body_structure
from ....wire.mime.decode import readable
from ....wire.mime.search_text import TextCollector, kept_fields, kept_head
from ....wire.mime.signature import NAMED_FIELDS, numbers_of, numbers_of_fields, pieces
from ....wire.mime.structure import Part, StructureScanner
from ..connection import Connection
from ..state import WriteState
from .blocks import BLOCK_UIDS, Block, Key, progress, seal
from .form import FORM, deflated

if TYPE_CHECKING:
    from ..machinery import Machinery
    from ..mailbox import SQLMailbox

STEP_MESSAGES = 32
GROUP_OCTETS = 512 * 1024
READ_OCTETS = 128 * 1024
WORK_OCTETS = 8 * 1024
"""Looked at before others may have their turn: some hundred microseconds, however it is made."""

_NAMES = frozenset(name.encode() for name in NAMED_FIELDS)
_NEXT = (
    "SELECT e.uid, m.body, length(e.prefix), e.size, t.body IS NOT NULL, m.structure IS NOT NULL FROM entry e "
    "CROSS JOIN email m ON m.account = e.account AND m.email = e.email "
    f"LEFT JOIN search_text t ON t.body = m.body AND t.form = {FORM} "
    "WHERE e.account = ? AND e.mailbox = ? AND e.uid > ? ORDER BY e.uid LIMIT ?"
)
_KEEP_TEXT = (
    "INSERT INTO search_text (body, form, head, content) SELECT body, ?, ?, ? FROM body WHERE body = ? "
    "ON CONFLICT (body) DO UPDATE SET form = excluded.form, head = excluded.head, content = excluded.content"
)
_KEEP_STRUCTURE = "UPDATE email SET structure = ? WHERE account = ? AND body = ? AND structure IS NULL"
_KEEP_PROGRESS = (
    "INSERT INTO search_progress (account, mailbox, form, kept, sealed) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (account, mailbox) DO UPDATE SET form = excluded.form, kept = excluded.kept, sealed = excluded.sealed"
)


class _Entry(NamedTuple):
    uid: int
    body: int
    prefix_octets: int
    size: int
    has_text: bool
    has_structure: bool


class _Made(NamedTuple):
    """The forms of one body; `structure` is None where it could not be read."""

    body: int
    structure: bytes | None
    head: bytes | None
    content: bytes | None


class _State(NamedTuple):
    """How far a mailbox is: see `blocks.progress`. `last` is the highest UID that was ever given."""

    kept: int
    sealed: int
    last: int


class Filling:
    """One mailbox's filling; `breathe` is awaited between two pieces of work."""

    _log = Logger()

    def __init__(
        self, machinery: Machinery, mailbox: SQLMailbox, key: Key, breathe: Callable[[], Awaitable[None]]
    ) -> None:
        self._machinery = machinery
        self._mailbox = mailbox
        self._key = key
        self._breathe = breathe

    async def step(self) -> bool:
        """Do one step. Whether there is more to do here, and this node is who does it."""
        state = await self._machinery.readers.read(lambda connection: _state(connection, self._key))
        if state is None:
            return False
        if state.kept >= (state.sealed + 1) * BLOCK_UIDS - 1:
            return await self._seal(state)
        if state.kept < state.last:
            return await self._keep(state)
        return False

    # -- texts and structures --------------------------------------------------------------------------------

    async def _keep(self, state: _State) -> bool:
        entries = await self._machinery.readers.read(
            lambda connection: [
                _Entry(*row) for row in connection.every(_NEXT, (*self._key, state.kept, STEP_MESSAGES))
            ]
        )
        made = [form async for form in self._forms([entry for entry in entries if not _is_done(entry)])]
        # What came meanwhile has higher UIDs than there were.
        kept = entries[-1].uid if len(entries) == STEP_MESSAGES else state.last
        return await self._machinery.writer.submit(
            lambda writing: _write_forms(writing, self._key, made, kept, state.sealed), idle=True, account=self._key[0]
        )

    async def _forms(self, entries: list[_Entry]) -> AsyncIterator[_Made]:
        group: list[_Entry] = []
        octets = 0
        for entry in entries:
            if entry.size > INLINE_BODY_OCTETS:
                yield await self._form_of_large(entry)
                continue
            group.append(entry)
            octets += entry.size
            if octets > GROUP_OCTETS:
                async for made in self._forms_of_small(group):
                    yield made
                group, octets = [], 0
        async for made in self._forms_of_small(group):
            yield made

    async def _forms_of_small(self, entries: list[_Entry]) -> AsyncIterator[_Made]:
        try:
            columns: Columns = await self._mailbox.fetch(
                UIDSet.of_ascending([entry.uid for entry in entries]), FetchItem.BODY
            )
        except Damaged:
            if len(entries) == 1:
                yield _nothing(entries[0])
                return
            for entry in entries:  # each by itself, so that only what is damaged is left out
                async for made in self._forms_of_small([entry]):
                    yield made
            return
        contents = dict(zip(columns.uids, columns.bodies or (), strict=True))
        for entry in entries:
            content = contents.get(entry.uid)
            if content is not None:
                yield await self._made(entry, _Octets(content))

    async def _form_of_large(self, entry: _Entry) -> _Made:
        try:
            body: IOpenBody = await self._mailbox.open_body(entry.uid)
        except (Damaged, NoSuchMessage):
            return _nothing(entry)
        try:
            return await self._made(entry, body)
        finally:
            body.close()

    async def _made(self, entry: _Entry, source: IOpenBody | _Octets) -> _Made:
        try:
            return await _made(entry, source, self._breathe)
        except (CancelledError, TemporaryFailure):
            raise
        except (Damaged, NoSuchMessage):
            return _nothing(entry)
        except Exception:
            # Our own mistake with this message: those behind it have to go on.
            self._log.failure(
                "forms of UID {uid} in mailbox {mailbox} of {account} could not be made",
                uid=entry.uid,
                mailbox=self._mailbox.mailbox_id,
                account=self._mailbox.account,
            )
            return _nothing(entry)

    # -- signatures ------------------------------------------------------------------------------------------

    async def _seal(self, state: _State) -> bool:
        block = Block()
        first = state.sealed * BLOCK_UIDS
        for start in range(first, first + BLOCK_UIDS, STEP_MESSAGES):
            columns: Columns = await self._mailbox.fetch(
                UIDSet.span(max(start, 1), start + STEP_MESSAGES - 1), FetchItem.SEARCH_HEAD | FetchItem.SEARCH_TEXT
            )
            rows = zip(columns.uids, columns.search_heads or (), columns.search_texts or (), strict=True)
            for uid, head, text in rows:
                if head is None or text is None:
                    block.add_unknown(uid)
                else:
                    await self._sign(block, uid, head, text)
        parts = []
        for part in block.parts():
            parts.append(part)
            await self._breathe()
        return await self._machinery.writer.submit(
            lambda writing: _write_block(writing, self._key, state, parts), idle=True
        )

    async def _sign(self, block: Block, uid: int, head: bytes, text: bytes) -> None:
        block.add(uid, numbers_of_fields(kept_fields(head, _NAMES)))
        for whole in (head, text):
            for piece in pieces(whole):
                block.add(uid, numbers_of(piece))
                await self._breathe()


def _nothing(entry: _Entry) -> _Made:
    return _Made(entry.body, None, None, None)


def _is_done(entry: _Entry) -> bool:
    return bool(entry.has_text and entry.has_structure)


class _Octets:
    """A message in memory, read as an opened body is."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content

    async def read(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


async def _made(entry: _Entry, source: IOpenBody | _Octets, breathe: Callable[[], Awaitable[None]]) -> _Made:
    """The forms of a body, which stands behind its prefix."""

    async def octets(start: int, end: int) -> AsyncIterator[bytes]:
        start, end = start + entry.prefix_octets, end + entry.prefix_octets
        while start < end:
            piece = await source.read(start, min(READ_OCTETS, end - start))
            if not piece:
                raise NoSuchMessage("the message is shorter than it should be")
            start += len(piece)
            for at in range(0, len(piece), WORK_OCTETS):
                yield piece[at : at + WORK_OCTETS]
                await breathe()

    scanner = StructureScanner()
    async for piece in octets(0, source.size - entry.prefix_octets):
        scanner.feed(piece)
    root = scanner.finish()
    header = b"".join([piece async for piece in octets(0, root.body_start)])
    head = kept_head(header)
    text = None if head is None else await _text(root, octets)
    return _Made(entry.body, body_structure(root), deflated(head), deflated(text))


async def _text(root: Part, octets: Callable[[int, int], AsyncIterator[bytes]]) -> bytes | None:
    collector = TextCollector()
    for decoder, start, end in readable(root):
        async for piece in octets(start, end):
            collector.feed(decoder.feed(piece))
        collector.feed(decoder.finish())
        collector.end_text()
        if collector.is_full:
            return None
    return collector.finish()


# -- in the readers' and the writer's threads -------------------------------------------------------------------


def _state(connection: Connection, key: Key) -> _State | None:
    row = connection.find("SELECT uid_next FROM mailbox WHERE account = ? AND mailbox = ?", key)
    return None if row is None else _State(*progress(connection, key), row[0] - 1)


def _may_write(state: WriteState, key: Key) -> bool:
    """Whether this node is who fills, and the mailbox is still there."""
    return state.connection.may_sweep() and (
        state.connection.find("SELECT 1 FROM mailbox WHERE account = ? AND mailbox = ?", key) is not None
    )


def _write_forms(state: WriteState, key: Key, made: list[_Made], kept: int, sealed: int) -> bool:
    if not _may_write(state, key):
        return False
    state.run_many(_KEEP_TEXT, [(FORM, form.head, form.content, form.body) for form in made])
    state.run_many(
        _KEEP_STRUCTURE, [(form.structure, key[0], form.body) for form in made if form.structure is not None]
    )
    state.run(_KEEP_PROGRESS, (*key, FORM, kept, sealed))
    return True


def _write_block(state: WriteState, key: Key, was: _State, parts: list[tuple[int, bytes]]) -> bool:
    if not _may_write(state, key):
        return False
    seal(state, key, was.sealed, parts)
    state.run(_KEEP_PROGRESS, (*key, FORM, was.kept, was.sealed + 1))
    return True
