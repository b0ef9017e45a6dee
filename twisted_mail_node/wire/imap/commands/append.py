"""
APPEND: the values of its course. Sources: RFC 3501 §6.3.11; RFC 3502 (several messages) fits in.

One APPEND is several events: `AppendMessage` for each message announced, then its octets as `AppendChunk`s, and
`Append` when the whole command has been read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail.columns import InternalDate
from ....mail.flags import Flags
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
