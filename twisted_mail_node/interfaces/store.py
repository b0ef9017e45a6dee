"""
The mailbox backend's doors: a store, its accounts, their mailboxes. Made for bulk: sets of UIDs in, columns out.

Every method that returns a Deferred may fail with `TemporaryFailure` (the storage is not reachable, full, or
stopping); further failures are named with the method. Cancelling a Deferred of a reading method gives up the
answer; a change that has begun is finished whatever happens to its Deferred.

Neighbours: values in `mail`; implementations in `store`; the contract that proves one in `testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.address import Address
from ..mail.changes import ChangeNotice, CopyOutcome, MailboxChanges, MailboxInfo, MailboxStatus, StoreOutcome
from ..mail.columns import Columns, FetchItem, InternalDate
from ..mail.flags import FlagChange, Flags
from ..mail.restoring import RestoredMailbox, RestoredMessage
from ..mail.search import SearchKey
from ..mail.transaction import Body, Committed, Transaction
from ..mail.uid_set import UIDSet

ChangeListener = Callable[[ChangeNotice], None]


class IBodyWriter(Interface):
    """Takes a large body in pieces before its transaction. What is neither finished nor committed is swept."""

    def write(data: bytes) -> Deferred[None]:
        """Take a piece. Fires when the next piece may come: the caller keeps no more than one piece waiting."""

    def finish(header_size: int, eight_bit: bool) -> Deferred[Body]:
        """End the body. Fires with the staged Body, for one transaction or append soon after."""

    def abort() -> None:
        """Give the body up. May be called at any time; a second call does nothing."""


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


class IMailStore(Interface):
    """The mailbox backend as a whole. Also the only way in which a message becomes real: `deliver`."""

    def start() -> Deferred[None]:
        """Open the storage, making or migrating it where needed. Fails with PermanentFailure naming the remedy."""

    def stop() -> Deferred[None]:
        """Finish what was begun, then close. Later calls fail with Unavailable."""

    def stage_body() -> IBodyWriter:
        """A writer for a body above INLINE_BODY_OCTETS."""

    def deliver(transaction: Transaction) -> Deferred[Committed]:
        """
        Commit the transaction: durable in every place when the Deferred fires.

        Fails with: Refused: some accounts do not exist (or cannot take the message); nothing was done.
        A transaction with queue entries needs a store that provides IQueueStore as well.
        """

    def create_account(name: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> Deferred[None]:
        """
        Make an account with INBOX and these mailboxes, given as (name, special use), all subscribed.

        `name` is an address in lower case. Fails with: AccountExists.
        """

    def remove_account(name: str) -> Deferred[None]:
        """Remove the account and all it holds. Fails with: NoSuchAccount."""

    def accounts() -> Deferred[Sequence[str]]:
        """All accounts' names, sorted."""

    def account(name: str) -> Deferred[IAccount]:
        """The account's door. Fails with: NoSuchAccount."""

    def watch(account: str, listener: ChangeListener) -> IWatch:
        """Call `listener` in the reactor's thread after every commit that changes the account."""


class IMaildropLock(Interface):
    """The exclusive-access lock of POP3 (RFC 1939 §4): one holder an account, until its end comes."""

    def acquire(account: str, holder: str, lifetime_seconds: float) -> Deferred[None]:
        """Take the lock, or renew it where `holder` has it. Fails with: InUse."""

    def release(account: str, holder: str) -> Deferred[None]:
        """Give it back; does nothing where the holder has lost it."""


class IAccount(Interface):
    """One account: its mailboxes and subscriptions. Mailbox names are Unicode, "/" between levels, INBOX first."""

    name = Attribute("The account's name, an address in lower case.")

    def mailboxes() -> Deferred[Sequence[MailboxInfo]]:
        """All mailboxes, sorted by name, INBOX first. A name whose parent does not exist is allowed."""

    def statuses(mailbox_ids: Sequence[int]) -> Deferred[Sequence[MailboxStatus]]:
        """Counters of these mailboxes; one that is gone is left out."""

    def mailbox(name: str) -> Deferred[IMailbox]:
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


