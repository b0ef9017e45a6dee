"""The mailbox that a session has selected: its door, the view of it, and how news get from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxChanges
from ...mail.errors import NoSuchMailbox
from ...wire.imap.view import View
from ...wire.mime.structure import Part

# Trees of parts kept for clients that fetch a large message part by part.
_KEPT_STRUCTURES = 8


class Selected:
    """
    A selected mailbox.

    `dirty` says that something has happened which the view does not know yet; `gone`, that the mailbox was deleted.
    """

    def __init__(self, mailbox: IMailbox, view: View) -> None:
        self.mailbox = mailbox
        self.view = view
        self.dirty = False
        self.gone = False
        self._structures: dict[int, Part] = {}

    async def news(self, may_expunge: bool, ask: bool = False) -> Iterator[bytes]:
        """
        What the client is to be told now, rendered in pieces; all must be written before anything else is told.

        `ask` looks for changes though none were noticed. Fails as IMailbox.changes; nothing is lost by it.
        """
        changes = None
        if (self.dirty or ask) and not self.gone:
            self.dirty = False
            try:
                changes = await self._changes()
            except BaseException:
                self.dirty = True
                raise
        return self.view.tell(changes, may_expunge)

    async def _changes(self) -> MailboxChanges | None:
        mailbox: IMailbox = self.mailbox
        view = self.view
        changes = await mailbox.changes(view.modseq)
        try:
            if changes.exists and not view.knows_recent(changes):
                # EXAMINE takes no message's \Recent away (RFC 3501 §6.3.2), nor does who is not told of it.
                keeps_it = view.read_only or not view.tells_recent
                status = await (mailbox.status() if keeps_it else mailbox.claim_recent())
                view.claim_recent(status.recent_after, status.uid_next)
        except NoSuchMailbox:
            changes = replace(changes, exists=False)
        if not changes.exists:
            self.gone = True
            return None
        return changes

    def shows(self, mailbox: IMailbox) -> bool:
        """Whether this is the mailbox that is selected; ids are unique in one account only."""
        mine = self.mailbox
        return bool((mine.account, mine.mailbox_id) == (mailbox.account, mailbox.mailbox_id))

    def structure(self, uid: int) -> Part | None:
        """The tree of a large message, if it is remembered."""
        return self._structures.get(uid)

    def keep_structure(self, uid: int, root: Part) -> None:
        """Remember the tree of a large message; the one kept longest goes."""
        if len(self._structures) >= _KEPT_STRUCTURES:
            del self._structures[next(iter(self._structures))]
        self._structures[uid] = root
