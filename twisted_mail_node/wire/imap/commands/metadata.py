"""GETMETADATA and SETMETADATA. Source: RFC 5464 §4.2, §4.3, §5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ....mail.annotation import Depth, checked_name, checked_root
from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class GetMetadata(Command):
    """
    Values of annotations of a mailbox, or of the server where `mailbox` is "".

    `entries` pairs each name as it is kept with how the client writes it. Values above `max_octets` are not wanted.
    """

    name: ClassVar[str] = "GETMETADATA"

    mailbox: str
    entries: dict[str, str]
    depth: Depth = Depth.NONE
    max_octets: int | None = None


@dataclass(frozen=True, slots=True)
class SetMetadata(Command):
    """Set annotations of a mailbox, or of the server where `mailbox` is ""; None takes one away."""

    name: ClassVar[str] = "SETMETADATA"

    mailbox: str
    values: dict[str, bytes | None]


def parse(tag: bytes, tokens: Tokens) -> GetMetadata:
    """
    `GETMETADATA` [SP options] SP mailbox SP entries.

    The grammar has the options before the mailbox, all examples of the RFC have them behind it, and one has several
    entries without parentheses: all of that is understood.
    """
    options = _Options()
    tokens.space()
    if options.take(tokens):
        tokens.space()
    mailbox = tokens.mailbox()
    tokens.space()
    if options.take(tokens):
        tokens.space()
    return GetMetadata(tag, mailbox, parse_entries(tokens), options.depth, options.max_octets)


def parse_set(tag: bytes, tokens: Tokens) -> SetMetadata:
    """`SETMETADATA` SP mailbox SP `(` entry SP value … `)`."""
    tokens.space()
    mailbox = tokens.mailbox()
    tokens.space()
    return SetMetadata(tag, mailbox, dict(tokens.list_of(lambda: _entry_value(tokens))))


def parse_entries(tokens: Tokens, *, bare: bool = True) -> dict[str, str]:
    """
    Names of annotations, as they are kept and as they were written; what is named twice is told once.

    `bare` ones may stand without parentheses.
    """
    entries = tokens.parted if bare and not tokens.is_next(b"(") else tokens.list_of
    return dict(entries(lambda: _name(tokens, checked_root)))


class _Options:
    """The options, wherever they stand."""

    def __init__(self) -> None:
        self.depth = Depth.NONE
        self.max_octets: int | None = None

    def take(self, tokens: Tokens) -> bool:
        """Take a list of options if that is next; one of entries begins with a name."""
        if not tokens.is_next(b"(") or tokens.is_next(b"(/") or tokens.is_next(b'("') or tokens.is_next(b"({"):
            return False
        tokens.list_of(lambda: self._option(tokens))
        return True

    def _option(self, tokens: Tokens) -> None:
        option = tokens.keyword("an option of GETMETADATA")
        tokens.space()
        if option == "MAXSIZE":
            self.max_octets = tokens.number()
        elif option == "DEPTH":
            self.depth = _depth(tokens.keyword("a depth"))
        else:
            raise BadSyntax("unknown option of GETMETADATA")


def _depth(word: str) -> Depth:
    try:
        return Depth(word.lower())
    except ValueError:
        raise BadSyntax("a depth is 0, 1 or infinity") from None


def _entry_value(tokens: Tokens) -> tuple[str, bytes | None]:
    name, _ = _name(tokens, checked_name)
    tokens.space()
    return name, tokens.nstring8("the value of an annotation")


def _name(tokens: Tokens, checked: Callable[[str], str]) -> tuple[str, str]:
    """The name of an annotation, as it is kept and as it was written."""
    written = tokens.astring("the name of an annotation").decode("latin-1")
    try:
        return checked(written), written
    except ValueError as error:
        raise BadSyntax(f"not the name of an annotation: {error}") from None