class IMailbox(Interface):
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

    def claim_recent() -> Deferred[MailboxStatus]:
        """The counters as they were, with recent_after set to the highest UID for whoever asks next."""

    def keywords() -> Deferred[Sequence[str]]:
        """Keywords in use by messages of the mailbox, sorted (the FLAGS answer of SELECT)."""

    def uids() -> Deferred[UIDSet]:
        """The UIDs of all messages."""

    def first_unseen() -> Deferred[int | None]:
        """The smallest UID without \\Seen, or None."""

    def fetch(uids: UIDSet, items: FetchItem) -> Deferred[Columns]:
        """
        Columns of those of the UIDs that exist or are still readable, ascending.

        The caller cuts its question so that the answer fits in memory: about INLINE_BODY_OCTETS a row at worst
        for BODY and HEADER.
        """

    def open_body(uid: int) -> Deferred[IOpenBody]:
        """Open one message for reading in pieces. Fails with: NoSuchMessage."""

    def keep_forms(uids: Sequence[int], envelopes: Sequence[bytes] | None, structures: Sequence[bytes] | None) -> None:
        """
        Keep forms in IMAP wire form that the caller had to compute, beside the bodies they belong to.

        A hint: written when there is time, or never. Must be what anyone else would compute from the body.
        """

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

    def move(uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """The same, and the source messages are expunged in the same commit (RFC 6851). Fails as copy."""

    def expunge(uids: UIDSet | None = None, only_deleted: bool = True) -> Deferred[UIDSet]:
        """
        Remove messages that have \\Deleted (all such, or those of the set); with `only_deleted` false, all of
        the set, in one commit and as one change (POP3's UPDATE). Fires with what was removed.
        """

    def changes(since_modseq: int) -> Deferred[MailboxChanges]:
        """What happened after that modseq. A mailbox that is gone gives exists=False, not a failure."""


class ISearch(Interface):
    """Optional, beside IMailbox: a mailbox that narrows a search by itself."""

    def narrow(key: SearchKey) -> Deferred[tuple[UIDSet, SearchKey | None]]:
        """
        Messages that may match, and what of the key is left to be decided by reading them.

        None as the second value: the set is the exact answer. Never leaves a match out.
        """


class IRestorableAccount(Interface):
    """Optional, beside IAccount: an account whose mailboxes can be made as they were in another store."""

    def restore_mailbox(mailbox: RestoredMailbox) -> Deferred[MailboxStatus]:
        """
        Make the mailbox, with missing parents, or make ready the one of that name. Changes nothing the second time.

        The account's counter of changes is raised to `highest_modseq` at least. A mailbox that is new, or never held
        a message, takes the UIDVALIDITY; any other keeps its own. Where both are the same, UIDNEXT is raised to
        `uid_next` at least. The special use is for a new mailbox only.

        Fires with the counters: their `uid_validity` tells whether UIDs mean here what they meant there.
        Fails as `create`, but never with MailboxExists.
        """

    def renew_uid_validity(name: str) -> Deferred[MailboxStatus]:
        """
        Give the mailbox a UIDVALIDITY that no mailbox had before: what clients know of its UIDs is void.

        Fails with: NoSuchMailbox.
        """


class IRestorableMailbox(Interface):
    """Optional, beside IMailbox: a mailbox that takes messages as they were in another store."""

    def restore(messages: Sequence[RestoredMessage]) -> Deferred[CopyOutcome]:
        """
        Add messages with the ids they had, all or none. Fires with source_uids empty.

        Whether the mailbox has a message of that guid already is the caller's concern: see FetchItem.GUID.

        Fails with: UIDTaken: a UID is not above those of all messages before it, expunged ones included.
        """


class IBackup(Interface):
    """A store that can be copied while it is used. Optional."""

    def back_up(target: Path, told: Callable[[int, int], None]) -> Deferred[None]:
        """
        Make a copy as of one moment, as the file `target`. Fires when it is durable; until then it is not there.

        `told` is called now and then with how much is done, and how much there is to do. Cancelling gives the copy
        up. Fails also with PermanentFailure: there is a file of that name, or it cannot be written.
        """


class IDirectory(Interface):
    """
    Users, passwords and aliases. Names and sources are addresses in lower case; `@domain` is a catch-all.

    `version` grows with every change made through this door: what was cached under another version is old.
    """

    version = Attribute("An int; see above.")

    def add_user(name: str, password_hash: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> Deferred[None]:
        """Make user and account in one commit. Fails with: AccountExists."""

    def remove_user(name: str) -> Deferred[None]:
        """Remove user, account and all mail, in one commit. Fails with: NoSuchAccount."""

    def set_password_hash(name: str, password_hash: str) -> Deferred[None]:
        """Replace the password. Fails with: NoSuchAccount."""

    def users() -> Deferred[Sequence[str]]:
        """All users' names, sorted."""

    def password_hash(name: str) -> Deferred[str | None]:
        """The user's password hash, or None for no such user."""

    def set_alias(source: str, targets: Sequence[Address]) -> Deferred[None]:
        """Make or replace an alias; targets may be local or elsewhere. An empty list removes it."""

    def alias(source: str) -> Deferred[Sequence[Address]]:
        """The targets of an alias; empty for no such alias."""

    def aliases() -> Deferred[Sequence[tuple[str, Sequence[Address]]]]:
        """All aliases, sorted by source."""
