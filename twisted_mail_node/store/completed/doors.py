"""IAccount and IMailbox over doors that provide the required part of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from zope.interface import Interface, implementer
from zope.interface.interface import InterfaceClass

from ...interfaces.deferred import returns_deferred, shielded
from ...interfaces.required_store import IBasicAccount, IBasicMailbox, IOpenBody
from ...interfaces.store import IAccount, IBodyStaging, IKeptForms, IMailbox, IMove, IOverview, IRecent
from ...mail.changes import CopyOutcome, MailboxChanges, MailboxInfo, MailboxStatus, StoreOutcome
from ...mail.columns import Columns, FetchItem, InternalDate
from ...mail.flags import FlagChange, Flags
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from .columns import MadeColumns
from .memory import MailboxKey, MessageKey
from .overview import MadeOverview
from .staging import is_large

if TYPE_CHECKING:
    from .store import CompletedStore


@implementer(IAccount)
class CompletedAccount:
    """One account's door."""

    def __init__(self, store: CompletedStore, basic: IBasicAccount) -> None:
        self.name = basic.name
        self._store = store
        self._basic = basic

    def __conform__(self, door: InterfaceClass) -> Interface | None:
        return self._basic if door.providedBy(self._basic) else None

    def mailboxes(self) -> Deferred[Sequence[MailboxInfo]]:
        """See IBasicAccount."""
        return self._basic.mailboxes()

    @returns_deferred
    async def statuses(self, mailbox_ids: Sequence[int]) -> Sequence[MailboxStatus]:
        """See IBasicAccount."""
        return [
            with_recent(self._store, MailboxKey(self.name, status.mailbox_id, status.uid_validity), status)
            for status in await self._basic.statuses(mailbox_ids)
        ]

    @returns_deferred
    async def mailbox(self, name: str) -> IMailbox:
        """See IBasicAccount."""
        mailbox = await self._basic.mailbox(name)
        status = await mailbox.status()
        return CompletedMailbox(self._store, mailbox, MailboxKey(self.name, mailbox.mailbox_id, status.uid_validity))

    def create(self, name: str, special_use: str | None = None) -> Deferred[MailboxInfo]:
        """See IBasicAccount."""
        return self._basic.create(name, special_use)

    def rename(self, name: str, new_name: str) -> Deferred[None]:
        """See IBasicAccount."""
        return self._basic.rename(name, new_name)

    def delete(self, name: str) -> Deferred[None]:
        """See IBasicAccount."""
        return self._basic.delete(name)

    def subscribe(self, name: str, subscribed: bool) -> Deferred[None]:
        """See IBasicAccount."""
        return self._basic.subscribe(name, subscribed)

    def subscriptions(self) -> Deferred[Sequence[str]]:
        """See IBasicAccount."""
        return self._basic.subscriptions()


