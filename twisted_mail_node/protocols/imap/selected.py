"""The mailbox that a session has selected: its door, the view of it, and how news get from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from ...interfaces.store import IMailbox
from ...mail.changes import ChangeNotice, MailboxChanges
from ...mail.errors import NoSuchMailbox
from ...wire.imap.view import View
from ...wire.mime.structure import Part
from .shared_mailbox import SharedMailbox, rights_of

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
        self.is_shared = isinstance(mailbox, SharedMailbox)
        view.rights = rights_of(mailbox)
        self._structures: dict[int, Part] = {}

    async def news(self, may_expunge: bool, ask: bool = False) -> Iterator[bytes]:
        """
        What the client is to be told now, rendered in pieces; all must be written before anything else is told.

        `ask` looks for changes though none were noticed. Fails as IMailbox.changes; nothing is lost by it.
        """
        changes = None
        # Others' mailboxes are asked each time: a change of rights holds at once.
        if (self.dirty or ask or self.is_shared) and not self.gone:
            self.dirty = False
            try:
                changes = await self._changes()
            except BaseException:
                self.dirty = True
                raise
        return chain(self._told_rights(), self.view.tell(changes, may_expunge))

    def _told_rights(self) -> Iterator[bytes]:
        """PERMANENTFLAGS, where the rights are others than before (RFC 4314 §5.1.1)."""
        rights = rights_of(self.mailbox)
        if rights != self.view.rights and not self.gone:
            self.view.rights = rights
            yield self.view.permanent_flags()

    def is_told_by(self, notice: ChangeNotice) -> bool:
        """Whether messages of this mailbox have changed."""
        return notice.account == self.mailbox.account and self.mailbox.mailbox_id in notice.mailbox_ids

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
