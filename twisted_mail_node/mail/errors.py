"""
The errors that cross a door. Each carries a status and a public text free of internals; the cause is in `__cause__`.

Each protocol has one function that turns these into its own answer; anything else is a bug and is answered as
temporary.
"""

from __future__ import annotations

from .status import EnhancedStatus


class MailError(Exception):
    """
    Base of what a door may fail with.

    Attributes: `status`, the enhanced status code; `text`, what a peer may be told.
    """

    default_status = EnhancedStatus(4, 3, 0)

    def __init__(self, text: str, status: EnhancedStatus | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status or self.default_status


class TemporaryFailure(MailError):
    """The world failed for now: disk, database, another server. Trying again later may succeed."""


class PermanentFailure(MailError):
    """Trying again with the same request will not succeed."""

    default_status = EnhancedStatus(5, 3, 0)


class Unavailable(TemporaryFailure):
    """A room is stopped, stopping or not connected to what it needs."""


class Damaged(TemporaryFailure):
    """
    What is kept is not what was written: a page or a body is damaged. It is not served.

    Temporary, since a backup may bring it back. The operator is told; `__cause__` has what was found.
    """


class NoSuchAccount(PermanentFailure):
    """The account does not exist (any more)."""

    default_status = EnhancedStatus(5, 1, 1)


class AccountExists(PermanentFailure):
    """An account of that name exists already."""


class AppPasswordExists(PermanentFailure):
    """The user has an app password of that label already."""


class NoSuchAppPassword(PermanentFailure):
    """The user has no app password of that label."""


class NoSuchMailbox(PermanentFailure):
    """The mailbox does not exist (any more): IMAP NONEXISTENT, or TRYCREATE as a destination."""

    default_status = EnhancedStatus(5, 1, 1)


class NotAllowed(PermanentFailure):
    """The user may know of the mailbox, but not do that with it: IMAP NOPERM."""

    default_status = EnhancedStatus(5, 7, 1)


class MailboxExists(PermanentFailure):
    """A mailbox of that name exists already: IMAP ALREADYEXISTS."""


class BadMailboxName(PermanentFailure):
    """The name cannot be a mailbox: empty part, too long, control character. IMAP CANNOT."""


class NoSuchMessage(PermanentFailure):
    """The message is gone for good: IMAP EXPUNGEISSUED."""


class MessageTooBig(PermanentFailure):
    """The message is larger than this node takes."""

    default_status = EnhancedStatus(5, 3, 4)


class NoSuchItem(PermanentFailure):
    """The queue holds no such item."""


class NotHeld(TemporaryFailure):
    """
    Some queue items are no longer held by who tells their outcomes; nothing was recorded.

    Attribute: `item_ids` of those.
    """

    def __init__(self, item_ids: frozenset[int]) -> None:
        super().__init__("leases ended before outcomes were recorded")
        self.item_ids = item_ids


class TooManyAnnotations(PermanentFailure):
    """There would be more annotations than are kept: IMAP METADATA TOOMANY."""


class UIDTaken(PermanentFailure):
    """A message cannot be restored under its UID: the mailbox has gone past it, and UIDs only ascend."""


class InUse(TemporaryFailure):
    """The maildrop is locked by another POP3 session: RFC 2449 [IN-USE]."""


class Refused(PermanentFailure):
    """
    Some placements of a transaction can't be made; nothing of it was.

    Attribute: `refusals`, a map from the placement's position in the transaction to the status and text.
    """

    def __init__(self, refusals: dict[int, tuple[EnhancedStatus, str]]) -> None:
        super().__init__("some recipients cannot be served", EnhancedStatus(5, 1, 1))
        self.refusals = refusals
