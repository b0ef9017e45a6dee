"""
Rights to a mailbox: what they are, how they are spelled, and what those of several identifiers come to for a user.

Sources: RFC 4314 §2 (identifiers), §2.1 (the rights), §2.1.1 (the obsolete `c` and `d`), §4
(which command needs which).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, Flag

from .changes import MailboxInfo
from .flags import SYSTEM_BITS, Flags, SystemFlag, flags_of

ANYONE = "anyone"
"""The identifier of everybody (RFC 4314 §2); no account has the name."""

NEGATIVE = "-"
"""What stands before an identifier from which rights are taken."""


class Right(Flag):
    """Rights in the order in which they are written. Source: RFC 4314 §2.1."""

    LOOKUP = 1
    READ = 2
    SEEN = 4
    WRITE = 8
    INSERT = 16
    POST = 32
    CREATE = 64
    DELETE = 128
    DELETE_MESSAGES = 256
    EXPUNGE = 512
    ADMINISTER = 1024


NO_RIGHTS = Right(0)
ALL_RIGHTS = ~NO_RIGHTS

LETTERS: dict[str, Right] = dict(zip("lrswipkxtea", Right, strict=True))

# RFC 4314 §2.1.1: `c` is the union of creating and deleting mailboxes, `d` of deleting messages and expunging.
OBSOLETE: dict[str, Right] = {"c": Right.CREATE | Right.DELETE, "d": Right.DELETE_MESSAGES | Right.EXPUNGE}

CHANGING = Right.INSERT | Right.EXPUNGE | Right.SEEN | Right.WRITE | Right.DELETE_MESSAGES
"""A mailbox is opened for reading only by who has none of these (RFC 4314 §5.2): flags are shared."""

TELLING = Right.LOOKUP | Right.READ | Right.INSERT | Right.CREATE | Right.DELETE | Right.ADMINISTER
"""One of these is enough to be told what rights one has (RFC 4314 §4)."""


@dataclass(frozen=True, slots=True)
class SharedMailbox:
    """A mailbox of another account, and what the user who asked may do with it."""

    account: str
    info: MailboxInfo
    rights: Right


class RightsChange(Enum):
    """What is done with rights given for an identifier (RFC 4314 §3.1)."""

    REPLACE = ""
    ADD = "+"
    REMOVE = "-"


def rights_of(letters: str) -> Right:
    """
    The rights of these letters; the obsolete ones stand for those that took their place.

    Raises: ValueError: one of them is no right.
    """
    rights = NO_RIGHTS
    for letter in letters:
        right = LETTERS.get(letter) or OBSOLETE.get(letter)
        if right is None:
            raise ValueError(f"there is no right {letter!r}")
        rights |= right
    return rights


def letters_of(rights: Right) -> str:
    """The letters of the rights, without the obsolete ones."""
    return "".join(letter for letter, right in LETTERS.items() if right in rights)


def told_letters(rights: Right) -> str:
    """The same for clients, with the obsolete letters of which some member is there (RFC 4314 §2.1.1)."""
    letters = letters_of(rights & ~Right.ADMINISTER)
    letters += "".join(letter for letter, members in OBSOLETE.items() if members & rights)
    return letters + letters_of(rights & Right.ADMINISTER)


def changed(before: Right, change: RightsChange, by: Right) -> Right:
    """The rights of an identifier after a change."""
    if change is RightsChange.REPLACE:
        return by
    return before | by if change is RightsChange.ADD else before & ~by


def identifiers_of(user: str) -> tuple[str, ...]:
    """The identifiers that are about this user."""
    return ANYONE, user, NEGATIVE + ANYONE, NEGATIVE + user


def effective(acl: Mapping[str, Right], user: str) -> Right:
    """
    What the user may do: the rights of all identifiers that mean him, without those that negative ones take.

    Source: RFC 4314 §2, which leaves it to us how identifiers are combined.
    """
    given, given_to_all, taken, taken_from_all = (acl.get(each, NO_RIGHTS) for each in identifiers_of(user))
    return (given | given_to_all) & ~(taken | taken_from_all)


def flag_bits(rights: Right) -> int:
    """The system flags that the rights allow to set and clear (RFC 4314 §4); keywords go with the right to write."""
    bits = SYSTEM_BITS & ~(SystemFlag.SEEN | SystemFlag.DELETED) if Right.WRITE in rights else 0
    bits |= SystemFlag.SEEN if Right.SEEN in rights else 0
    return int(bits | (SystemFlag.DELETED if Right.DELETE_MESSAGES in rights else 0))


def allowed(flags: Flags, rights: Right) -> Flags:
    """Those of the flags that the rights allow to set and clear."""
    return flags_of(flags.bits & flag_bits(rights), flags.keyword_text if Right.WRITE in rights else "")
