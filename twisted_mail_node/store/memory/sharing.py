"""
What accounts do with each other's mailboxes; see IACL.

Neighbours: `acl` has the lists of one account; `store` asks.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...mail.changes import CopyOutcome
from ...mail.errors import NoSuchMailbox, PermanentFailure
from ...mail.mailbox_name import canonical, parents
from ...mail.rights import ANYONE, NEGATIVE, NO_RIGHTS, Right, RightsChange, SharedMailbox, effective
from ...mail.uid_set import UIDSet
from .account import AccountContents
from .mailbox import MailboxContents


class Sharing:
    """Looks into all accounts. Everything happens at once."""

    def __init__(self, accounts: Mapping[str, AccountContents]) -> None:
        self._accounts = accounts

    def change_rights(
        self, owner: AccountContents, mailbox_id: int, identifier: str, change: RightsChange, rights: Right
    ) -> int:
        """See IACL."""
        owner.by_id(mailbox_id)
        who = identifier.removeprefix(NEGATIVE)
        if who == owner.name:
            raise PermanentFailure("the owner may always do everything")
        if who != ANYONE and who not in self._accounts:
            raise PermanentFailure("there is no such user")
        return owner.change_rights(mailbox_id, identifier, change, rights)

    def shared_with(self, user: str) -> list[SharedMailbox]:
        """See IACL."""
        return [
            SharedMailbox(name, mailbox.info, rights)
            for name in sorted(self._accounts.keys() - {user})
            for mailbox in self._accounts[name].mailboxes
            if (rights := effective(self._accounts[name].access.of(mailbox.mailbox_id), user))
        ]

    def find(self, account: str, name: str, user: str) -> tuple[int, Right]:
        """See IACL.find_shared."""
        contents = self._accounts.get(account)
        mailbox = contents.find(name) if contents else None
        rights = NO_RIGHTS
        if contents is not None and mailbox is not None:
            rights = effective(contents.access.of(mailbox.mailbox_id), user)
        if mailbox is None or not rights:
            raise NoSuchMailbox("the mailbox does not exist")
        return mailbox.mailbox_id, rights

    def rights_in(self, account: str, mailbox_id: int, user: str) -> Right:
        """See IACL."""
        contents = self._accounts.get(account)
        return effective(contents.access.of(mailbox_id), user) if contents else NO_RIGHTS

    def rights_above(self, account: str, name: str, user: str) -> Right:
        """See IACL."""
        contents = self._accounts.get(account)
        above = [contents.find(parent) for parent in parents(canonical(name))] if contents else []
        there = [mailbox for mailbox in above if mailbox is not None]
        if contents is None or not there:
            return NO_RIGHTS
        return effective(contents.access.of(there[-1].mailbox_id), user)

    def copy(
        self, source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, now: float, *, move: bool
    ) -> CopyOutcome:
        """See IACL.copy_between."""
        (giver, from_mailbox), (receiver, to_mailbox) = self._place(*source), self._place(*target)
        return giver.copy_to(from_mailbox, uids, receiver, to_mailbox, rights, now, move=move)

    def _place(self, account: str, mailbox_id: int) -> tuple[AccountContents, MailboxContents]:
        contents = self._accounts.get(account)
        mailbox = contents.by_id(mailbox_id) if contents else None
        if contents is None or mailbox is None:
            raise NoSuchMailbox("the mailbox does not exist")
        return contents, mailbox
