"""
Which annotations others have changed, told to a client that has enabled METADATA.

Sources: RFC 5464 §4.1, §4.4.2. Neighbours: the session says when something was noticed, and when it may be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...interfaces.store import IMetadata
from ...mail.annotation import THE_ACCOUNT
from ...mail.changes import AnnotationChanges
from ...wire.imap.responses import metadata_changed

if TYPE_CHECKING:
    from .session import IMAPSession

_FAR_AHEAD = 2**62
"""Above the modseq of any account: nothing has changed since."""


class AnnotationNews:
    """
    What one session has been told of.

    `dirty` says that something has changed which the client may not know yet; `watched`, that it wants to know.
    """

    def __init__(self) -> None:
        self.dirty = False
        self.watched = False
        self._modseq = 0
        self._own: set[int] = set()

    async def watch(self, session: IMAPSession) -> None:
        """Tell what changes from now on."""
        if not self.watched:
            self._modseq = (await self._changes(session, _FAR_AHEAD)).modseq
            self.watched = True

    def forget(self) -> None:
        """Nobody is logged in any more."""
        self.dirty = self.watched = False
        self._own.clear()

    def is_own(self, modseq: int) -> None:
        """This change was the client's own, of which it is not told."""
        if self.watched:
            self._own.add(modseq)

    async def news(self, session: IMAPSession, ask: bool = False) -> list[bytes]:
        """
        METADATA responses, one for each mailbox. Fails as IMetadata; nothing is lost by it.

        `ask` looks for changes though none were noticed.
        """
        if not (self.dirty or ask) or not self.watched:
            return []
        self.dirty = False
        try:
            changes = await self._changes(session, self._modseq)
            names = await _names(session, changes)
        except BaseException:
            self.dirty = True
            raise
        by_mailbox: dict[bytes, list[str]] = {}
        for (mailbox_id, annotation), modseq in changes.changed.items():
            if modseq not in self._own and mailbox_id in names:
                by_mailbox.setdefault(names[mailbox_id], []).append(annotation)
        self._modseq = changes.modseq
        self._own = {modseq for modseq in self._own if modseq > self._modseq}
        return [metadata_changed(name, sorted(entries)) for name, entries in by_mailbox.items()]

    async def _changes(self, session: IMAPSession, since: int) -> AnnotationChanges:
        name = session.account.name
        changes: AnnotationChanges = await IMetadata(session.store).annotation_changes(name, name, since)
        return changes


async def _names(session: IMAPSession, changes: AnnotationChanges) -> Mapping[int, bytes]:
    """How the client knows what has changed; a mailbox that is gone is none of it."""
    names = {THE_ACCOUNT: b'""'}
    if any(mailbox_id != THE_ACCOUNT for mailbox_id, _ in changes.changed):
        mailboxes = await session.places.own_mailboxes()
        names |= {info.mailbox_id: session.spelled(info.name) for info in mailboxes}
    return names
