"""
The messages of an APPEND, as they come: octets in pieces, and what stands between one message and the next.

It decides where a message ends and what follows it. Whether a message is wanted is the session's affair.

Neighbours: `server` reads the command up to its first message; `commands.append` is the grammar.
Sources: RFC 3501 §6.3.11; RFC 3502 §6.3.11 (several messages).
"""

from __future__ import annotations

from ..wait import Wait
from .commands.append import Append, AppendChunk, AppendMessage, parse_next
from .input import Input
from .limits import Limits
from .literals import Literal
from .refusal import BadSyntax
from .tokens import Tokens


class Appending:
    """
    An APPEND of which a message has been accepted.

    Attributes: `message`, the one under way; `remaining`, how many of its octets are still to come.
    """

    def __init__(self, source: Input, limits: Limits) -> None:
        self._input = source
        self._chunk_octets = limits.chunk_octets
        self.message: AppendMessage | None = None
        self.remaining = 0

    def accept(self, message: AppendMessage) -> None:
        """The octets of this message come next."""
        self.message = message
        self.remaining = message.size

    def end(self) -> None:
        """The command is over."""
        self.message = None
        self.remaining = 0

    def read(self) -> AppendChunk | Wait:
        """The next piece of the message."""
        data = self._input.take_up_to(min(self.remaining, self._chunk_octets))
        if not data and self.remaining:
            return Wait.NEED_DATA
        self.remaining -= len(data)
        return AppendChunk(data, last=not self.remaining)


def following(message: AppendMessage, tokens: Tokens, literal: Literal | None) -> Append | AppendMessage:
    """
    What the line behind a message says: the command ends, or another message is announced.

    Raises: BadSyntax.
    """
    if tokens.data[tokens.at :].strip(b" "):
        if literal is None:
            raise BadSyntax("something follows the message")
        return parse_next(message, tokens, literal)
    return Append(message.tag, message.mailbox, message.position + 1)
