"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS. Source: RFC 4314 §3, §7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail.rights import NEGATIVE, NO_RIGHTS, Right, RightsChange, rights_of
from ....mail.saslprep import prepared
from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class SetACL(Command):
    """Change what an identifier may do; with nothing in place of what it has, it goes from the list (DELETEACL)."""

    name: ClassVar[str] = "SETACL"

    mailbox: str
    identifier: str
    change: RightsChange = RightsChange.REPLACE
    rights: Right = NO_RIGHTS


@dataclass(frozen=True, slots=True)
class GetACL(Command):
    """Tell the whole list."""

    name: ClassVar[str] = "GETACL"

    mailbox: str


@dataclass(frozen=True, slots=True)
class ListRights(Command):
    """Tell which rights an identifier may be given; `written` is how the client spells it."""

    name: ClassVar[str] = "LISTRIGHTS"

    mailbox: str
    identifier: str
    written: bytes


@dataclass(frozen=True, slots=True)
class MyRights(Command):
    """Tell what the client itself may do."""

    name: ClassVar[str] = "MYRIGHTS"

    mailbox: str


def parse_set(tag: bytes, tokens: Tokens) -> SetACL:
    """`SETACL` SP mailbox SP identifier SP rights, with + or - before them."""
    tokens.space()
    mailbox = tokens.mailbox()
    identifier, _ = _identifier(tokens)
    tokens.space()
    letters = tokens.astring("rights").decode("latin-1")
    change = next((each for each in (RightsChange.ADD, RightsChange.REMOVE) if letters.startswith(each.value)), None)
    try:
        rights = rights_of(letters[1:] if change else letters)
    except ValueError as error:
        raise BadSyntax(str(error)) from None
    return SetACL(tag, mailbox, identifier, change or RightsChange.REPLACE, rights)


def parse_delete(tag: bytes, tokens: Tokens) -> SetACL:
    """`DELETEACL` SP mailbox SP identifier."""
    tokens.space()
    mailbox = tokens.mailbox()
    return SetACL(tag, mailbox, _identifier(tokens)[0])


def parse_get(tag: bytes, tokens: Tokens) -> GetACL:
    """`GETACL` SP mailbox."""
    tokens.space()
    return GetACL(tag, tokens.mailbox())


def parse_list_rights(tag: bytes, tokens: Tokens) -> ListRights:
    """`LISTRIGHTS` SP mailbox SP identifier."""
    tokens.space()
    mailbox = tokens.mailbox()
    return ListRights(tag, mailbox, *_identifier(tokens))


def parse_my_rights(tag: bytes, tokens: Tokens) -> MyRights:
    """`MYRIGHTS` SP mailbox."""
    tokens.space()
    return MyRights(tag, tokens.mailbox())


def _identifier(tokens: Tokens) -> tuple[str, bytes]:
    """An identifier, prepared as names of users are (RFC 4314 §3), and as it was written."""
    tokens.space()
    written = tokens.astring("an identifier")
    try:
        identifier = prepared(written.decode("utf-8"))
    except ValueError:
        raise BadSyntax("not an identifier") from None
    if not identifier.removeprefix(NEGATIVE):
        raise BadSyntax("an identifier is missing")
    return identifier, written
