"""
What changed: the values of the account's change log. Sources: RFC 7162 (modification sequences), RFC 3501 §2.3.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Flag, auto

from .columns import Columns
from .uid_set import UIDSet


class ChangeKind(Flag):
    """What kinds of change a commit made in an account."""

    MESSAGES = auto()
    MAILBOXES = auto()
    SUBSCRIPTIONS = auto()
    METADATA = auto()
    """Annotations of the account or of mailboxes, special uses included."""
    RIGHTS = auto()
    """What others may do with mailboxes of the account."""
    REMOVED = auto()
    """The account itself was removed; sessions on it end."""


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """
    Told to listeners after a commit: this account's log has grown.

    `modseq` is the account's counter now. `mailbox_ids` are the mailboxes in which messages came, changed or
    went. A notice may be told late, twice or together with others; what happened is asked from `changes`.
    """

    account: str
    modseq: int
    mailbox_ids: frozenset[int]
    kinds: ChangeKind


@dataclass(frozen=True, slots=True)
class MailboxChanges:
    """
    What happened in a mailbox after some modseq.

    `appended` and `flagged` are columns of uid, flags and modseq: messages that came since and still exist, and
    older ones whose flags changed since. `vanished` are UIDs expunged since that had come before; where
    the history does not reach back so far, also others that are gone (RFC 7162 §5.3). `modseq` is
    the mailbox's highest now: ask again from there. `exists` is false when the mailbox itself is gone.
    """

    modseq: int
    uid_next: int
    appended: Columns
    flagged: Columns
    vanished: UIDSet
    exists: bool = True


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    """
    A mailbox in a list.

    `mailbox_id` is unique in its account and survives a rename. `name` is Unicode with "/" between levels;
    INBOX is always written so. `special_use` is an attribute such as `\\Sent` (RFC 6154) or None.
    """

    mailbox_id: int
    name: str
    uid_validity: int
    special_use: str | None = None


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """Counters of a mailbox, kept with every change: reading them costs nothing per message."""

    mailbox_id: int
    uid_validity: int
    uid_next: int
    messages: int
    unseen: int
    deleted: int
    size: int
    highest_modseq: int
    recent_after: int
    """UIDs above this one have been shown to no session as recent yet (RFC 3501 §2.3.2)."""


@dataclass(frozen=True, slots=True)
class AnnotationChanges:
    """
    Which annotations were set or taken away after some modseq.

    `changed` has mailbox id and name of each, and the modseq of its last change. `modseq` is the account's counter
    now: ask again from there.
    """

    modseq: int
    changed: Mapping[tuple[int, str], int]


@dataclass(frozen=True, slots=True)
class StoreOutcome:
    """
    What STORE did: the rows that changed as columns of uid, flags and modseq, and those left alone because
    their modseq was newer than the condition (RFC 7162 §3.1.3). UIDs that no longer exist are in `gone`.
    """

    changed: Columns
    modified: UIDSet
    gone: UIDSet


@dataclass(frozen=True, slots=True)
class CopyOutcome:
    """What COPY, MOVE and APPEND did, for COPYUID and APPENDUID: position i of one list became i of the other."""

    uid_validity: int
    source_uids: Sequence[int]
    target_uids: Sequence[int]
