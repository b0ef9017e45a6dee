"""
What the engine tells its driver beside the commands themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from .commands.append import AppendChunk
from .commands.command import Command


@dataclass(frozen=True, slots=True)
class ContinuationNeeded:
    """A string argument comes as a literal that is small enough: write `response`. Wants no other answer."""

    response: bytes


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """
    What came was no command, or none for this state: write `response`. Wants no other answer.

    It also ends what was under way: an AUTHENTICATE exchange, an IDLE, an APPEND of which messages were read.
    `response` ends in BYE, and the engine is closed, where going on makes no sense.
    """

    response: bytes


@dataclass(frozen=True, slots=True)
class MoreInflated:
    """
    A piece of what the client has compressed is there to be read. Wants no answer.

    An event of its own, so that others have their turn: the octets of one packet can stand for many megabytes.
    """


Event = Command | AppendChunk | ContinuationNeeded | CommandRefused | MoreInflated
