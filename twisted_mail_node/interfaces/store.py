"""
The mailbox backend's doors: a store, its accounts, their mailboxes. Made for bulk: sets of UIDs in, columns out.

The required part is in `required_store`; each optional part has an interface of its own here. IMailStore, IAccount
and IMailbox are all of them together, and what the other rooms see: a store that provides less is completed by
`store.completed`.

How Deferreds fail and what cancelling does is told in `required_store`.

Neighbours: values in `mail`; implementations in `store`; the contract that proves one in `testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.address import Address
from ..mail.annotation import Annotation
from ..mail.changes import AnnotationChanges, CopyOutcome, MailboxStatus
from ..mail.columns import Columns
from ..mail.quota import Quota, QuotaLimits
from ..mail.restoring import RestoredMailbox, RestoredMessage
from ..mail.rights import Right, RightsChange, SharedMailbox
from ..mail.search import SearchKey
from ..mail.transaction import Body, Committed, Transaction
from ..mail.uid_set import UIDSet
from .required_store import ChangeListener, IBasicAccount, IBasicMailbox, IBasicStore, IOpenBody, IWatch


class IBodyWriter(Interface):
    """Takes a large body in pieces before its transaction. What is neither finished nor committed is swept."""

    def write(data: bytes) -> Deferred[None]:
        """Take a piece. Fires when the next piece may come: the caller keeps no more than one piece waiting."""

    def finish(header_size: int, eight_bit: bool) -> Deferred[Body]:
        """End the body. Fires with the staged Body, for one transaction or append soon after."""

    def abort() -> None:
        """Give the body up. May be called at any time; a second call does nothing."""


class IBodyStaging(Interface):
    """Optional, beside IBasicStore: bodies that are too large for memory come in pieces before their transaction."""

    def stage_body() -> IBodyWriter:
        """A writer for a body above INLINE_BODY_OCTETS."""


class IAcceptance(IBodyStaging):
    """What intake needs of a store, or of what stands before one: messages are staged, and become real."""

    def deliver(transaction: Transaction) -> Deferred[Committed]:
        """
        Commit the transaction: durable in every place when the Deferred fires.

        Fails with: Refused: some accounts do not exist (or cannot take the message); nothing was done.
        A transaction with queue entries needs a store that provides IQueueStore as well.
        """


class IAccountKeeping(Interface):
    """Optional, beside IBasicStore: a store whose accounts the node may make and remove."""

    def create_account(name: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> Deferred[None]:
        """
        Make an account with INBOX and these mailboxes, given as (name, special use), all subscribed.

        `name` is an address in lower case. Fails with: AccountExists.
        """

    def remove_account(name: str) -> Deferred[None]:
        """Remove the account and all it holds. Fails with: NoSuchAccount."""


class IMailStore(IBasicStore, IAcceptance, IAccountKeeping):
    """The mailbox backend as a whole, with all that can be asked of it."""

    # What it fires with is more than the required part promises; a Deferred is not covariant.
    def account(name: str) -> Deferred[IAccount]:  # type: ignore[override]
        """The account's door. Fails with: NoSuchAccount."""


class IMaildropLock(Interface):
    """The exclusive-access lock of POP3 (RFC 1939 §4): one holder an account, until its end comes."""

    def acquire(account: str, holder: str, lifetime_seconds: float) -> Deferred[None]:
        """Take the lock, or renew it where `holder` has it. Fails with: InUse."""

    def release(account: str, holder: str) -> Deferred[None]:
        """Give it back; does nothing where the holder has lost it."""


class IAccount(IBasicAccount):
    """One account with all that can be asked of it."""

    def mailbox(name: str) -> Deferred[IMailbox]:  # type: ignore[override]  # as above
        """The mailbox's door; `inbox` in any case is INBOX. Fails with: NoSuchMailbox."""


class IRecent(Interface):
    """Optional, beside IBasicMailbox: remembers what was shown as recent (RFC 3501 §2.3.2)."""

    def claim_recent() -> Deferred[MailboxStatus]:
        """The counters as they were, with recent_after set to the highest UID for whoever asks next."""


class IOverview(Interface):
    """Optional, beside IBasicMailbox: what SELECT tells of a mailbox beyond its counters, from an index."""

    def keywords() -> Deferred[Sequence[str]]:
        """Keywords in use by messages of the mailbox, sorted (the FLAGS answer of SELECT)."""

    def first_unseen() -> Deferred[int | None]:
        """The smallest UID without \\Seen, or None."""


class IKeptForms(Interface):
    """Optional, beside IBasicMailbox: keeps what was computed of a message, and gives it as columns."""

    def keep_forms(forms: Columns) -> None:
        """
        Keep what the caller had to compute, beside the bodies it belongs to: all columns of `mail.columns.KEPT`
        that are there, each with a value a row.

        A hint: written when there is time, or never. Must be what anyone else would compute from the body.
        """


