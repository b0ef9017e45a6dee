"""
Surrogates in FETCH, for a client that has not enabled UTF-8: the columns of a group, and messages that stream.

Which messages need one, and what it is, is told in `wire.imap.seven_bits`. Next to no message does, so this looks first
and reads again only what has to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from zope.interface import implementer

from ...interfaces.deferred import returns_deferred
from ...interfaces.store import IMailbox, IOpenBody
from ...mail.columns import Columns, FetchItem
from ...mail.uid_set import UIDSet
from ...wire.imap import seven_bits
from ...wire.imap.spelling import Spelling
from ...wire.mime.body_structure import body_structure, with_global_closed
from ...wire.mime.structure import Part, StructureScanner
from . import reading

if TYPE_CHECKING:
    from .session import IMAPSession


async def carried(session: IMAPSession, columns: Columns) -> Columns:
    """The columns as this client may have them. Fails as IMailbox.fetch."""
    if session.engine.spelling is Spelling.UTF8:
        return columns
    if columns.headers is not None:
        columns = replace(columns, headers=await _headers(session, columns.headers))
    if columns.bodies is not None:
        columns = replace(columns, bodies=await _bodies(session, columns.bodies))
    if columns.envelopes is not None:
        columns = replace(columns, envelopes=await _envelopes(session, columns.uids, columns.envelopes))
    if columns.body_structures is not None:
        forms = await _structures(session, columns.uids, columns.body_structures)
        columns = replace(columns, body_structures=forms)
    return columns


async def _headers(session: IMAPSession, headers: Sequence[bytes]) -> Sequence[bytes]:
    if all(map(bytes.isascii, headers)):
        return headers
    made: list[bytes] = []
    for header in headers:
        made.append(seven_bits.header_form(header))
        await session.breathe()
    return made


async def _bodies(session: IMAPSession, bodies: Sequence[bytes | None]) -> Sequence[bytes | None]:
    if all(body is None or body.isascii() for body in bodies):
        return bodies
    made: list[bytes | None] = []
    for body in bodies:
        made.append(body if body is None or body.isascii() else seven_bits.message_form(body))
        await session.breathe()
    return made


async def _envelopes(
    session: IMAPSession, uids: Sequence[int], envelopes: Sequence[bytes | None]
) -> Sequence[bytes | None]:
    wrong = [uid for uid, form in zip(uids, envelopes, strict=True) if form is not None and not form.isascii()]
    if not wrong:
        return envelopes
    mailbox: IMailbox = session.mailbox.mailbox
    made: dict[int, bytes] = {}
    async for asked in reading.groups_of_headers(mailbox, UIDSet.of_ascending(wrong)):
        columns: Columns = await mailbox.fetch(asked, FetchItem.HEADER)
        for uid, header in zip(columns.uids, columns.headers or (), strict=True):
            made[uid] = seven_bits.envelope_form(header)
            await session.breathe()
    # A message that went meanwhile, beyond reading, is shown without what cannot be shown.
    empty = seven_bits.envelope_form(b"")
    return [
        made.get(uid, empty) if form is not None and not form.isascii() else form
        for uid, form in zip(uids, envelopes, strict=True)
    ]


async def _structures(
    session: IMAPSession, uids: Sequence[int], forms: Sequence[bytes | None]
) -> Sequence[bytes | None]:
    wrong = [uid for uid, form in zip(uids, forms, strict=True) if form is not None and not _can_be_shown(form)]
    if not wrong:
        return forms
    mailbox: IMailbox = session.mailbox.mailbox
    made: dict[int, bytes] = {}
    async for asked in reading.groups_by_size(mailbox, UIDSet.of_ascending(wrong), reading.ROWS_OF_STRUCTURES):
        columns: Columns = await mailbox.fetch(asked, FetchItem.BODY)
        for uid, body in zip(columns.uids, columns.bodies or (), strict=True):
            made[uid] = await (_large_structure(session, uid) if body is None else _small_structure(session, body))
    empty = seven_bits.structure_form(b"")
    return [
        made.get(uid, empty) if form is not None and not _can_be_shown(form) else form
        for uid, form in zip(uids, forms, strict=True)
    ]


_can_be_shown = seven_bits.can_be_shown


async def _small_structure(session: IMAPSession, body: bytes) -> bytes:
    await session.breathe()
    return seven_bits.structure_form(body)


async def _large_structure(session: IMAPSession, uid: int) -> bytes:
    body: IOpenBody = await session.mailbox.mailbox.open_body(uid)
    try:
        made = DowngradedBody(session, body)
        root = await made.measure()
    finally:
        body.close()
    return with_global_closed(body_structure(root))


async def opened(
    session: IMAPSession, uid: int, header: bytes, body: IOpenBody
) -> tuple[IOpenBody, bytes, Part | None]:
    """
    A message that is too large for a column as this client may have it: body, header, and the tree if that was needed.

    Fails as IOpenBody.read.
    """
    if not await _is_international(session, uid, header):
        return body, header, None
    made = DowngradedBody(session, body)
    return made, seven_bits.header_form(header), await made.measure()


async def _is_international(session: IMAPSession, uid: int, header: bytes) -> bool:
    if session.engine.spelling is Spelling.UTF8:
        return False
    if not header.isascii():
        return True
    told: Columns = await session.mailbox.mailbox.fetch(UIDSet.of([uid]), FetchItem.BODY_STRUCTURE)
    told = await reading.with_forms(session, told, FetchItem.BODY_STRUCTURE)
    return not all((form or b"").isascii() for form in told.body_structures or ())


@implementer(IOpenBody)
class DowngradedBody:
    """
    The surrogate of an opened message, made anew whenever it is read from before where it was read last.

    Memory: a piece of the message. `size` is known only once `measure` has fired.
    """

    def __init__(self, session: IMAPSession, body: IOpenBody) -> None:
        self._session = session
        self._body = body
        self.size = 0
        self._restart()

    def _restart(self) -> None:
        self._surrogate = seven_bits.new_surrogate()
        self._taken = 0  # octets of the message that the surrogate was given
        self._waiting = b""  # octets of the surrogate that were made and not read
        self._offset = 0  # where they begin
        self._ended = False

    async def measure(self) -> Part:
        """Look through the whole: its size, and the tree of its parts. Fails as IOpenBody.read."""
        scanner = StructureScanner()
        while not self._ended:
            await self._go_on()
            scanner.feed(self._waiting)
            self.size += len(self._waiting)
            self._waiting = b""
            await self._session.breathe()
        root = scanner.finish()
        self._restart()
        return root

    @returns_deferred
    async def read(self, offset: int, length: int) -> bytes:
        """See IOpenBody."""
        if offset < self._offset:
            self._restart()
        while True:
            begin = min(len(self._waiting), offset - self._offset)
            self._waiting, self._offset = self._waiting[begin:], self._offset + begin
            if self._ended or (self._offset == offset and self._waiting):
                break
            await self._go_on()
            await self._session.breathe()
        given, self._waiting = self._waiting[:length], self._waiting[length:]
        self._offset += len(given)
        return given

    def close(self) -> None:
        """See IOpenBody."""
        self._body.close()

    async def _go_on(self) -> None:
        piece: bytes = await self._body.read(self._taken, reading.SCANNED_OCTETS)
        self._taken += len(piece)
        self._waiting += self._surrogate.feed(piece)
        if self._taken >= self._body.size or not piece:
            self._ended = True
            self._waiting += self._surrogate.end()
