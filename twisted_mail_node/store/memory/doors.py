"""The doors of one account and of one mailbox: IAccount and IMailbox over their contents."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from ...interfaces.store import IAccount, IMailbox, IOpenBody, IRestorableAccount, IRestorableMailbox
from ...mail.changes import CopyOutcome, MailboxChanges, MailboxInfo, MailboxStatus, StoreOutcome
from ...mail.columns import KEPT, Columns, FetchItem, InternalDate
from ...mail.errors import NoSuchAccount, NoSuchMailbox, NoSuchMessage
from ...mail.flags import FlagChange, Flags
from ...mail.restoring import RestoredMailbox, RestoredMessage
from ...mail.transaction import Body
from ...mail.uid_set import EMPTY, UIDSet
from ..identity import new_guid
from .account import AccountContents
from .answers import Life, answered
from .content import OpenBody
from .mailbox import MailboxContents, NewEntry
from .staging import BodySource

NOTHING = Columns((), flags=(), modseqs=())


@implementer(IAccount, IRestorableAccount)
class MemoryAccount:
    """One account's door. Fails with NoSuchAccount once the account is removed."""

    def __init__(self, contents: AccountContents, life: Life, bodies: BodySource) -> None:
        self.name = contents.name
        self.life = life
        self._contents = contents
        self._bodies = bodies

    @answered
    def mailboxes(self) -> Sequence[MailboxInfo]:
        """See IAccount."""
        return [mailbox.info for mailbox in self._existing.mailboxes]

    @answered
    def statuses(self, mailbox_ids: Sequence[int]) -> Sequence[MailboxStatus]:
        """See IAccount."""
        wanted = frozenset(mailbox_ids)
        return [mailbox.status for mailbox in self._existing.mailboxes if mailbox.mailbox_id in wanted]

    @answered
    def mailbox(self, name: str) -> IMailbox:
        """See IAccount."""
        return MemoryMailbox(self._contents, self._existing.mailbox(name), self.life, self._bodies)

    @answered
    def create(self, name: str, special_use: str | None = None) -> MailboxInfo:
        """See IAccount. Fails also with PermanentFailure: not a special use of RFC 6154."""
        return self._existing.create(name, special_use).info

    @answered
    def rename(self, name: str, new_name: str) -> None:
        """See IAccount."""
        self._existing.rename(name, new_name, self.life.now)

    @answered
    def delete(self, name: str) -> None:
        """See IAccount."""
        self._existing.delete(name)

    @answered
    def subscribe(self, name: str, subscribed: bool) -> None:
        """See IAccount. Fails also with BadMailboxName: no mailbox could have the name."""
        self._existing.subscribe(name, subscribed)

    @answered
    def subscriptions(self) -> Sequence[str]:
        """See IAccount."""
        return self._existing.subscriptions

    @answered
    def restore_mailbox(self, mailbox: RestoredMailbox) -> MailboxStatus:
        """See IRestorableAccount."""
        return self._existing.restore(mailbox).status

    @answered
    def renew_uid_validity(self, name: str) -> MailboxStatus:
        """See IRestorableAccount."""
        return self._existing.renew(name).status

    @property
    def _existing(self) -> AccountContents:
        if self._contents.gone:
            raise NoSuchAccount("the account does not exist any more")
        return self._contents


