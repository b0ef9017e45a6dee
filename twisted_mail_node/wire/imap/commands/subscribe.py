"""SUBSCRIBE and UNSUBSCRIBE. Sources: RFC 3501 §6.3.6, §6.3.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Subscribe(Command):
    """Add the name to the subscriptions, or take it off where `subscribed` is false (UNSUBSCRIBE)."""

    name: ClassVar[str] = "SUBSCRIBE"

    mailbox: str
    subscribed: bool = True
