"""EXPUNGE and UID EXPUNGE. Sources: RFC 3501 §6.4.3; RFC 4315 §2.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..sequence import SequenceSet
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Expunge(Command):
    """Remove the messages that have \\Deleted: all such, or those of `uids` (UID EXPUNGE)."""

    name: ClassVar[str] = "EXPUNGE"

    uids: SequenceSet | None = None


def parse_uid(tag: bytes, tokens: Tokens) -> Expunge:
    """`UID EXPUNGE` SP sequence-set."""
    tokens.space()
    return Expunge(tag, tokens.sequence_set())