@implementer(IMailbox)
class CompletedMailbox:
    """One mailbox's door. ISearch, where the mailbox provides it, is found through this one."""

    def __init__(self, store: CompletedStore, basic: IBasicMailbox, key: MailboxKey) -> None:
        self.account = key.account
        self.mailbox_id = key.mailbox_id
        self._store = store
        self._basic = basic
        self._key = key
        self._columns = MadeColumns(basic, key, store.made, store.lacking, store.clock)
        self._overview = MadeOverview(basic, key, store.overviews, store.clock)

    def __conform__(self, door: InterfaceClass) -> Interface | None:
        return self._basic if door.providedBy(self._basic) else None

    # Questions

    @returns_deferred
    async def status(self) -> MailboxStatus:
        """See IBasicMailbox."""
        return with_recent(self._store, self._key, await self._basic.status())

    @returns_deferred
    async def claim_recent(self) -> MailboxStatus:
        """
        See IRecent. Without the store's help it is remembered until the node stops: then all counts as recent, as
        RFC 3501 §2.3.2 wants where it is not known.
        """
        if IRecent.providedBy(self._basic):
            return await IRecent(self._basic).claim_recent()
        status = await self._basic.status()
        before = with_recent(self._store, self._key, status)
        self._store.overviews.of(self._key).recent_after = status.uid_next - 1
        return before

    @returns_deferred
    async def keywords(self) -> Sequence[str]:
        """See IOverview."""
        if IOverview.providedBy(self._basic):
            return await IOverview(self._basic).keywords()
        return await self._overview.keywords()

    @returns_deferred
    async def first_unseen(self) -> int | None:
        """See IOverview."""
        if IOverview.providedBy(self._basic):
            return await IOverview(self._basic).first_unseen()
        return await self._overview.first_unseen()

    def uids(self) -> Deferred[UIDSet]:
        """See IBasicMailbox."""
        return self._basic.uids()

    def changes(self, since_modseq: int) -> Deferred[MailboxChanges]:
        """See IBasicMailbox."""
        return self._basic.changes(since_modseq)

    # Reading

    @returns_deferred
    async def fetch(self, uids: UIDSet, items: FetchItem) -> Columns:
        """See IBasicMailbox; here every column that is asked for is given."""
        return await self._columns.fetch(uids, items)

    def open_body(self, uid: int) -> Deferred[IOpenBody]:
        """See IBasicMailbox."""
        return self._basic.open_body(uid)

    def keep_forms(self, forms: Columns) -> None:
        """See IKeptForms. Without the store's help they are remembered while there is room."""
        if IKeptForms.providedBy(self._basic):
            IKeptForms(self._basic).keep_forms(forms)
        else:
            self._columns.keep(forms)

    # Changes

    def append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> Deferred[CopyOutcome]:
        """See IBasicMailbox."""
        return shielded(self._append(messages))

    @returns_deferred
    async def _append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> CopyOutcome:
        bodies = [body for body, _, _ in messages]
        if IBodyStaging.providedBy(self._store.basic) or all(body.staged is None for body in bodies):
            outcome = await self._basic.append(messages)
        elif is_large(bodies):
            outcome = await self._store.staging.whole.run(self._append_whole, messages, bodies)
        else:
            outcome = await self._append_whole(messages, bodies)
        for uid, body in zip(outcome.target_uids, bodies, strict=True):
            self._store.made.put_body(MessageKey(*self._key, uid), body)
        return outcome

    @returns_deferred
    async def _append_whole(
        self, messages: Sequence[tuple[Body, Flags, InternalDate]], bodies: Sequence[Body]
    ) -> CopyOutcome:
        read = await self._store.staging.read(bodies)
        whole = [(body, flags, date) for body, (_, flags, date) in zip(read, messages, strict=True)]
        outcome = await self._basic.append(whole)
        self._store.staging.used(bodies)
        return outcome

    def store_flags(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Deferred[StoreOutcome]:
        """See IBasicMailbox."""
        return self._basic.store_flags(uids, change, flags, unchanged_since)

    def copy(self, uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """See IBasicMailbox."""
        return self._basic.copy(uids, target)

    def move(self, uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """
        See IMove. Without the store's help it is a copy and then an expunge (RFC 6851 §3.3), with new guids; what
        a crash leaves between the two is in both mailboxes.
        """
        if IMove.providedBy(self._basic):
            return IMove(self._basic).move(uids, target)
        return shielded(self._copy_and_expunge(uids, target))

    @returns_deferred
    async def _copy_and_expunge(self, uids: UIDSet, target: str) -> CopyOutcome:
        outcome = await self._basic.copy(uids, target)
        await self._basic.expunge(UIDSet.of(outcome.source_uids), only_deleted=False)
        return outcome

    def expunge(self, uids: UIDSet | None = None, only_deleted: bool = True) -> Deferred[UIDSet]:
        """See IBasicMailbox."""
        return self._basic.expunge(uids, only_deleted)


def with_recent(store: CompletedStore, key: MailboxKey, status: MailboxStatus) -> MailboxStatus:
    """The counters, with what the node remembers of \\Recent where the store does not."""
    overview = store.overviews.peek(key)
    if overview is None or not overview.recent_after:
        return status
    return replace(status, recent_after=max(status.recent_after, overview.recent_after))
