"""
What a place that mail comes from tells of itself: mailboxes, and in each of them messages, one after the other.

A source is read once, from the beginning. What was moved before is known by its guid: a source makes it from names
that stay (where the mail brings none of its own), so that a second reading gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from ..mail.columns import InternalDate
from ..mail.flags import Flags

Pieces = Callable[[], Iterator[bytes]]


class CannotRead(Exception):
    """The source as a whole, or one of its messages, can't be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Original:
    """
    A message at its source.

    `name` is for people. `guid` is 16 octets. `pieces` opens it and gives its octets, with line ends of any kind;
    it may raise CannotRead or OSError. `line_feeds_only` says that each LF stands for a line end, though a CR stand
    in front of it; `size`, where it is known, how many octets there are with CRLF line ends: what comes behind is none
    of it. `amount` is its share of the mailbox's.
    """

    name: str
    guid: bytes
    flags: Flags
    internal_date: InternalDate
    pieces: Pieces
    uid: int | None = None
    amount: int = 1
    line_feeds_only: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A message, or what takes the place of one, that is known already."""

    amount: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message, or a mailbox, that cannot be read."""

    name: str
    reason: str
    amount: int = 1


Found = Original | Known | Unreadable


class SourceMailbox(Protocol):
    """A mailbox at its source."""

    @property
    def levels(self) -> Sequence[str]:
        """Its name, level by level; empty for the one that is INBOX."""

    @property
    def special_use(self) -> str | None:
        """What it is for (RFC 6154), or None."""

    @property
    def subscribed(self) -> bool:
        """Whether its user had it on the list."""

    @property
    def uid_validity(self) -> int | None:
        """None where there are no UIDs that mean anything."""

    @property
    def uid_next(self) -> int:
        """A UID that was not given yet."""

    @property
    def highest_modseq(self) -> int | None:
        """None where it is not known."""

    @property
    def amount(self) -> int:
        """How much there is to read: messages, or octets."""

    def messages(self, known: Container[bytes]) -> Iterator[Found]:
        """
        What it holds, by ascending UID; of messages with a guid in `known` nothing is read.

        Raises: CannotRead: it can't be gone on with.
        """


class Source(Protocol):
    """Where mail comes from."""

    def mailboxes(self) -> Iterator[SourceMailbox | Unreadable]:
        """Its mailboxes, those above before those below. Raises: CannotRead: it is no such source, or went away."""


def guid_of(*parts: bytes) -> bytes:
    """The guid of a message whose source has none: made of names that together are its own."""
    hashed = sha256()
    for part in parts:
        hashed.update(b"%d:" % len(part))
        hashed.update(part)
    return hashed.digest()[:16]