class IMove(Interface):
    """Optional, beside IBasicMailbox: moves messages in one commit, with their guids."""

    def move(uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """As `copy`, and the source messages are expunged in the same commit (RFC 6851). Fails as copy."""


class IMailbox(IBasicMailbox, IRecent, IOverview, IKeptForms, IMove):
    """One mailbox with all that can be asked of it; `fetch` gives every column that is asked for."""


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

    def guids(after_uid: int, limit: int) -> Deferred[Columns]:
        """UIDs and guids of the first `limit` messages above a UID, ascending, however far apart they are."""

    def restore(messages: Sequence[RestoredMessage]) -> Deferred[CopyOutcome]:
        """
        Add messages with the ids they had, all or none. Fires with source_uids empty.

        Whether the mailbox has a message of that guid already is the caller's concern: see `guids`.

        Fails with: UIDTaken: a UID is not above those of all messages before it, expunged ones included.
        """


class IMetadata(Interface):
    """
    Optional, beside IBasicStore: annotations of accounts and of their mailboxes (RFC 5464).

    A mailbox is told by the account it is in and its id; `mail.annotation.THE_ACCOUNT` as the id means the account
    itself. `user` is the account in whose name is asked: private annotations are that user's own. Names are in lower
    case. `/private/specialuse` of a mailbox is the special use, for the mailbox's own account alone (RFC 6154 §4).

    Annotations follow a mailbox that is renamed; of INBOX the new mailbox gets copies (RFC 5464 §4.1).
    """

    def annotations(account: str, mailbox_id: int, user: str) -> Deferred[Mapping[str, int]]:
        """
        Names of what the user sees, sorted, each with the octets of its value.

        Fails with: NoSuchAccount, NoSuchMailbox.
        """

    def annotation_values(
        account: str, mailbox_ids: Collection[int], user: str, names: Collection[str]
    ) -> Deferred[Mapping[int, Mapping[str, bytes]]]:
        """Values by mailbox and name, of those that there are. Fails with: NoSuchAccount."""

    def annotate(
        account: str, mailbox_id: int, user: str, values: Mapping[str, bytes | None], most: int
    ) -> Deferred[int]:
        """
        Set all of these, or take away where the value is None. Fires with the modseq of the change, which becomes the
        mailbox's highest (RFC 7162 §3.2).

        A special use is taken from the mailbox that has it.

        Fails with: NoSuchAccount, NoSuchMailbox; TooManyAnnotations: the user's own, or the shared ones, would become
        more than `most`; PermanentFailure: a special use that there is not, or of a mailbox of another account.
        """

    def annotation_changes(account: str, user: str, since_modseq: int) -> Deferred[AnnotationChanges]:
        """What the user sees of it that has changed since. Fails with: NoSuchAccount."""

    def all_annotations(account: str, mailbox_id: int) -> Deferred[Sequence[Annotation]]:
        """Whosever they are, for copying; without the special use. Fails as `annotations`."""


class IACL(Interface):
    """
    Optional, beside IBasicStore: what others may do with the mailboxes of an account (RFC 4314).

    `user` is the account in whose name is asked; what it may do is what `mail.rights.effective` makes of the list. The
    owner may do everything with his own mailboxes, is in no list, and need not ask here. A new mailbox has the list
    of the one above it; lists follow a mailbox that is renamed.
    """

    def acl(account: str, mailbox_id: int) -> Deferred[Mapping[str, Right]]:
        """The rights of each identifier, sorted by it. Fails with: NoSuchAccount, NoSuchMailbox."""

    def change_rights(
        account: str, mailbox_id: int, identifier: str, change: RightsChange, rights: Right
    ) -> Deferred[int]:
        """
        Change what an identifier may do; without a right left it goes from the list. Fires with the modseq.

        The identifier is an account or `anyone`, with `-` before it where rights are to be taken.

        Fails with: NoSuchAccount, NoSuchMailbox; PermanentFailure: no such identifier, or the owner himself.
        """

    def shared_with(user: str) -> Deferred[Sequence[SharedMailbox]]:
        """The mailboxes of others in which the user has any right, sorted by account and name, INBOX first."""

    def find_shared(account: str, name: str, user: str) -> Deferred[tuple[int, Right]]:
        """
        The id of a mailbox, and what the user may do with it.

        Asks one question of the storage, whether there is such a mailbox or not, so that the time it takes tells
        nothing.

        Fails with: NoSuchMailbox: there is none, or the user has no right in it.
        """

    def rights_in(account: str, mailbox_id: int, user: str) -> Deferred[Right]:
        """What the user may do with the mailbox now; nothing, where it is gone."""

    def rights_above(account: str, name: str, user: str) -> Deferred[Right]:
        """What the user may do with the nearest mailbox above this name; nothing, where there is none (RFC 4314 §4)."""

    def copy_between(
        source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, move: bool
    ) -> Deferred[CopyOutcome]:
        """
        Copy or move messages between mailboxes, each told as (account, id), in one commit; bodies are not copied.

        Flags are kept as `rights`, those in the target, allow (RFC 4314 §4). A moved message keeps its guid.

        Fails with: NoSuchMailbox: one of them is gone.
        """


class IQuota(Interface):
    """
    Optional, beside IBasicStore: how much an account may hold, heeded by every commit that brings messages.

    What would be more fails with OverQuota (`append`, `copy`, `restore`), or with Refused of that placement
    (`deliver`). A move within the account is none. What is counted is the size and number of messages in mailboxes.
    """

    def quota(account: str) -> Deferred[Quota]:
        """What it holds and what it may. Fails with: NoSuchAccount."""

    def quotas(after: str = "", limit: int = 1000) -> Deferred[Sequence[tuple[str, Quota]]]:
        """The same of the first accounts behind this name, sorted by name."""

    def set_quota(account: str, limits: QuotaLimits | None) -> Deferred[None]:
        """Give it limits of its own, or take those away: the ones for all hold again. Fails with: NoSuchAccount."""


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


__all__ = [
    "IACL",
    "ChangeListener",
    "IAcceptance",
    "IAccount",
    "IAccountKeeping",
    "IBackup",
    "IBasicAccount",
    "IBasicMailbox",
    "IBasicStore",
    "IBodyStaging",
    "IBodyWriter",
    "IDirectory",
    "IKeptForms",
    "IMailStore",
    "IMailbox",
    "IMaildropLock",
    "IMetadata",
    "IMove",
    "IOpenBody",
    "IOverview",
    "IQuota",
    "IRecent",
    "IRestorableAccount",
    "IRestorableMailbox",
    "ISearch",
    "IWatch",
]
