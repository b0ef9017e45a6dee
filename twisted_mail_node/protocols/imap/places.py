"""
How a session comes to mailboxes: by name, with the rights that a command needs. No command has another way.

A new command asks `session.places.mailbox(session.name(command.mailbox), Right.READ)` for the door of a mailbox it
is given the name of, with the rights of RFC 4314 §4, and uses nothing else of the account: a name may be that of
another account's mailbox, or of one that the user may not know of, and then it is as if there were none.

Other users' mailboxes are named `<prefix>/<account>/<name>` (RFC 2342 §4). Whether there is one that the user has no
right in, is not told: the store is asked one question in any case, and the answer is the same.

Neighbours: `mail.rights`; `session` makes it at the login; `shared_mailbox` is the door of others' mailboxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...interfaces.store import IACL, IAccount, IMailbox, IMailStore
from ...mail.changes import CopyOutcome, MailboxInfo
from ...mail.errors import NoSuchMailbox, NotAllowed
from ...mail.mailbox_name import SEPARATOR, canonical, is_below, listing_key
from ...mail.rights import ALL_RIGHTS, Right
from ...mail.uid_set import UIDSet
from .shared_mailbox import SharedMailbox, refusal, rights_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is, and what the user may do with it."""

    account: str
    name: str
    mailbox_id: int
    rights: Right


