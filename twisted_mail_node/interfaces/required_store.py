"""
The required part of the mailbox backend's doors: what a store has to do itself, and nothing that can be made of it.

A store of somebody else's, over tables of their own, provides these three and is served by a node: what more the
doors of `interfaces.store` promise is made of it by `store.completed`. What a store provides of that by itself is
used as it is.

Every method that returns a Deferred may fail with `TemporaryFailure` (the storage is not reachable, full, or
stopping); further failures are named with the method. Cancelling a Deferred of a reading method gives up the
answer; a change that has begun is finished whatever happens to its Deferred.

Neighbours: values in `mail`; docs/backends.md tells how to write one; `testing.store_contract` proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.changes import ChangeNotice, CopyOutcome, MailboxChanges, MailboxInfo, MailboxStatus, StoreOutcome
from ..mail.columns import Columns, FetchItem, InternalDate
from ..mail.flags import FlagChange, Flags
from ..mail.transaction import Body, Committed, Transaction
from ..mail.uid_set import UIDSet

ChangeListener = Callable[[ChangeNotice], None]


class IOpenBody(Interface):
    """A message opened for reading; stays readable while open, though it be expunged meanwhile."""

    size = Attribute("Octets in all, the entry's prefix counted in.")

    def read(offset: int, length: int) -> Deferred[bytes]:
        """Up to `length` octets from `offset`; b"" at the end."""

    def close() -> None:
        """Done; may be called more than once."""


class IWatch(Interface):
    """A listener's registration."""

    def cancel() -> None:
        """No notice is told after this returns."""


class IBasicStore(Interface):
    """The mailbox backend as a whole. Also the only way in which a message becomes real: `deliver`."""

    def start() -> Deferred[None]:
        """Open the storage, making or migrating it where needed. Fails with PermanentFailure naming the remedy."""

    def stop() -> Deferred[None]:
        """Finish what was begun, then close. Later calls fail with Unavailable."""

    def deliver(transaction: Transaction) -> Deferred[Committed]:
        """
        Commit the transaction: durable in every place when the Deferred fires.

        A transaction whose id was committed before changes nothing, and fires with the same outcome.

        Fails with: Refused: some accounts do not exist (or cannot take the message); nothing was done.
        A transaction with queue entries needs a store that provides IQueueStore as well; bodies are staged only
        with a store that provides IBodyStaging.
        """

    def accounts() -> Deferred[Sequence[str]]:
        """All accounts' names, sorted."""

    def account(name: str) -> Deferred[IBasicAccount]:
        """The account's door. Fails with: NoSuchAccount."""

    def watch(account: str, listener: ChangeListener) -> IWatch:
        """Call `listener` in the reactor's thread after every commit that changes the account."""


class IBasicAccount(Interface):
    """One account: its mailboxes and subscriptions. Mailbox names are Unicode, "/" between levels, INBOX first."""

    name = Attribute("The account's name, an address in lower case.")

    def mailboxes() -> Deferred[Sequence[MailboxInfo]]:
        """All mailboxes, sorted by name, INBOX first. A name whose parent does not exist is allowed."""

    def statuses(mailbox_ids: Sequence[int]) -> Deferred[Sequence[MailboxStatus]]:
        """Counters of these mailboxes; one that is gone is left out."""

    def mailbox(name: str) -> Deferred[IBasicMailbox]:
        """The mailbox's door; `inbox` in any case is INBOX. Fails with: NoSuchMailbox."""

    def create(name: str, special_use: str | None = None) -> Deferred[MailboxInfo]:
        """
        Make a mailbox and those parents that are missing (RFC 3501 §6.3.3). Not subscribed by it.

        Fails with: MailboxExists, BadMailboxName; PermanentFailure for a special use that RFC 6154 has not.
        """

    def rename(name: str, new_name: str) -> Deferred[None]:
        """
        Rename with all below it. INBOX stays, empty, and its messages move to the new one (RFC 3501 §6.3.5).

        Missing parents of the new name are made; special uses go along, subscriptions do not.

        Fails with: NoSuchMailbox, MailboxExists, BadMailboxName.
        """

    def delete(name: str) -> Deferred[None]:
        """
        Delete the mailbox and its messages; mailboxes below it stay.

        Fails with: NoSuchMailbox; PermanentFailure for INBOX.
        """

    def subscribe(name: str, subscribed: bool) -> Deferred[None]:
        """
        Add or take a name of the subscription list; it need not exist (RFC 3501 §6.3.6).

        Fails with: BadMailboxName: a name to add that no mailbox could have.
        """

    def subscriptions() -> Deferred[Sequence[str]]:
        """Subscribed names, sorted."""


class IBasicMailbox(Interface):
    """
    One mailbox, addressed by its id: a rename does not disturb it. Methods fail with NoSuchMailbox once it is
    deleted.

    An expunged message stays readable by `fetch` and `open_body` for at least an hour, for sessions that have
    not been told yet; it is in no search, count or change any more.
    """

    account = Attribute("The account's name.")

    mailbox_id = Attribute("The id, unique in the account.")

    def status() -> Deferred[MailboxStatus]:
        """The counters."""

    def uids() -> Deferred[UIDSet]:
        """The UIDs of all messages."""

    def fetch(uids: UIDSet, items: FetchItem) -> Deferred[Columns]:
        """
        Columns of those of the UIDs that exist or are still readable, ascending.

        Has to give FLAGS, INTERNAL_DATE, SIZE, MODSEQ and BODY where they are asked for. Any other column may be
        left None by a store that does not keep it.

        The caller cuts its question so that the answer fits in memory: about INLINE_BODY_OCTETS a row at worst
        for BODY and HEADER.
        """

    def open_body(uid: int) -> Deferred[IOpenBody]:
        """Open one message for reading in pieces. Fails with: NoSuchMessage."""

    def append(
        messages: Sequence[tuple[Body, Flags, InternalDate]],
    ) -> Deferred[CopyOutcome]:
        """Add messages, all or none. Fires with source_uids empty."""

    def store_flags(
        uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Deferred[StoreOutcome]:
        """
        Change flags of all existing messages in the set, those with a modseq above the condition left alone.

        Fails with: PermanentFailure: a message would have more keywords than `mail.flags` allows.
        """

    def copy(uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """
        Copy with flags and internal date to the mailbox named, all or none (RFC 3501 §6.4.7).

        Fails with: NoSuchMailbox: the target.
        """

    def expunge(uids: UIDSet | None = None, only_deleted: bool = True) -> Deferred[UIDSet]:
        """
        Remove messages that have \\Deleted (all such, or those of the set); with `only_deleted` false, all of
        the set, in one commit and as one change (POP3's UPDATE). Fires with what was removed.
        """

    def changes(since_modseq: int) -> Deferred[MailboxChanges]:
        """What happened after that modseq. A mailbox that is gone gives exists=False, not a failure."""
