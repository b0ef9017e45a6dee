"""LIST and LSUB. Sources: RFC 3501 §6.3.8, §6.3.9; RFC 5258 §3 (options); RFC 6154 §2 (SPECIAL-USE)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from .command import Command
from .status import StatusItem


class ListSelection(Enum):
    """Which names a LIST is about, where not all. Sources: RFC 5258 §3.1, RFC 6154 §2."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVE_MATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class ListReturn(Enum):
    """What a LIST is to tell beside the names. Sources: RFC 5258 §3.2, RFC 6154 §2, RFC 5819 §2."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"
    STATUS = "STATUS"


@dataclass(frozen=True, slots=True)
class List(Command):
    """
    Names that match one of the patterns, each put behind the reference.

    `%` matches anything but the delimiter, `*` anything. The single pattern "" asks for the delimiter. `extended`
    says that options or several patterns were written: the rules of RFC 5258 hold.
    """

    name: ClassVar[str] = "LIST"

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[ListSelection] = frozenset()
    returned: frozenset[ListReturn] = frozenset()
    status_items: tuple[StatusItem, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub(Command):
    """Subscribed names that match the pattern put behind the reference; see RFC 3501 §6.3.9 about `%`."""

    name: ClassVar[str] = "LSUB"

    reference: str
    pattern: str
