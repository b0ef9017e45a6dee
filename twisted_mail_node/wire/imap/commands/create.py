"""CREATE. Sources: RFC 3501 §6.3.3; RFC 6154 §3 (the USE parameter)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail.special_use import SPECIAL_USES
from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Create(Command):
    """
    Make a mailbox.

    `mailbox` may end in the delimiter, which says that names below it are meant to come. `special_use` are the
    attributes of USE, `\\Sent`, spelled as the standard does where it is one of RFC 6154's.
    """

    name: ClassVar[str] = "CREATE"

    mailbox: str
    special_use: tuple[str, ...] = ()


def parse(tag: bytes, tokens: Tokens) -> Create:
    """`CREATE` SP mailbox, and SP `(USE (` attributes `))` where asked for."""
    tokens.space()
    mailbox = tokens.mailbox()
    if tokens.at_end:
        return Create(tag, mailbox)
    tokens.space()
    tokens.expect(b"(", "a parameter list is missing")
    if tokens.keyword("a parameter") != "USE":
        raise BadSyntax("unknown parameter of CREATE")
    tokens.space()
    uses = tokens.list_of(lambda: _attribute(tokens), may_be_empty=True)
    tokens.expect(b")", "the parameter list is not closed")
    return Create(tag, mailbox, tuple(uses))


def _attribute(tokens: Tokens) -> str:
    tokens.expect(b"\\", "an attribute is missing")
    attribute = "\\" + tokens.atom("an attribute").decode("ascii")
    return _STANDARD_SPELLING.get(attribute.lower(), attribute)


_STANDARD_SPELLING = {use.lower(): use for use in SPECIAL_USES}
