"""
The search program: what SEARCH asks, as a tree of values. Sequence numbers are already UIDs here.

Sources: RFC 3501 §6.4.4; RFC 7162 §3.1.5. Text to find is decoded to str by the grammar; how it is compared is
decided by whoever evaluates the program (substring, without case).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from .flags import SystemFlag
from .uid_set import UIDSet


class DateRelation(Enum):
    """BEFORE (earlier than the day), ON (within it), SINCE (within it or later)."""

    BEFORE = "before"
    ON = "on"
    SINCE = "since"


class TextPlace(Enum):
    """Where a text is looked for: the body's text alone, or header and body."""

    BODY = "body"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class AllMessages:
    """ALL: every message."""


@dataclass(frozen=True, slots=True)
class HasFlag:
    """A system flag is set (ANSWERED, SEEN …)."""

    flag: SystemFlag


@dataclass(frozen=True, slots=True)
class HasKeyword:
    """A keyword is set."""

    keyword: str


@dataclass(frozen=True, slots=True)
class IsRecent:
    """The message is recent in the session that asks; the session answers this itself."""


@dataclass(frozen=True, slots=True)
class UIDIn:
    """The UID is in the set (UID, or a sequence set that the session turned into UIDs)."""

    uids: UIDSet


@dataclass(frozen=True, slots=True)
class LargerThan:
    """RFC822.SIZE is greater than this number of octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class SmallerThan:
    """RFC822.SIZE is less than this number of octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class InternalDateIs:
    """The internal date's day, disregarding time and zone, stands in this relation to `day`."""

    relation: DateRelation
    day: date


@dataclass(frozen=True, slots=True)
class SentDateIs:
    """The Date header's day, disregarding time and zone, stands in this relation to `day`."""

    relation: DateRelation
    day: date


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """A header of this name (lower case) contains the text once decoded; the empty text asks for its presence."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class TextContains:
    """The decoded text contains the text, in the body or anywhere in the message."""

    place: TextPlace
    text: str


@dataclass(frozen=True, slots=True)
class ReceivedUpTo:
    """The internal date is this point in time, in seconds since the epoch, or an earlier one."""

    unix_seconds: int


@dataclass(frozen=True, slots=True)
class ModSeqAtLeast:
    """The message's modseq is this one or a later one."""

    modseq: int


@dataclass(frozen=True, slots=True)
class Not:
    """The key does not match."""

    key: SearchKey


@dataclass(frozen=True, slots=True)
class And:
    """All keys match. No keys: every message."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Either key matches."""

    left: SearchKey
    right: SearchKey


SearchKey = (
    AllMessages
    | HasFlag
    | HasKeyword
    | IsRecent
    | UIDIn
    | LargerThan
    | SmallerThan
    | InternalDateIs
    | SentDateIs
    | HeaderContains
    | TextContains
    | ReceivedUpTo
    | ModSeqAtLeast
    | Not
    | And
    | Or
)
