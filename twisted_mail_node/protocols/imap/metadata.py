"""
GETMETADATA and SETMETADATA. Sources: RFC 5464 §3, §4; RFC 6154 §4.

Shared annotations of the server are settings, and nobody's to change; a user's own of the server are kept with the
account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ...interfaces.store import IMailbox, IMetadata
from ...mail.annotation import THE_ACCOUNT, Depth, is_private, selected
from ...mail.errors import PermanentFailure, TooManyAnnotations
from ...mail.rights import Right
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import GetMetadata, SetMetadata
from ...wire.imap.responses import metadata, no, ok

if TYPE_CHECKING:
    from .session import IMAPSession

ANY_OF = Right.READ | Right.SEEN | Right.WRITE | Right.INSERT | Right.POST
"""One of these besides the right to look is enough for annotations (RFC 5464 §3.3)."""
SERVER_COMMENT, SERVER_ADMIN = "/shared/comment", "/shared/admin"


def offered(session: IMAPSession) -> bool:
    """Whether the store keeps annotations."""
    return bool(IMetadata.providedBy(session.store))


async def answer_get(session: IMAPSession, command: GetMetadata) -> bytes:
    """Answer GETMETADATA: what there is not is told as NIL, unless more than the names themselves was asked for."""
    annotated = await _annotated(session, command.mailbox)
    found = await annotated.sizes()
    wanted = selected(found, command.entries, command.depth)
    most = command.max_octets
    long = [found[name] for name in wanted if most is not None and found[name] > most]
    values: dict[str, bytes | None] = {}
    if command.depth is Depth.NONE:
        values = {name: None for name in command.entries if name not in found}
    values.update(await annotated.values([name for name in wanted if most is None or found[name] <= most]))
    told = [(command.entries.get(name, name), values[name]) for name in sorted(values)]
    name = session.engine.spelling.mailbox(command.mailbox)
    code = codes.metadata_long_entries(max(long)) if long else b""
    return await session.finish(ok("done", code), metadata(name, told) if told else b"")


async def answer_set(session: IMAPSession, command: SetMetadata) -> bytes:
    """Answer SETMETADATA: all of it, or nothing."""
    changes_shared = not all(map(is_private, command.values))
    # RFC 5464 §3.3: what others see is changed by who may write.
    annotated = await _annotated(session, command.mailbox, Right.WRITE if changes_shared else ANY_OF)
    settings = session.settings
    if annotated.is_server and changes_shared:
        return await session.finish(no("not yours to change", codes.NO_PERMISSION))
    if any(len(value or b"") > settings.metadata_octets for value in command.values.values()):
        return await session.finish(no("the value is too long", codes.metadata_max_size(settings.metadata_octets)))
    try:
        modseq = await annotated.annotate(command.values)
    except TooManyAnnotations as error:
        return await session.finish(no(error.text, codes.METADATA_TOO_MANY))
    if annotated.account == session.account.name:  # others count their own changes
        session.annotations.is_own(modseq)
    return await session.finish(ok("done"))


class _Annotated:
    """What has annotations: a mailbox, or the server as this session sees it."""

    def __init__(self, session: IMAPSession, account: str, mailbox_id: int) -> None:
        self.is_server = mailbox_id == THE_ACCOUNT
        self._door = IMetadata(session.store)
        self._most = session.settings.metadata_entries
        self._user = session.account.name
        self.account, self._id = account, mailbox_id
        self._settings: dict[str, bytes] = {}
        if self.is_server:
            settings = {SERVER_COMMENT: session.settings.comment, SERVER_ADMIN: session.settings.admin}
            self._settings = {name: value.encode("utf-8") for name, value in settings.items() if value}

    async def sizes(self) -> dict[str, int]:
        """The octets of each annotation, by name."""
        sizes: Mapping[str, int] = await self._door.annotations(self.account, self._id, self._user)
        return dict(sizes) | {name: len(value) for name, value in self._settings.items()}

    async def values(self, names: Collection[str]) -> dict[str, bytes]:
        """Those that there are, by name."""
        if not names:
            return {}
        found: Mapping[int, Mapping[str, bytes]]
        found = await self._door.annotation_values(self.account, [self._id], self._user, names)
        given = {name: value for name, value in self._settings.items() if name in names}
        return dict(found[self._id]) | given

    async def annotate(self, values: Mapping[str, bytes | None]) -> int:
        """See IMetadata."""
        modseq: int = await self._door.annotate(self.account, self._id, self._user, values, self._most)
        return modseq


async def annotations_of(session: IMAPSession, mailbox: IMailbox, names: Collection[str]) -> dict[str, bytes]:
    """Those annotations of a mailbox that there are, by name."""
    return await _Annotated(session, mailbox.account, mailbox.mailbox_id).values(names)


async def _annotated(session: IMAPSession, name: str, one_of: Right = ANY_OF) -> _Annotated:
    if not offered(session):
        raise PermanentFailure("no annotations are kept here")
    if not name:
        return _Annotated(session, session.account.name, THE_ACCOUNT)
    # RFC 5464 §3.3: who sees the mailbox, and may do something with its messages.
    mailbox = await session.places.mailbox(session.name(name), Right.LOOKUP, one_of)
    return _Annotated(session, mailbox.account, mailbox.mailbox_id)