class Places:
    """
    The mailboxes that one logged-in user can name. Names are the store's, not the client's (`session.name`).

    Args:
        others: the prefix of other users' mailboxes; "" for none, which it is with a store that shares none.
    """

    def __init__(self, account: IAccount, store: IMailStore, others: str) -> None:
        self._account = account
        self._store = store
        self._acl: IACL | None = IACL(store) if others and IACL.providedBy(store) else None
        self.others = others if self._acl is not None else ""

    async def place(self, name: str, need: Right, one_of: Right = ALL_RIGHTS) -> Place:
        """Where the mailbox of that name is, for who has these rights. Fails as `mailbox`."""
        owner, inner = self._owner_of(name)
        if owner is None or self._acl is None:
            mailbox: IMailbox = await self._account.mailbox(name)
            return Place(self._account.name, name, mailbox.mailbox_id, ALL_RIGHTS)
        mailbox_id, rights = await self._acl.find_shared(owner, inner, self._account.name)
        if need not in rights or not one_of & rights:
            raise refusal(rights)
        return Place(owner, inner, mailbox_id, rights)

    async def mailbox(self, name: str, need: Right, one_of: Right = ALL_RIGHTS) -> IMailbox:
        """
        The door of the mailbox of that name, for who has all rights of `need`, and one of `one_of`.

        Fails with: NoSuchMailbox: there is none, or none that the user may know of; NotAllowed.
        """
        if self._owner_of(name)[0] is None:
            mailbox: IMailbox = await self._account.mailbox(name)
            return mailbox
        place = await self.place(name, need, one_of)
        return SharedMailbox(IACL(self._store), await self._owners(place), self._account.name, place.rights)

    async def _owners(self, place: Place) -> IMailbox:
        """The owner's own door, which nobody but him may be given."""
        account: IAccount = await self._store.account(place.account)
        mailbox: IMailbox = await account.mailbox(place.name)
        if mailbox.mailbox_id != place.mailbox_id:  # another one has the name since
            raise NoSuchMailbox("the mailbox does not exist")
        return mailbox

    def _owner_of(self, name: str) -> tuple[str | None, str]:
        """Whose mailbox has this name, None for the user's own, and what it is called there."""
        if not self.others or not (name == self.others or is_below(name, self.others)):
            return None, name
        owner, _, inner = name[len(self.others) + 1 :].partition(SEPARATOR)
        return owner, canonical(inner)

    async def own_mailboxes(self) -> Sequence[MailboxInfo]:
        """Those of the user's own account, sorted by name, INBOX first."""
        mailboxes: Sequence[MailboxInfo] = await self._account.mailboxes()
        return mailboxes

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """All that LIST may tell of, so sorted. Ids are unique among the mailboxes of one account only."""
        own = await self.own_mailboxes()
        if self._acl is None:
            return own
        found = [info for info in own if self._owner_of(info.name)[0] is None]
        for shared in await self._acl.shared_with(self._account.name):
            if Right.LOOKUP in shared.rights:
                name = SEPARATOR.join((self.others, shared.account, shared.info.name))
                # What it is to its owner it is to nobody else (RFC 6154 §2).
                found.append(replace(shared.info, name=name, special_use=None))
        return sorted(found, key=lambda info: listing_key(info.name))

    async def subscriptions(self) -> Sequence[str]:
        """The names that the user has subscribed to, sorted. They need not exist."""
        names: Sequence[str] = await self._account.subscriptions()
        return names

    async def create(self, name: str, special_use: str | None) -> None:
        """Make a mailbox. Fails as IAccount.create, and with NotAllowed."""
        owner, inner = self._owner_of(name)
        if owner is None:
            await self._account.create(name, special_use)
            return
        account = await self._where_may_be_made(owner, inner)
        if special_use is not None:
            raise NotAllowed("a mailbox of another user has no special use")
        await account.create(inner, None)

    async def _where_may_be_made(self, owner: str, inner: str) -> IAccount:
        """The account of another, for who may make a mailbox of that name in it. Fails with: NotAllowed."""
        if Right.CREATE not in await IACL(self._store).rights_above(owner, inner, self._account.name):
            raise NotAllowed("you may not make a mailbox there")
        account: IAccount = await self._store.account(owner)
        return account

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with all below it. Fails as IAccount.rename, and with NotAllowed."""
        (owner, inner), (new_owner, new_inner) = self._owner_of(name), self._owner_of(new_name)
        if owner != new_owner:
            raise NotAllowed("a mailbox stays with its owner")
        if owner is None:
            await self._account.rename(name, new_name)
            return
        await self.place(name, Right.DELETE)
        account = await self._where_may_be_made(owner, new_inner)
        await account.rename(inner, new_inner)

    async def delete(self, name: str) -> IMailbox:
        """Delete a mailbox. Returns what was its door. Fails as IAccount.delete, and with NotAllowed."""
        owner, inner = self._owner_of(name)
        mailbox = await self.mailbox(name, Right.DELETE)
        account: IAccount = self._account if owner is None else await self._store.account(owner)
        await account.delete(inner)
        return mailbox

    async def subscribe(self, name: str, subscribed: bool) -> None:
        """Add or take a name of the user's list. Fails as IAccount.subscribe."""
        await self._account.subscribe(name, subscribed)

    async def copy(self, source: IMailbox, uids: UIDSet, target: str, *, move: bool) -> CopyOutcome:
        """Copy or move messages to the mailbox of that name. Fails as IMailbox.copy, and with NotAllowed."""
        outcome: CopyOutcome
        if self._owner_of(target)[0] is None and not isinstance(source, SharedMailbox):
            outcome = await (source.move(uids, target) if move else source.copy(uids, target))
            return outcome
        needed = Right.READ
        if move:  # RFC 6851 §4: as COPY, STORE and EXPUNGE would
            needed |= Right.DELETE_MESSAGES | Right.EXPUNGE
        rights = await source.look() if isinstance(source, SharedMailbox) else rights_of(source)
        if needed not in rights:
            raise (
                NotAllowed("you may not do that with this mailbox")
                if Right.READ in rights
                else NoSuchMailbox("the mailbox does not exist")
            )
        place = await self.place(target, Right.INSERT)
        outcome = await IACL(self._store).copy_between(
            (source.account, source.mailbox_id), uids, (place.account, place.mailbox_id), place.rights, move
        )
        if Right.READ not in place.rights:  # RFC 4315 §3: the UIDs are of no use, and tell of what may not be read
            return CopyOutcome(0, (), ())
        return outcome
