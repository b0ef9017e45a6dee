"""LIST and LSUB. Sources: RFC 3501 §6.3.8, §6.3.9; RFC 5258 §3 (options); RFC 6154 §2 (SPECIAL-USE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command
from .metadata import parse_entries
from .status import StatusItem, parse_items


class ListSelection(Enum):
    """Which names a LIST is about, where not all. Sources: RFC 5258 §3.1, RFC 6154 §2."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVE_MATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class ListReturn(Enum):
    """What a LIST is to tell beside the names. Sources: RFC 5258 §3.2, RFC 6154 §2, RFC 5819 §2, RFC 9590 §3."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"
    STATUS = "STATUS"
    METADATA = "METADATA"
    MYRIGHTS = "MYRIGHTS"


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
    annotations: Mapping[str, str] = field(default_factory=dict)
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub(Command):
    """Subscribed names that match the pattern put behind the reference; see RFC 3501 §6.3.9 about `%`."""

    name: ClassVar[str] = "LSUB"

    reference: str
    pattern: str


def parse(tag: bytes, tokens: Tokens) -> List:
    """`LIST` [SP selection options] SP reference SP pattern or patterns [SP `RETURN` options]."""
    tokens.space()
    selection: frozenset[ListSelection] = frozenset()
    extended = tokens.is_next(b"(")
    if extended:
        selection = _selection(tokens)
        tokens.space()
    reference = tokens.mailbox_text()
    tokens.space()
    if tokens.is_next(b"("):
        extended = True
        patterns = tuple(tokens.list_of(tokens.list_mailbox))
    else:
        patterns = (tokens.list_mailbox(),)
    if tokens.at_end:
        return List(tag, reference, patterns, selection, extended=extended)
    tokens.space()
    if tokens.keyword("RETURN") != "RETURN":
        raise BadSyntax("RETURN is missing")
    tokens.space()
    returned, status_items, annotations = _returned(tokens)
    return List(tag, reference, patterns, selection, returned, status_items, annotations, extended=True)


def parse_lsub(tag: bytes, tokens: Tokens) -> Lsub:
    """`LSUB` SP reference SP pattern."""
    tokens.space()
    reference = tokens.mailbox_text()
    tokens.space()
    return Lsub(tag, reference, tokens.list_mailbox())


def _selection(tokens: Tokens) -> frozenset[ListSelection]:
    def option() -> ListSelection:
        return tokens.one_of(ListSelection, "a selection option", "unknown selection option of LIST")

    selection = frozenset(tokens.list_of(option, may_be_empty=True))
    # RFC 5258 §3.1: RECURSIVEMATCH changes what another option selects, and REMOTE is none to it.
    if ListSelection.RECURSIVE_MATCH in selection and not selection - {
        ListSelection.RECURSIVE_MATCH,
        ListSelection.REMOTE,
    }:
        raise BadSyntax("RECURSIVEMATCH needs another selection option")
    return selection


def _returned(tokens: Tokens) -> tuple[frozenset[ListReturn], tuple[StatusItem, ...], dict[str, str]]:
    status_items: tuple[StatusItem, ...] = ()
    annotations: dict[str, str] = {}

    def option() -> ListReturn:
        nonlocal status_items, annotations
        found = tokens.one_of(ListReturn, "a return option", "unknown return option of LIST")
        if found is ListReturn.STATUS:
            tokens.space()
            status_items = parse_items(tokens)
        if found is ListReturn.METADATA:
            tokens.space()
            annotations = parse_entries(tokens, bare=False)
        return found

    return frozenset(tokens.list_of(option, may_be_empty=True)), status_items, annotations
