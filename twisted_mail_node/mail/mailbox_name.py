"""
Mailbox names: what one may look like, and what creating and renaming do to the tree of names.

Names are Unicode with "/" between levels. Every backend judges names here, so that a mailbox can move from one
to another. Not decided here: how names look in IMAP (`wire.imap.mailbox_name`), and what else a backend does.

Sources: RFC 3501 §5.1 (INBOX, levels), §6.3.3, §6.3.5; RFC 9051 §5.1 (Net-Unicode without control characters).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from unicodedata import category, normalize

from .errors import BadMailboxName, MailboxExists, NoSuchMailbox

INBOX = "INBOX"
SEPARATOR = "/"

# Our own bounds, in octets of UTF-8. A part fits a file name (NAME_MAX is 255 nearly everywhere); a whole name
# fits a command line, and a path of 1,024 octets, with room to spare.
MAX_PART_OCTETS = 255
MAX_NAME_OCTETS = 1000
MAX_DEPTH = 50

# RFC 9051 §5.1: no C0, DEL, C1 (Cc), no line (Zl) or paragraph (Zp) separator; surrogates (Cs) are not text.
_BANNED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


class RenamePlan(NamedTuple):
    """
    What a rename does: `created` are names to make, outermost first; `moved` maps each old name to its new one.

    Done in its order, `moved` never meets a name that is still taken. Where INBOX is renamed, `moved` is empty
    and the last of `created` takes INBOX's messages.
    """

    created: tuple[str, ...]
    moved: dict[str, str]


def canonical(name: str) -> str:
    """
    The spelling under which a name is kept and compared; never fails, whatever the name.

    Unicode is composed (NFC). INBOX has no case, also as the first level of other names (RFC 3501 §5.1).
    """
    if not name.isascii():
        name = normalize("NFC", name)
    head = name[:5]
    if head != INBOX and head.upper() == INBOX and head.isascii() and name[5:6] in ("", SEPARATOR):
        return INBOX + name[5:]
    return name


def checked(name: str) -> str:
    """
    The canonical spelling of a name that is to come into being.

    Raises: BadMailboxName: an empty level, a control character, too long (255 octets a level, 1,000 in all), or
        more than 50 levels.
    """
    name = canonical(name)
    parts = name.split(SEPARATOR)
    if not all(parts):
        raise BadMailboxName("a mailbox name may not have an empty level")
    if any(category(character) in _BANNED_CATEGORIES for character in name):
        raise BadMailboxName("a mailbox name may not have control characters")
    if len(name.encode()) > MAX_NAME_OCTETS or any(len(part.encode()) > MAX_PART_OCTETS for part in parts):
        raise BadMailboxName("the mailbox name is too long")
    if len(parts) > MAX_DEPTH:
        raise BadMailboxName("the mailbox name has too many levels")
    return name


def parents(name: str) -> tuple[str, ...]:
    """The names above this one, outermost first: `a/b/c` gives `a` and `a/b`."""
    parts = name.split(SEPARATOR)
    return tuple(SEPARATOR.join(parts[:depth]) for depth in range(1, len(parts)))


def is_below(name: str, ancestor: str) -> bool:
    """Whether the name is anywhere below the other."""
    return name.startswith(ancestor + SEPARATOR)


def listing_key(name: str) -> tuple[bool, str]:
    """The order of a list of mailboxes: INBOX first, the others by their code points."""
    return name != INBOX, name


def plan_create(existing: Collection[str], name: str) -> tuple[str, ...]:
    """
    The mailboxes that creating this one makes: missing parents, outermost first, then itself (RFC 3501 §6.3.3).

    Raises: BadMailboxName, MailboxExists.
    """
    name = checked(name)
    if name in existing:
        raise MailboxExists("the mailbox exists already")
    return (*(parent for parent in parents(name) if parent not in existing), name)


def plan_rename(existing: Collection[str], name: str, new_name: str) -> RenamePlan:
    """
    What renaming does to the existing names, the mailbox's missing new parents included (RFC 3501 §6.3.5).

    Raises: NoSuchMailbox; BadMailboxName: the new name, or one below it, cannot be, or lies below the old one;
        MailboxExists: the new name, or one below it, is taken.
    """
    name, new_name = canonical(name), checked(new_name)
    if name not in existing:
        raise NoSuchMailbox("the mailbox does not exist")
    if new_name in existing:
        raise MailboxExists("the mailbox exists already")
    if name == INBOX:
        return RenamePlan(plan_create(existing, new_name), {})
    if is_below(new_name, name):
        raise BadMailboxName("a mailbox cannot be moved below itself")
    moved = {name: new_name}
    for old in sorted(other for other in existing if is_below(other, name)):
        moved[old] = checked(new_name + old[len(name) :])
    if any(new in existing and new not in moved for new in moved.values()):
        raise MailboxExists("a mailbox below the new name exists already")
    return RenamePlan(tuple(parent for parent in parents(new_name) if parent not in existing), moved)
