"""
The words of the grammar: reads one complete command, literals included, from left to right.

A command is the octets as they came: lines with their literals between, without the last CRLF. Each method
takes one construct of RFC 3501 §9 at the present position, or raises `BadSyntax`. All patterns are linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from enum import Enum
from typing import TypeVar

from ...mail.columns import InternalDate
from ...mail.flags import MAX_KEYWORD_OCTETS, MAX_KEYWORDS, Flags
from ..mime.strings import is_utf8
from . import response_codes
from .enabled import Extension
from .refusal import BadSyntax, Impossible, UIDRequired
from .sequence import SAVED, STAR, SequenceSet
from .spelling import spelling_of

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

# Elements of one parenthesised list, or runs of one sequence set. Far beyond what clients write; a command of
# the default size could hold a few times more.
MAX_ELEMENTS = 16_384
# Parentheses and NOTs within each other (search programs only).
MAX_DEPTH = 64
MAX_NUMBER = (1 << 32) - 1
MAX_NUMBER64 = (1 << 63) - 1  # RFC 9051 §9 number64
MAX_MODSEQ = MAX_NUMBER64  # RFC 7162 §3.1

# RFC 3501 §9: ATOM-CHAR; ASTRING-CHAR adds "]", list-char adds "]" and the wildcards, a tag lacks "+".
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]++')
_ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]++')
_LIST_MAILBOX = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\\]++')
_TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]{1,255}(?![^\x00-\x20])')
# UTF-8 too, before it is enabled as well: RFC 9755 §3, and many clients quote passwords and search texts so.
_QUOTED = re.compile(rb'"([^"\\\x00\r\n]*+(?:\\["\\][^"\\\x00\r\n]*+)*+)"')
_ESCAPED = re.compile(rb"\\(.)")
_LITERAL = re.compile(rb"\{([0-9]{1,10})\+?\}\r\n")
_ANNOUNCED = re.compile(rb"~?\{[0-9]+\+?\}\r\n\Z")
_NUMBER = re.compile(rb"[0-9]{1,10}(?![0-9])")
_NUMBER64 = re.compile(rb"[0-9]{1,19}(?![0-9])")
_SEQUENCE = re.compile(rb"[0-9*:,]++")
_SEQUENCE_NUMBER = re.compile(rb"[1-9][0-9]{0,9}")
_SINGLE_NUMBERS = re.compile(rb"[1-9][0-9]{0,9}+(?:,[1-9][0-9]{0,9}+)*+")
_SEQUENCE_STARTS = frozenset(b"%c" % octet for octet in b"0123456789*$")
_FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]++')
_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
_DATE_TIME = re.compile(
    rb'"( [0-9]|[0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"), 1
    )
}
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def tag_of(data: bytes) -> bytes | None:
    """The tag that a line begins with, or None where it has none that could be echoed."""
    match = _TAG.match(data)
    return match[0] if match else None


class Tokens:
    """The octets of one command, and how far they have been read; `enabled` is what the client has enabled."""

    __slots__ = ("at", "data", "enabled")

    def __init__(self, data: bytes, at: int = 0, enabled: Collection[Extension] = ()) -> None:
        self.data = data
        self.at = at
        self.enabled = enabled

    # -- single octets ------------------------------------------------------------------------------------------

    @property
    def at_sequence(self) -> bool:
        """Whether a sequence set is next: a digit, `*` or `$`."""
        return self.data[self.at : self.at + 1] in _SEQUENCE_STARTS

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.at == len(self.data)

    def end(self) -> None:
        """Nothing may be left."""
        if self.at != len(self.data):
            raise BadSyntax("something follows the command's arguments")

    def space(self) -> None:
        """Exactly one space."""
        self.expect(b" ", "a space is missing")

    def expect(self, octets: bytes, otherwise: str) -> None:
        """Take these octets, or fail with this text."""
        if not self.take(octets):
            raise BadSyntax(otherwise)

    def take(self, octets: bytes) -> bool:
        """Take these octets if they are next."""
        if self.data.startswith(octets, self.at):
            self.at += len(octets)
            return True
        return False

    def is_next(self, octets: bytes) -> bool:
        """Whether these octets are next."""
        return self.data.startswith(octets, self.at)

    def take_pattern(self, pattern: re.Pattern[bytes]) -> bool:
        """Take what the pattern matches, if it matches here."""
        match = pattern.match(self.data, self.at)
        if match:
            self.at = match.end()
        return match is not None

    def take_word(self, word: bytes) -> bool:
        """Take this word, given in capitals, if it is next as a whole atom in any case."""
        match = _ATOM.match(self.data, self.at)
        if match is None or match[0].upper() != word:
            return False
        self.at = match.end()
        return True

    def rest(self) -> bytes:
        """Take all that is left."""
        start, self.at = self.at, len(self.data)
        return self.data[start:]

    def match(self, pattern: re.Pattern[bytes], meaning: str) -> re.Match[bytes]:
        """Take what the pattern, which must be linear, matches here; fail with `meaning` is missing."""
        match = pattern.match(self.data, self.at)
        if match is None:
            raise BadSyntax(f"{meaning} is missing")
        self.at = match.end()
        return match

    # -- words --------------------------------------------------------------------------------------------------

    def atom(self, meaning: str = "an atom") -> bytes:
        """An atom."""
        return self.match(_ATOM, meaning)[0]

    def keyword(self, meaning: str = "a keyword") -> str:
        """An atom that is a word of the grammar or a name compared without case: in capitals."""
        return self.match(_ATOM, meaning)[0].decode("ascii").upper()

    def one_of(self, kind: type[E], meaning: str, otherwise: str) -> E:
        """A keyword that is the value of a member of an enum; fail with `otherwise` where it is none's."""
        try:
            return kind(self.keyword(meaning))
        except ValueError:
            raise BadSyntax(otherwise) from None

    def astring(self, meaning: str = "a string") -> bytes:
        """An atom (in which `]` may stand), a quoted string or a literal."""
        match = _ASTRING.match(self.data, self.at)
        if match:
            self.at = match.end()
            return match[0]
        return self.string(meaning)

    def string(self, meaning: str = "a string") -> bytes:
        """A quoted string or a literal."""
        if self.is_next(b"{"):
            return self._literal()
        quoted = self.match(_QUOTED, meaning)[1]
        if not quoted.isascii() and not is_utf8(quoted):
            raise BadSyntax("a quoted string is not UTF-8")
        return _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted

    def nstring(self, meaning: str = "a string or NIL") -> bytes | None:
        """A string, or None for NIL."""
        if self.data[self.at : self.at + 3].upper() == b"NIL":
            self.at += 3
            return None
        return self.string(meaning)

    def nstring8(self, meaning: str = "a string or NIL") -> bytes | None:
        """A string, in which a literal of RFC 3516 §4.4 may have NUL as well, or None for NIL."""
        return self._literal(nul=True) if self.take(b"~") else self.nstring(meaning)

    def mailbox(self) -> str:
        """A mailbox name, decoded. Raises Impossible where it is not spelled as it has to be."""
        return spelling_of(self.enabled).name_of(self.astring("a mailbox name"))

    def mailbox_text(self) -> str:
        """What looks like a mailbox name and need not be one (LIST's reference); left as it is where it is none."""
        return spelling_of(self.enabled).lenient_text_of(self.astring("a reference name"))

    def list_mailbox(self) -> str:
        """A pattern of LIST, decoded; one that no name could be spelled like is left as it is and can match none."""
        match = _LIST_MAILBOX.match(self.data, self.at)
        if match:
            self.at = match.end()
            pattern = match[0]
        else:
            pattern = self.string("a mailbox pattern")
        return spelling_of(self.enabled).lenient_text_of(pattern)

    def at_announcement(self) -> bool:
        """Whether all that is left announces a literal whose octets are not here yet."""
        return _ANNOUNCED.match(self.data, self.at) is not None

    # -- numbers, dates, flags ------------------------------------------------------------------------------------

    def number(self, least: int = 0) -> int:
        """A number of 32 bits, `least` at least."""
        value = int(self.match(_NUMBER, "a number")[0])
        if not least <= value <= MAX_NUMBER:
            raise BadSyntax("number out of range")
        return value

    def number64(self) -> int:
        """A number of 63 bits: a size, or a place in a message."""
        value = int(self.match(_NUMBER64, "a number")[0])
        if value > MAX_NUMBER64:
            raise BadSyntax("number out of range")
        return value

    def modseq(self, least: int = 0) -> int:
        """A mod-sequence, a number of 63 bits, `least` at least (RFC 7162 §7)."""
        value = int(self.match(_NUMBER64, "a mod-sequence")[0])
        if not least <= value <= MAX_MODSEQ:
            raise BadSyntax("mod-sequence out of range")
        return value

    def messages(self, by_uid: bool) -> SequenceSet:
        """The messages that a command means: a set of UIDs, or of sequence numbers. Raises: as `numbers_allowed`."""
        if not by_uid:
            self.numbers_allowed()
        return self.sequence_set()

    def numbers_allowed(self) -> None:
        """What comes means message sequence numbers. Raises: UIDRequired."""
        if Extension.UIDONLY in self.enabled:
            raise UIDRequired("messages are named by UID")

    def uid_set(self) -> SequenceSet:
        """A set of UIDs that the client knows, in which `*` may not stand (RFC 7162 §7 known-uids)."""
        known = self.sequence_set()
        if known is SAVED or any(last == STAR for _, last in known.runs):
            raise BadSyntax("no * or $ among known numbers")
        return known

    def sequence_set(self) -> SequenceSet:
        """A sequence set, or `$`."""
        if self.take(b"$"):
            return SAVED
        text = self.match(_SEQUENCE, "a sequence set")[0]
        if text.count(b",") >= MAX_ELEMENTS:
            raise BadSyntax("sequence set too long")
        if _SINGLE_NUMBERS.fullmatch(text):  # as long sets are, mostly
            numbers = list(map(int, text.split(b",")))
            if max(numbers) <= MAX_NUMBER:
                return SequenceSet(tuple(zip(numbers, numbers, strict=True)))
        return SequenceSet(tuple(_run(part) for part in text.split(b",")))

    def date(self) -> date:
        """A date of a search key, `1-Feb-1994`, quoted or not."""
        match = self.match(_DATE, "a date such as 1-Feb-1994")
        return _date(match[2], match[3], match[4])

    def date_time(self) -> InternalDate:
        """A quoted date, time and zone."""
        match = self.match(_DATE_TIME, 'a date and time such as " 1-Feb-1994 21:52:25 -0800"')
        day = _date(match[1], match[2], match[3])
        hours, minutes, seconds, zone_hours, zone_minutes = (int(match[group]) for group in (4, 5, 6, 8, 9))
        if hours > 23 or minutes > 59 or seconds > 60 or zone_hours > 23 or zone_minutes > 59:
            raise BadSyntax("no such time")
        zone = (zone_hours * 60 + zone_minutes) * (-1 if match[7] == b"-" else 1)
        in_zone = (day.toordinal() - _EPOCH_DAY) * 86_400 + hours * 3600 + minutes * 60 + seconds
        return InternalDate(in_zone - zone * 60, zone)

    def flag_list(self) -> Flags:
        """Flags in parentheses, none allowed. `\\Recent` and unknown system flags are refused."""
        return _flags(self.list_of(self._flag, may_be_empty=True))

    def flags(self) -> Flags:
        """One flag or several parted by spaces, without parentheses."""
        return _flags(self.parted(self._flag))

    # -- lists ----------------------------------------------------------------------------------------------------

    def list_of(self, element: Callable[[], T], *, may_be_empty: bool = False) -> list[T]:
        """`(` elements parted by single spaces `)`; a space before the end is let pass, as clients write it."""
        self.expect(b"(", "a list in parentheses is missing")
        if may_be_empty and (self.take(b")") or self.take(b" )")):
            return []
        elements = self.parted(element)
        self.take(b" ")
        self.expect(b")", "a list is not closed")
        return elements

    def parted(self, element: Callable[[], T]) -> list[T]:
        """One element or more, parted by single spaces. A space before `)` is left."""
        elements = [element()]
        while not self.is_next(b" )") and self.take(b" "):
            if len(elements) == MAX_ELEMENTS:
                raise BadSyntax("list too long")
            elements.append(element())
        return elements

    def modifiers(self, known: Mapping[bytes, Callable[[Tokens], T]]) -> dict[bytes, T]:
        """
        `(` names, each with its value, parted by spaces `)`: parameters and modifiers of commands (RFC 4466 §2.1).

        `known` takes the value behind each name, with the space before it. None may be there twice.
        """
        found: dict[bytes, T] = {}

        def modifier() -> None:
            name = self.atom("a modifier").upper()
            if name not in known:
                raise BadSyntax("unknown modifier")
            if name in found:
                raise BadSyntax("a modifier is there twice")
            found[name] = known[name](self)

        self.list_of(modifier)
        return found

    # -- within ---------------------------------------------------------------------------------------------------

    def _flag(self) -> str:
        return self.match(_FLAG, "a flag")[0].decode("ascii")

    def _literal(self, *, nul: bool = False) -> bytes:
        match = self.match(_LITERAL, "a literal")
        end = match.end() + int(match[1])
        if end > len(self.data):
            raise BadSyntax("a literal is not complete")
        octets = self.data[match.end() : end]
        if not nul and b"\0" in octets:  # RFC 3501 §9: CHAR8 is any octet but NUL.
            raise BadSyntax("NUL in a literal")
        self.at = end
        return octets


def _run(text: bytes) -> tuple[int, int]:
    first, colon, last = text.partition(b":")
    a = _sequence_number(first)
    if not colon:
        return a, a
    b = _sequence_number(last)
    return (a, b) if a <= b else (b, a)


def _sequence_number(text: bytes) -> int:
    if text == b"*":
        return STAR
    if not _SEQUENCE_NUMBER.fullmatch(text) or int(text) > MAX_NUMBER:
        raise BadSyntax("not a sequence set")
    return int(text)


def _date(day: bytes, month: bytes, year: bytes) -> date:
    try:
        return date(int(year), _MONTHS[month.upper()], int(day))
    except (KeyError, ValueError):
        raise BadSyntax("no such date") from None


def _flags(names: list[str]) -> Flags:
    if len(names) > MAX_KEYWORDS or any(len(name) > MAX_KEYWORD_OCTETS for name in names):
        raise Impossible("too many flags, or one that is too long", response_codes.LIMIT)
    try:
        return Flags.from_names(names)
    except ValueError:
        raise BadSyntax("not a flag that can be set") from None
