"""
RETURN of SEARCH and SORT: what of a result the client wants to be told, or to have saved.

Sources: RFC 4731 §3.1; RFC 5182 §2.1, §2.4; RFC 9051 §6.4.4; RFC 9394 §3.1, §3.2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ....mail.uid_set import UIDSet
from ..refusal import BadSyntax
from ..tokens import MAX_NUMBER, Tokens

_WINDOW = re.compile(rb"(-?)([1-9][0-9]{0,9}):(-?)([1-9][0-9]{0,9})(?![0-9])")


class ReturnOption(Enum):
    """What can be asked of a result by a word."""

    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"
    SAVE = "SAVE"


@dataclass(frozen=True, slots=True)
class Window:
    """Places `first` to `last` of a result, first <= last, counted from 1; `from_end`: the last one is 1."""

    first: int
    last: int
    from_end: bool
    wire: bytes
    """As the client wrote it."""

    def within(self, count: int) -> range:
        """The places of a result of so many that are in it, counted from 0."""
        if self.from_end:
            return range(max(count - self.last, 0), max(count - self.first + 1, 0))
        return range(min(self.first - 1, count), min(self.last, count))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a result: a choice of words, and a window of it where PARTIAL asks for one."""

    options: frozenset[ReturnOption]
    window: Window | None = None

    @property
    def is_told(self) -> bool:
        """Whether anything is to be told: SAVE alone is answered by its OK (RFC 5182 §2.1)."""
        return self.options != frozenset((ReturnOption.SAVE,)) or self.window is not None

    @property
    def takes_all(self) -> bool:
        """Whether the whole result matters, and not a choice of it (RFC 5182 §2.4, RFC 9394 §3.2)."""
        chosen = self.options & {ReturnOption.MIN, ReturnOption.MAX}
        return bool(self.options & {ReturnOption.ALL, ReturnOption.COUNT}) or not (chosen or self.window)

    def chosen_of(self, found: UIDSet, result: UIDSet | Sequence[int], window: UIDSet) -> UIDSet:
        """
        What is saved, and whose modseqs are told: all that was found, or what MIN, MAX and PARTIAL choose.

        `result` is what was found in the order in which it is told; `window`, what PARTIAL tells of it.
        """
        if self.takes_all or not found:
            return found
        ends: list[int] = []
        if ReturnOption.MIN in self.options:
            ends.append(first_of(result))
        if ReturnOption.MAX in self.options:
            ends.append(last_of(result))
        return window | UIDSet.of(ends)


def first_of(found: UIDSet | Sequence[int]) -> int:
    """The first of a result that has any: the smallest of a set."""
    return found.smallest if isinstance(found, UIDSet) else found[0]


def last_of(found: UIDSet | Sequence[int]) -> int:
    """The last of a result that has any: the largest of a set."""
    return found.largest if isinstance(found, UIDSet) else found[-1]


EVERYTHING = Wanted(frozenset((ReturnOption.ALL,)))
"""`RETURN ()`, and what a client with IMAP4rev2 gets that names nothing (RFC 4731 §3.1, RFC 9051 §6.4.4)."""


def parse(tokens: Tokens) -> Wanted | None:
    """`RETURN` SP `(` options `)` SP, or nothing of it: None."""
    if not tokens.take_word(b"RETURN"):
        return None
    tokens.space()
    windows: list[Window] = []

    def option() -> ReturnOption | None:
        if tokens.take_word(b"PARTIAL"):
            tokens.space()
            windows.append(parse_window(tokens))
            return None
        return tokens.one_of(ReturnOption, "a return option", "unknown return option")

    named = tokens.list_of(option, may_be_empty=True)
    tokens.space()
    options = frozenset(each for each in named if each is not None)
    if not windows:
        return Wanted(options) if options else EVERYTHING
    if len(windows) > 1 or ReturnOption.ALL in options:
        raise BadSyntax("PARTIAL comes once, and not with ALL")  # RFC 9394 §3.1
    return Wanted(options, windows[0])


def parse_window(tokens: Tokens) -> Window:
    """A partial-range: `1:500`, or `-1:-100` from the end."""
    match = tokens.match(_WINDOW, "a range such as 1:100 or -1:-100")
    first, last = sorted((int(match[2]), int(match[4])))
    if match[1] != match[3] or last > MAX_NUMBER:
        raise BadSyntax("a range counts from one side")
    return Window(first, last, bool(match[1]), match[0])
