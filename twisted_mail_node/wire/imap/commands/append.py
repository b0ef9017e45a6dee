"""
APPEND: the values of its course. Sources: RFC 3501 §6.3.11; RFC 3502 §6.3.11 (several messages).

One APPEND is several events: `AppendMessage` for each message announced, then its octets as `AppendChunk`s, and
`Append` when the whole command has been read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail.columns import InternalDate
from ....mail.flags import NO_FLAGS, Flags
from ..literals import Literal
from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class AppendMessage(Command):
    """
    A message is announced: accept it, or refuse the command, before an octet of it is read.

    `size` counts its octets. `synchronizing` is false for LITERAL+ (RFC 7888): the octets come whatever is
    answered. `internal_date` is None where the client leaves it to the server. `position` counts the messages
    of this command from 0.
    """

    name: ClassVar[str] = "APPEND"

    mailbox: str
    flags: Flags
    internal_date: InternalDate | None
    size: int
    synchronizing: bool
    position: int = 0


@dataclass(frozen=True, slots=True)
class AppendChunk:
    """Octets of the announced message, in order; wants no answer. `last` is true exactly once per message."""

    data: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class Append(Command):
    """The command is complete: `count` messages were announced, accepted and read."""

    name: ClassVar[str] = "APPEND"

    mailbox: str
    count: int


def parse_announcement(tag: bytes, tokens: Tokens, literal: Literal) -> AppendMessage | None:
    """
    `APPEND` SP mailbox, and what announces the first message, read up to a literal that is not there yet.

    None where that literal is the mailbox's name.
    """
    tokens.space()
    if tokens.at_announcement():
        return None
    return _message(tag, tokens.mailbox(), tokens, literal, 0)


def parse_next(before: AppendMessage, tokens: Tokens, literal: Literal) -> AppendMessage:
    """What announces another message behind one of the same command."""
    return _message(before.tag, before.mailbox, tokens, literal, before.position + 1)


def _message(tag: bytes, mailbox: str, tokens: Tokens, literal: Literal, position: int) -> AppendMessage:
    """[SP flags] [SP date-time] SP, and the announcement of a literal."""
    tokens.space()
    flags, internal_date = NO_FLAGS, None
    if tokens.is_next(b"("):
        flags = tokens.flag_list()
        tokens.space()
    if tokens.is_next(b'"'):
        internal_date = tokens.date_time()
        tokens.space()
    if not tokens.at_announcement():
        raise BadSyntax("the message is missing")
    if tokens.is_next(b"~"):
        raise BadSyntax("no binary literals here")
    return AppendMessage(tag, mailbox, flags, internal_date, literal.size, literal.synchronizing, position)


def parse(tag: bytes, tokens: Tokens) -> Append:
    """An APPEND that ended without the announcement of its message, which `parse_announcement` would have met."""
    raise BadSyntax("the message is missing")
