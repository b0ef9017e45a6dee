"""
SELECT and EXAMINE. Sources: RFC 3501 §6.3.1, §6.3.2; RFC 4466 §2.1 (parameters); RFC 7162 §3.1.8, §3.2.5, §7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from ..refusal import BadSyntax
from ..sequence import SequenceSet
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Resync:
    """
    What a client remembers of the mailbox (QRESYNC).

    `uids` are those that it asks about, None for all. `matches` are pairs of runs of the same length: message sequence
    numbers, and the UIDs that it knows them to have, both ascending.
    """

    uid_validity: int
    modseq: int
    uids: SequenceSet | None = None
    matches: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()


@dataclass(frozen=True, slots=True)
class Select(Command):
    """
    Open a mailbox; `read_only` for EXAMINE. A mailbox that was selected is left, whatever comes of it.

    `condstore` enables it; `resync` asks for what happened while the client was away.
    """

    name: ClassVar[str] = "SELECT"

    mailbox: str
    read_only: bool = False
    condstore: bool = False
    resync: Resync | None = None


def parse(tag: bytes, tokens: Tokens) -> Select:
    """`SELECT` SP mailbox [SP parameters]."""
    return _select(tag, tokens, read_only=False)


def parse_examine(tag: bytes, tokens: Tokens) -> Select:
    """`EXAMINE` SP mailbox [SP parameters]."""
    return _select(tag, tokens, read_only=True)


def _select(tag: bytes, tokens: Tokens, read_only: bool) -> Select:
    tokens.space()
    mailbox = tokens.mailbox()
    # Several together, in any order, as clients send them: `(CONDSTORE QRESYNC (1 1))`.
    given = tokens.modifiers(_PARAMETERS) if tokens.take(b" ") else {}
    resync = given.get(b"QRESYNC")
    return Select(tag, mailbox, read_only, b"CONDSTORE" in given, resync)


def _resync(tokens: Tokens) -> Resync:
    """SP `(` UIDVALIDITY SP mod-sequence [SP known UIDs] [SP match data] `)`."""
    tokens.space()
    tokens.expect(b"(", "the argument of QRESYNC is missing")
    uid_validity = tokens.number(least=1)
    tokens.space()
    modseq = tokens.modseq(least=1)
    uids = None
    matches: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    if tokens.take(b" "):
        if not tokens.is_next(b"("):
            uids = tokens.uid_set()
        if uids is None or tokens.take(b" "):
            matches = _matches(tokens)
    tokens.expect(b")", "a list is not closed")
    return Resync(uid_validity, modseq, uids, matches)


def _matches(tokens: Tokens) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    tokens.expect(b"(", "a list in parentheses is missing")
    tokens.numbers_allowed()  # RFC 9586 §3.7
    numbers = tokens.uid_set()
    tokens.space()
    uids = tokens.uid_set()
    tokens.expect(b")", "a list is not closed")
    return tuple(_pairs(numbers, uids))


def _pairs(numbers: SequenceSet, uids: SequenceSet) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Runs of both, cut to the same lengths. Raises: BadSyntax: one does not ascend, or they are not of one length."""
    for known in (numbers, uids):
        if any(following[0] <= run[1] for run, following in pairwise(known.runs)):
            raise BadSyntax("known numbers are given in ascending order")
    lefts, rights = list(reversed(numbers.runs)), list(reversed(uids.runs))
    while lefts and rights:
        (number, last_number), (uid, last_uid) = lefts.pop(), rights.pop()
        more = min(last_number - number, last_uid - uid)
        yield (number, number + more), (uid, uid + more)
        if number + more < last_number:
            lefts.append((number + more + 1, last_number))
        if uid + more < last_uid:
            rights.append((uid + more + 1, last_uid))
    if lefts or rights:
        raise BadSyntax("as many numbers as UIDs are to be given")


def _nothing(tokens: Tokens) -> None:
    """The name stands alone."""


_PARAMETERS: dict[bytes, Callable[[Tokens], Resync | None]] = {b"CONDSTORE": _nothing, b"QRESYNC": _resync}
