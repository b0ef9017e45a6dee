"""COPY, UID COPY, MOVE, UID MOVE. Sources: RFC 3501 §6.4.7; RFC 6851 §3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..sequence import SequenceSet
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Copy(Command):
    """Copy messages to the end of another mailbox. `by_uid`: the sequence holds UIDs."""

    name: ClassVar[str] = "COPY"

    sequence: SequenceSet
    mailbox: str
    by_uid: bool = False


@dataclass(frozen=True, slots=True)
class Move(Command):
    """Move messages to the end of another mailbox. `by_uid`: the sequence holds UIDs."""

    name: ClassVar[str] = "MOVE"

    sequence: SequenceSet
    mailbox: str
    by_uid: bool = False


def parse(tag: bytes, tokens: Tokens, by_uid: bool = False) -> Copy:
    """`COPY` SP sequence-set SP mailbox."""
    return Copy(tag, *_arguments(tokens, by_uid), by_uid)


def parse_move(tag: bytes, tokens: Tokens, by_uid: bool = False) -> Move:
    """`MOVE` SP sequence-set SP mailbox."""
    return Move(tag, *_arguments(tokens, by_uid), by_uid)


def _arguments(tokens: Tokens, by_uid: bool) -> tuple[SequenceSet, str]:
    tokens.space()
    sequence = tokens.messages(by_uid)
    tokens.space()
    return sequence, tokens.mailbox()
