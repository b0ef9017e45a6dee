"""STORE and UID STORE. Sources: RFC 3501 §6.4.6; RFC 4466 §2.5; RFC 7162 §3.1.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail.flags import FlagChange, Flags
from ..refusal import BadSyntax
from ..sequence import SequenceSet
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Store(Command):
    """
    Change flags of messages.

    `silent`: the client does not want to be told the new flags of what it changes itself. `by_uid`: the sequence
    holds UIDs, and FETCH responses give the UID too. `unchanged_since`: only messages with no higher modseq.
    """

    name: ClassVar[str] = "STORE"

    sequence: SequenceSet
    change: FlagChange
    flags: Flags
    silent: bool = False
    by_uid: bool = False
    unchanged_since: int | None = None


_CHANGES = {
    change.value.encode() + suffix: (change, bool(suffix)) for change in FlagChange for suffix in (b"", b".SILENT")
}


def parse(tag: bytes, tokens: Tokens, by_uid: bool = False) -> Store:
    """`STORE` SP sequence-set [SP modifiers] SP `FLAGS`, `+FLAGS` or `-FLAGS`, with `.SILENT` or not, SP flags."""
    tokens.space()
    sequence = tokens.messages(by_uid)
    tokens.space()
    given: dict[bytes, int] = {}
    if tokens.is_next(b"("):
        given = tokens.modifiers(_MODIFIERS)
        tokens.space()
    item = _CHANGES.get(tokens.atom("a data item").upper())
    if item is None:
        raise BadSyntax("unknown data item of STORE")
    tokens.space()
    flags = tokens.flag_list() if tokens.is_next(b"(") else tokens.flags()
    change, silent = item
    return Store(tag, sequence, change, flags, silent, by_uid, given.get(b"UNCHANGEDSINCE"))


def _unchanged_since(tokens: Tokens) -> int:
    tokens.space()
    return tokens.modseq()


_MODIFIERS = {b"UNCHANGEDSINCE": _unchanged_since}
