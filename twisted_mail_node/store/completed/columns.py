"""
Columns that a store does not keep, made of what it gives: header block, ids, and the forms that sessions computed.

Bodies are read in groups that fit in memory; between two groups others have their turn. The kept forms are not
computed here: who asks for them computes what is missing and tells `keep_forms`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ...interfaces.required_store import IBasicMailbox, IOpenBody
from ...mail.columns import INLINE_BODY_OCTETS, KEPT, Columns, FetchItem, InternalDate
from ...mail.uid_set import UIDSet
from ...wire.mime.headers import header_size
from .memory import Form, MadeOfMessages, MailboxKey, MessageKey

GROUP_OCTETS = 512 * 1024
"""Bodies in memory at once, and looked through before others have their turn: about a millisecond."""

PIECE_OCTETS = 128 * 1024

_NAMES = {
    FetchItem.HEADER: "headers",
    FetchItem.EMAIL_ID: "email_ids",
    FetchItem.GUID: "guids",
    FetchItem.SAVE_DATE: "save_dates",
    **KEPT,
}
# The id of a message that went while it was looked at.
_GONE = blake2b(digest_size=16).hexdigest()
_OF_BODIES = FetchItem.HEADER | FetchItem.EMAIL_ID


class Lacking:
    """Columns that a store was found not to give."""

    def __init__(self) -> None:
        self.items = FetchItem.NONE


class MadeColumns:
    """
    Answers `fetch` for one mailbox of a store.

    `lacking` is shared by all mailboxes of the store: the columns that it was found not to give.
    """

    def __init__(
        self, mailbox: IBasicMailbox, key: MailboxKey, made: MadeOfMessages, lacking: Lacking, clock: IReactorTime
    ) -> None:
        self._mailbox = mailbox
        self._key = key
        self._made = made
        self._lacking = lacking
        self._clock = clock

    async def fetch(self, uids: UIDSet, items: FetchItem) -> Columns:
        """All columns that are asked for, the kept forms among them with None where none is kept."""
        columns = await self._given(uids, items)
        missing = FetchItem.NONE
        for item, name in _NAMES.items():
            if item in items and getattr(columns, name) is None:
                missing |= item
        if not missing:
            return columns
        found = columns.uids
        if FetchItem.GUID in missing:
            columns.guids = [self._guid(uid) for uid in found]
        if FetchItem.SAVE_DATE in missing:
            columns.save_dates = [None] * len(found)
        for item, name in KEPT.items():
            if item in missing:
                setattr(columns, name, self._kept(found, item))
        if missing & _OF_BODIES:
            await self._make(columns, missing & _OF_BODIES)
        return columns

    def keep(self, forms: Columns) -> None:
        """Remember forms that were computed."""
        for item, name in KEPT.items():
            if column := getattr(forms, name):
                for uid, form in zip(forms.uids, column, strict=True):
                    self._made.put(MessageKey(*self._key, uid), item, form)

    async def _given(self, uids: UIDSet, items: FetchItem) -> Columns:
        """What the store gives of it. A column that it leaves out once is not asked of it again."""
        asked = items & ~self._lacking.items
        given = await self._mailbox.fetch(uids, asked)
        if given.uids:
            for item, name in _NAMES.items():
                if item in asked and getattr(given, name) is None:
                    self._lacking.items |= item
        return replace(given)

    def _guid(self, uid: int) -> str:
        """As good an id as an entry has that is known by its place alone: another place makes another entry of it."""
        return f"{self._key.mailbox_id}.{self._key.uid_validity}.{uid}"

    def _kept(self, uids: Sequence[int], item: FetchItem) -> list[Form | None]:
        return [self._made.get(MessageKey(*self._key, uid), item) for uid in uids]

    async def _make(self, columns: Columns, items: FetchItem) -> None:
        """Header blocks and ids of emails, of what is remembered and else of the bodies."""
        headers: dict[int, bytes] = {}
        email_ids: dict[int, str] = {}
        unknown = []
        for uid in columns.uids:
            key = MessageKey(*self._key, uid)
            header, email_id = self._made.get(key, FetchItem.HEADER), self._made.get(key, FetchItem.EMAIL_ID)
            if isinstance(header, bytes):
                headers[uid] = header
            if isinstance(email_id, str):
                email_ids[uid] = email_id
            if (header is None and FetchItem.HEADER in items) or (email_id is None and FetchItem.EMAIL_ID in items):
                unknown.append(uid)
        async for uid, body, date in self._bodies(unknown):
            key = MessageKey(*self._key, uid)
            if FetchItem.HEADER in items:
                headers[uid] = await _header(body)
                self._made.put(key, FetchItem.HEADER, headers[uid])
            if FetchItem.EMAIL_ID in items:
                email_ids[uid] = await self._email_id(body, date)
                self._made.put(key, FetchItem.EMAIL_ID, email_ids[uid])
        if FetchItem.HEADER in items:
            columns.headers = [headers.get(uid, b"") for uid in columns.uids]
        if FetchItem.EMAIL_ID in items:
            columns.email_ids = [email_ids.get(uid, _GONE) for uid in columns.uids]

    async def _bodies(self, uids: Sequence[int]) -> AsyncIterator[tuple[int, bytes | IOpenBody, InternalDate]]:
        """The messages, each with its date: the small ones whole, in groups, and the large ones opened."""
        sizes = await self._mailbox.fetch(UIDSet.of_ascending(uids), FetchItem.SIZE) if uids else Columns(())
        for group in _groups(sizes):
            columns = await self._mailbox.fetch(UIDSet.of_ascending(group), FetchItem.BODY | FetchItem.INTERNAL_DATE)
            for uid, body, date in zip(columns.uids, columns.bodies or (), columns.internal_dates or (), strict=True):
                if body is not None:
                    yield uid, body, date
                    continue
                opened = await self._mailbox.open_body(uid)
                try:
                    yield uid, opened, date
                finally:
                    opened.close()
            await deferLater(self._clock, 0)

    async def _email_id(self, body: bytes | IOpenBody, date: InternalDate) -> str:
        """
        An id of the message's octets and date: what is the same in both has the same id.

        RFC 8474 §4 lets messages that are exactly alike have one id; copies have to.
        """
        digest = blake2b(b"%d %d " % date, digest_size=16)
        async for piece in _pieces(body):
            digest.update(piece)
            if len(piece) == PIECE_OCTETS:
                await deferLater(self._clock, 0)
        return digest.hexdigest()


def _groups(columns: Columns) -> list[list[int]]:
    """The UIDs cut so that the bodies of each group (large ones aside) fit in GROUP_OCTETS."""
    groups: list[list[int]] = []
    octets = GROUP_OCTETS
    for uid, size in zip(columns.uids, columns.sizes or (), strict=True):
        held = size if size <= INLINE_BODY_OCTETS else 0
        if not groups or octets + held > GROUP_OCTETS:
            groups.append([])
            octets = 0
        groups[-1].append(uid)
        octets += held
    return groups


async def _header(body: bytes | IOpenBody) -> bytes:
    """The header block, its empty line included; of one that does not end, as much as a column may have."""
    if isinstance(body, bytes):
        return body[: header_size(body)]
    read = b""
    async for piece in _pieces(body):
        read += piece
        size = header_size(read)
        if size < len(read) or size >= INLINE_BODY_OCTETS:
            return read[:size]
    return read


async def _pieces(body: bytes | IOpenBody) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    offset = 0
    while piece := await body.read(offset, PIECE_OCTETS):
        offset += len(piece)
        yield piece
