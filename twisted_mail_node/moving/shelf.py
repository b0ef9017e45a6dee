"""
What moving mail asks of a store: in bulk, by calls that block, from the process of whoever moves it.

Neighbours: `node.control.shelf` is the store of a node, running or not; `importing` and `exporting` work with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..mail.columns import InternalDate
from ..mail.flags import Flags
from ..mail.restoring import RestoredMailbox, RestoredMessage
from ..mail.transaction import Body
from .content import Measure


@dataclass(frozen=True, slots=True)
class ShelvedMailbox:
    """A mailbox in the store."""

    mailbox_id: int
    name: str
    special_use: str | None
    subscribed: bool
    uid_validity: int
    uid_next: int
    messages: int
    size: int
    highest_modseq: int


@dataclass(frozen=True, slots=True)
class ShelvedMessage:
    """A message in the store; `content` is None where it is large: it is read in pieces, unless it is damaged."""

    uid: int
    guid: bytes
    flags: Flags
    internal_date: InternalDate
    size: int
    content: bytes | None
    is_damaged: bool = False


class Restoring(Protocol):
    """Messages on their way into the store."""

    def wait(self) -> None:
        """Return when they are there for good. Raises: UIDTaken; MailError."""


class Shelf(Protocol):
    """The mail of a store. Raises MailError where the store does not do it."""

    def accounts(self) -> Sequence[str]:
        """All accounts' names."""

    def mailboxes(self, account: str) -> Sequence[ShelvedMailbox]:
        """All mailboxes of an account, INBOX first."""

    def prepare(self, account: str, mailbox: RestoredMailbox, subscribed: bool) -> ShelvedMailbox:
        """See IRestorableAccount.restore_mailbox; a mailbox made by it is subscribed where wanted."""

    def renew(self, account: str, name: str) -> None:
        """See IRestorableAccount.renew_uid_validity."""

    def guids(self, account: str, mailbox: ShelvedMailbox) -> Iterator[Sequence[bytes]]:
        """The guids of all its messages, many at a time."""

    def stage(self, pieces: Iterator[bytes], measure: Measure) -> Body:
        """Put a large body into the store, for one message soon after."""

    def restore(self, account: str, mailbox: ShelvedMailbox, messages: Sequence[RestoredMessage]) -> Restoring:
        """Begin to put messages back. Two at most are begun and not waited for."""

    def messages(self, account: str, mailbox: ShelvedMailbox) -> Iterator[ShelvedMessage]:
        """All messages, ascending by UID."""

    def pieces(self, account: str, mailbox: ShelvedMailbox, message: ShelvedMessage) -> Iterator[bytes]:
        """A message's octets, small or large. Raises also CannotRead: they are damaged."""
