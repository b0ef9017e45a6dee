"""
Annotations of an account and of its mailboxes: named values, shared by all who may see them or private to one user.

Sources: RFC 5464 §3 (the names and who sees them), §4.2.2 (depth); RFC 6154 §4 (the special use).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

PRIVATE = "/private/"
SHARED = "/shared/"

SPECIAL_USE = "/private/specialuse"
"""The name under which a mailbox's special use is read and set (RFC 6154 §4)."""

THE_ACCOUNT = 0
"""What stands in place of a mailbox's id for annotations of the account itself; no mailbox has it."""

MAX_NAME_OCTETS = 255
"""Our own bound; the names of the registry have 30 at most, those of vendors 60."""


class Depth(Enum):
    """How far below a name annotations are meant as well. Source: RFC 5464 §4.2.2."""

    NONE = "0"
    ONE = "1"
    INFINITE = "infinity"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation; `owner` is the account whose own it is, "" where it is shared."""

    name: str
    owner: str
    value: bytes


def checked_name(name: str) -> str:
    """
    The name of an annotation as it is kept: in lower case, since names have no case.

    Raises: ValueError: RFC 5464 §3.2 allows no such name.
    """
    name = checked_root(name)
    parts = name.split("/")[1:]
    if len(parts) < (4 if parts[1:2] == ["vendor"] else 2):
        raise ValueError("it has two parts at least, and a vendor's four")
    return name


def checked_root(name: str) -> str:
    """
    The same for a name that is asked for: what has annotations below it may have fewer parts.

    Raises: ValueError: RFC 5464 §3.2 allows no such name.
    """
    name = name.lower()
    if not f"{name}/".startswith((PRIVATE, SHARED)) or "" in name.split("/")[1:] or len(name) > MAX_NAME_OCTETS:
        raise ValueError("it begins with /private/ or /shared/, and no part of it is empty")
    if any(character in "*%" or not " " <= character <= "~" for character in name):
        raise ValueError("it is of printable ASCII without * and %")
    return name


def is_private(name: str) -> bool:
    """Whether each user has an annotation of this name for himself."""
    return name.startswith(PRIVATE)


def owner_of(name: str, user: str) -> str:
    """Whose annotation it is that this user means: see `Annotation`."""
    return user if is_private(name) else ""


def selected(names: Iterable[str], wanted: Collection[str], depth: Depth) -> list[str]:
    """Those of the names that are wanted, or are below one that is as deep as is asked for; in the order of `names`."""
    return [name for name in names if any(_is_within(name, root, depth) for root in wanted)]


def _is_within(name: str, root: str, depth: Depth) -> bool:
    if name == root:
        return True
    if depth is Depth.NONE or not name.startswith(root + "/"):
        return False
    return depth is Depth.INFINITE or "/" not in name[len(root) + 1 :]
