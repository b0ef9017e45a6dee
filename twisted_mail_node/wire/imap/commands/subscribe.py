"""SUBSCRIBE and UNSUBSCRIBE. Sources: RFC 3501 §6.3.6, §6.3.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Subscribe(Command):
    """Add the name to the subscriptions, or take it off where `subscribed` is false (UNSUBSCRIBE)."""

    name: ClassVar[str] = "SUBSCRIBE"

    mailbox: str
    subscribed: bool = True


def parse(tag: bytes, tokens: Tokens) -> Subscribe:
    """`SUBSCRIBE` SP mailbox."""
    tokens.space()
    return Subscribe(tag, tokens.mailbox())


def parse_unsubscribe(tag: bytes, tokens: Tokens) -> Subscribe:
    """`UNSUBSCRIBE` SP mailbox."""
    tokens.space()
    return Subscribe(tag, tokens.mailbox(), subscribed=False)