@implementer(IMailbox, IRestorableMailbox)
class MemoryMailbox:
    """One mailbox's door."""

    def __init__(self, account: AccountContents, contents: MailboxContents, life: Life, bodies: BodySource) -> None:
        self.account = account.name
        self.mailbox_id = contents.mailbox_id
        self.life = life
        self._account = account
        self._contents = contents
        self._bodies = bodies

    # Questions

    @answered
    def status(self) -> MailboxStatus:
        """See IMailbox."""
        return self._existing.status

    @answered
    def claim_recent(self) -> MailboxStatus:
        """See IMailbox."""
        return self._existing.claim_recent()

    @answered
    def keywords(self) -> Sequence[str]:
        """See IMailbox."""
        return self._existing.keywords

    @answered
    def uids(self) -> UIDSet:
        """See IMailbox."""
        return self._existing.uids

    @answered
    def first_unseen(self) -> int | None:
        """See IMailbox."""
        return self._existing.first_unseen

    @answered
    def changes(self, since_modseq: int) -> MailboxChanges:
        """See IMailbox."""
        if self._contents.gone:
            return MailboxChanges(self._account.modseq, 1, NOTHING, NOTHING, EMPTY, exists=False)
        return self._contents.changes(since_modseq)

    # Reading

    @answered
    def fetch(self, uids: UIDSet, items: FetchItem) -> Columns:
        """See IMailbox."""
        return self._existing.fetch(uids, items, self.life.now)

    @answered
    def open_body(self, uid: int) -> IOpenBody:
        """See IMailbox."""
        entry = self._existing.entry(uid, self.life.now)
        return OpenBody(entry.prefix, entry.body)

    def keep_forms(self, forms: Columns) -> None:
        """See IMailbox. Here it is done at once."""
        if self._contents.gone:
            return
        kept = [(item, values) for item, name in KEPT.items() if (values := getattr(forms, name)) is not None]
        for position, uid in enumerate(forms.uids):
            try:
                body = self._contents.entry(uid, self.life.now).body
            except NoSuchMessage:
                continue
            body.kept.update((item, values[position]) for item, values in kept)

    # Changes

    @answered
    def append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> CopyOutcome:
        """See IMailbox. Fails also with TemporaryFailure: a staged body is gone."""
        mailbox = self._existing
        self._account.check_room([body.size for body, _, _ in messages])
        bodies = self._bodies.bodies([body for body, _, _ in messages])
        new = [
            NewEntry(body, b"", flags, internal_date, new_guid())
            for body, (_, flags, internal_date) in zip(bodies, messages, strict=True)
        ]
        self._bodies.used([body for body, _, _ in messages])
        return CopyOutcome(mailbox.uid_validity, (), self._account.add(mailbox, new, self.life.now))

    @answered
    def guids(self, after_uid: int, limit: int) -> Columns:
        """See IRestorableMailbox."""
        found = self._existing.above(after_uid, limit)
        return Columns([entry.uid for entry in found], guids=[entry.guid for entry in found])

    @answered
    def restore(self, messages: Sequence[RestoredMessage]) -> CopyOutcome:
        """See IRestorableMailbox. Fails also with TemporaryFailure: a staged body is gone."""
        mailbox = self._existing
        given = [message.body for message in messages]
        bodies = self._bodies.bodies(given)
        new = [
            NewEntry(body, was.prefix, was.flags, was.internal_date, was.email_id or new_guid(), was.guid, was.uid)
            for body, was in zip(bodies, messages, strict=True)
        ]
        mailbox.check_uids(new)
        self._account.check_room([was.body.size + len(was.prefix) for was in messages])
        uids = self._account.add(mailbox, new, self.life.now)
        self._bodies.used(given)
        return CopyOutcome(mailbox.uid_validity, (), uids)

    @answered
    def store_flags(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> StoreOutcome:
        """See IMailbox."""
        return self._account.store_flags(self._existing, uids, change, flags, unchanged_since)

    @answered
    def copy(self, uids: UIDSet, target: str) -> CopyOutcome:
        """See IMailbox."""
        return self._account.copy(self._existing, uids, target, self.life.now)

    @answered
    def move(self, uids: UIDSet, target: str) -> CopyOutcome:
        """See IMailbox."""
        return self._account.move(self._existing, uids, target, self.life.now)

    @answered
    def expunge(self, uids: UIDSet | None = None, only_deleted: bool = True) -> UIDSet:
        """See IMailbox."""
        return self._account.expunge(self._existing, uids, only_deleted, self.life.now)

    @property
    def _existing(self) -> MailboxContents:
        if self._contents.gone:
            raise NoSuchMailbox("the mailbox does not exist any more")
        return self._contents
