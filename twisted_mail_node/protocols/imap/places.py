"""
How a session comes to mailboxes: by name, with the rights that a command needs. No command has another way.

A new command asks `session.places.mailbox(session.name(command.mailbox), Right.READ)` for the door of a mailbox it
is given the name of, with the rights of RFC 4314 §4, and uses nothing else of the account: a name may be that of
another account's mailbox, or of one that the user may not know of, and then it is as if there were none.

Neighbours: `mail.rights`; `session` makes it at the login; the account's door does what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...interfaces.store import IAccount, IMailbox
from ...mail.changes import CopyOutcome, MailboxInfo
from ...mail.rights import ALL_RIGHTS, Right
from ...mail.uid_set import UIDSet


class Places:
    """The mailboxes that one logged-in user can name. Names are the store's, not the client's (`session.name`)."""

    def __init__(self, account: IAccount) -> None:
        self._account = account

    async def mailbox(self, name: str, need: Right, one_of: Right = ALL_RIGHTS) -> IMailbox:
        """
        The door of the mailbox of that name, for who has all rights of `need`, and one of `one_of`.

        Fails with: NoSuchMailbox.
        """
        mailbox: IMailbox = await self._account.mailbox(name)
        return mailbox

    async def own_mailboxes(self) -> Sequence[MailboxInfo]:
        """Those of the user's own account, sorted by name, INBOX first."""
        mailboxes: Sequence[MailboxInfo] = await self._account.mailboxes()
        return mailboxes

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """All that the user may know of, so sorted. Ids are unique among the mailboxes of one account only."""
        return await self.own_mailboxes()

    async def subscriptions(self) -> Sequence[str]:
        """The names that the user has subscribed to, sorted. They need not exist."""
        names: Sequence[str] = await self._account.subscriptions()
        return names

    async def create(self, name: str, special_use: str | None) -> None:
        """Make a mailbox. Fails as IAccount.create."""
        await self._account.create(name, special_use)

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with all below it. Fails as IAccount.rename."""
        await self._account.rename(name, new_name)

    async def delete(self, name: str) -> IMailbox:
        """Delete a mailbox. Returns what was its door. Fails as IAccount.delete."""
        mailbox = await self.mailbox(name, Right.DELETE)
        await self._account.delete(name)
        return mailbox

    async def subscribe(self, name: str, subscribed: bool) -> None:
        """Add or take a name of the user's list. Fails as IAccount.subscribe."""
        await self._account.subscribe(name, subscribed)

    async def copy(self, source: IMailbox, uids: UIDSet, target: str, *, move: bool) -> CopyOutcome:
        """Copy or move messages to the mailbox of that name. Fails as IMailbox.copy."""
        outcome: CopyOutcome = await (source.move(uids, target) if move else source.copy(uids, target))
        return outcome
