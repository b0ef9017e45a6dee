"""
Evaluating a search program: first on columns for many messages at once, then message by message on what has to
be read, cheapest first. The session reads; here is decided.

A key that cannot be decided yet is neither true nor false, so a program is given up, or fulfilled, as soon as
what is known suffices. Texts are compared as `mime.charsets.fold` makes them equal, anywhere in the text.

Source: RFC 3501 §6.4.4. Neighbours: `mail.search` has the keys; `commands.search` resolves what the client wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import compress

from ...mail.columns import Columns, FetchItem, InternalDate
from ...mail.flags import Flags
from ...mail.search import (
    AllMessages,
    And,
    DateRelation,
    HasFlag,
    HasKeyword,
    HeaderContains,
    InternalDateIs,
    IsRecent,
    LargerThan,
    ModSeqAtLeast,
    Not,
    Or,
    ReceivedUpTo,
    SearchKey,
    SentDateIs,
    SmallerThan,
    TextContains,
    TextPlace,
    UIDIn,
)
from ...mail.uid_set import UIDSet
from ..mime.charsets import fold
from ..mime.decode import field_text, header_text, readable
from ..mime.headers import values_of
from ..mime.search_text import encoded, kept_fields
from ..mime.structure import Part, structure_of

ColumnKey = HasFlag | HasKeyword | UIDIn | LargerThan | SmallerThan | InternalDateIs | ReceivedUpTo | ModSeqAtLeast
"""The keys that columns decide."""

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def leaves(key: SearchKey) -> Iterator[SearchKey]:
    """All keys of the program but Not, And and Or."""
    waiting = [key]
    while waiting:
        match waiting.pop():
            case Not(inner):
                waiting.append(inner)
            case And(keys):
                waiting.extend(keys)
            case Or(left, right):
                waiting += (left, right)
            case leaf:
                yield leaf


def columns_needed(key: SearchKey) -> FetchItem:
    """What to fetch in bulk before `decide_rows`."""
    items = FetchItem.NONE
    for leaf in leaves(key):
        match leaf:
            case HasFlag() | HasKeyword():
                items |= FetchItem.FLAGS
            case LargerThan() | SmallerThan():
                items |= FetchItem.SIZE
            case InternalDateIs() | ReceivedUpTo():
                items |= FetchItem.INTERNAL_DATE
            case ModSeqAtLeast():
                items |= FetchItem.MODSEQ
            case _:
                pass
    return items


def asks_modseq(key: SearchKey) -> bool:
    """Whether the answer is to tell the highest modseq among what was found (RFC 7162 §3.1.5)."""
    return any(isinstance(leaf, ModSeqAtLeast) for leaf in leaves(key))


def reads_headers(key: SearchKey) -> bool:
    """Whether some key can only be decided by the header."""
    return any(isinstance(leaf, SentDateIs | HeaderContains) for leaf in leaves(key))


def headers_needed(key: SearchKey) -> frozenset[bytes]:
    """The names, in lower case, of the header fields that decide something in the program."""
    names = {leaf.name.encode("utf-8") for leaf in leaves(key) if isinstance(leaf, HeaderContains)}
    if any(isinstance(leaf, SentDateIs) for leaf in leaves(key)):
        names.add(b"date")
    return frozenset(names)


def reads_texts(key: SearchKey) -> bool:
    """Whether some key can only be decided by the whole message."""
    return any(isinstance(leaf, TextContains) for leaf in leaves(key))


def without_recent(key: SearchKey, recent: UIDSet) -> SearchKey:
    """The program with IsRecent replaced by the messages that are recent in the session."""
    match key:
        case IsRecent():
            return UIDIn(recent)
        case Not(inner):
            return Not(without_recent(inner, recent))
        case And(keys):
            return And(tuple(without_recent(inner, recent) for inner in keys))
        case Or(left, right):
            return Or(without_recent(left, recent), without_recent(right, recent))
        case _:
            return key


# -- many messages, by columns ------------------------------------------------------------------------------------


def decide_rows(key: SearchKey, columns: Columns) -> tuple[list[int], list[int]]:
    """
    Decide as much as columns allow. Returns the UIDs that match, and those that have to be read to know.

    `columns` has what `columns_needed` names; IsRecent has been replaced.
    """
    count = len(columns.uids)
    certain, possible = _Rows(columns).decide(key)
    matched = compress(columns.uids, certain.to_bytes(count, "little"))
    unsure = compress(columns.uids, (possible & ~certain).to_bytes(count, "little"))
    return list(matched), list(unsure)


class _Rows:
    """
    Sets of rows as integers with an octet of 0 or 1 per row: and, or, not of all rows are one operation.

    Each key gives (rows that match for certain, rows that may match); where both are one, it is decided.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._all = int.from_bytes(b"\1" * len(columns.uids), "little")

    def decide(self, key: SearchKey) -> tuple[int, int]:
        match key:
            case Not(inner):
                certain, possible = self.decide(inner)
                return self._all ^ possible, self._all ^ certain
            case And(keys):
                certain = possible = self._all
                for inner in keys:
                    inner_certain, inner_possible = self.decide(inner)
                    certain &= inner_certain
                    possible &= inner_possible
                return certain, possible
            case Or(left, right):
                one, other = self.decide(left), self.decide(right)
                return one[0] | other[0], one[1] | other[1]
            case SentDateIs() | HeaderContains() | TextContains() | IsRecent():
                return 0, self._all
            case AllMessages():
                return self._all, self._all
            case leaf:
                rows = int.from_bytes(bytes(self._tested(leaf)), "little")
                return rows, rows

    def _tested(self, leaf: ColumnKey) -> Iterable[bool]:
        columns = self._columns
        match leaf:
            case HasFlag(flag):
                bit = int(flag)
                return [row.bits & bit != 0 for row in columns.flags or ()]
            case HasKeyword(keyword):
                return self._keyword(keyword)
            case UIDIn(uids):
                return [uid in uids for uid in columns.uids]
            case LargerThan(octets):
                return [size > octets for size in columns.sizes or ()]
            case SmallerThan(octets):
                return [size < octets for size in columns.sizes or ()]
            case ReceivedUpTo(latest):
                return [told.unix_seconds <= latest for told in columns.internal_dates or ()]
            case ModSeqAtLeast(least):
                return [modseq >= least for modseq in columns.modseqs or ()]
            case _:
                return self._day(leaf.relation, leaf.day.toordinal() - _EPOCH_ORDINAL)

    def _keyword(self, keyword: str) -> list[bool]:
        known: dict[Flags, bool] = {}  # few different sets of flags, many messages
        found = []
        for row in self._columns.flags or ():
            has = known.get(row)
            if has is None:
                has = known[row] = row.has_keyword(keyword)
            found.append(has)
        return found

    def _day(self, relation: DateRelation, wanted: int) -> list[bool]:
        days = [_day_of(told) for told in self._columns.internal_dates or ()]
        if relation is DateRelation.BEFORE:
            return [day < wanted for day in days]
        if relation is DateRelation.SINCE:
            return [day >= wanted for day in days]
        return [day == wanted for day in days]


def _day_of(told: InternalDate) -> int:
    """Days since the epoch in the date's own zone."""
    return (told.unix_seconds + told.zone_minutes * 60) // 86_400


# -- one message, by reading ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Needle:
    """A text to be found, folded, and where."""

    place: TextPlace
    text: str


def needles_of(key: SearchKey) -> tuple[Needle, ...]:
    """The different texts that the program looks for in messages."""
    return tuple({Needle(leaf.place, fold(leaf.text)): None for leaf in leaves(key) if isinstance(leaf, TextContains)})


class Message:
    """
    What is known of one message: its columns at first, then its header, then which texts occur.

    `decide` says True or False once that suffices, None before.
    """

    def __init__(self, columns: Columns, row: int) -> None:
        self._row = Columns(
            columns.uids[row : row + 1],
            flags=columns.flags[row : row + 1] if columns.flags is not None else None,
            internal_dates=columns.internal_dates[row : row + 1] if columns.internal_dates is not None else None,
            sizes=columns.sizes[row : row + 1] if columns.sizes is not None else None,
            modseqs=columns.modseqs[row : row + 1] if columns.modseqs is not None else None,
        )
        self._rows = _Rows(self._row)
        self._fields: dict[str, list[str]] | None = None
        self._day: int | None = None
        self._found: frozenset[Needle] | None = None

    def header_read(self, header: bytes, names: frozenset[bytes]) -> None:
        """The header block is known from now on; `names` are `headers_needed` of the program."""
        self._fields_known((name.decode("utf-8"), fold(field_text(value))) for name, value in values_of(header, names))

    def head_known(self, head: bytes, names: frozenset[bytes]) -> None:
        """As `header_read`, by the header's kept text."""
        self._fields_known(kept_fields(head, names))

    def _fields_known(self, fields: Iterable[tuple[str, str]]) -> None:
        known = self._fields = {}
        for name, value in fields:
            known.setdefault(name, []).append(value)
        self._day = next((sent_day(text) for text in known.get("date", ())), None)

    def texts_found(self, found: frozenset[Needle]) -> None:
        """The message has been read: which of the program's needles occur."""
        self._found = found

    def decide(self, key: SearchKey) -> bool | None:
        """Whether the message matches, as far as is known."""
        match key:
            case Not(inner):
                decided = self.decide(inner)
                return None if decided is None else not decided
            case And(keys):
                return self._all(keys)
            case Or(left, right):
                one = self.decide(left)
                if one:
                    return True
                other = self.decide(right)
                return True if other else (False if one is False and other is False else None)
            case HeaderContains(name, text):
                return None if self._fields is None else self._header_contains(name, fold(text))
            case SentDateIs(relation, day):
                return None if self._fields is None else self._sent(relation, day.toordinal())
            case TextContains(place, text):
                return None if self._found is None else Needle(place, fold(text)) in self._found
            case _:
                return bool(self._rows.decide(key)[0])

    def _all(self, keys: tuple[SearchKey, ...]) -> bool | None:
        decided: bool | None = True
        for key in keys:
            one = self.decide(key)
            if one is False:
                return False
            if one is None:
                decided = None
        return decided

    def _header_contains(self, name: str, text: str) -> bool:
        values = (self._fields or {}).get(name, ())
        return any(text in value for value in values)

    def _sent(self, relation: DateRelation, wanted: int) -> bool:
        day = self._day
        if day is None:
            return False
        if relation is DateRelation.BEFORE:
            return day < wanted
        return day >= wanted if relation is DateRelation.SINCE else day == wanted


_MONTH_NUMBERS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_sent_date = re.compile(r"\b(\d{1,2})\s+([A-Z]{3})[A-Z]*\s+(\d{2,4})\b").search


def sent_day(text: str) -> int | None:
    """The day (proleptic ordinal) that a folded Date header names, zone disregarded; None where it names none."""
    match = _sent_date(text)
    if match is None or match[2] not in _MONTH_NUMBERS:
        return None
    year = int(match[3])
    if len(match[3]) < 4:  # RFC 5322 §4.3 obs-year
        year += 2000 if len(match[3]) == 2 and year < 50 else 1900
    try:
        return date(year, _MONTH_NUMBERS[match[2]], int(match[1])).toordinal()
    except ValueError:
        return None


class TextFinder:
    """Looks for needles in a text that comes in pieces. `found` grows; `is_done` when there is nothing left to find."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.found: set[Needle] = {needle for needle in needles if not needle.text}
        self._left = [needle for needle in needles if needle.text]
        self._kept = max((len(needle.text) for needle in self._left), default=1) - 1
        self._tail: dict[bool, str] = {}

    def is_done(self) -> bool:
        """All needles have been found."""
        return not self._left

    def wants_header(self) -> bool:
        """Some needle is to be looked for in the message's header as well."""
        return any(needle.place is TextPlace.TEXT for needle in self._left)

    def feed(self, text: str, in_header: bool = False) -> None:
        """The next piece; one `in_header` is of no concern to needles that are looked for in the body."""
        if not text or not self._left:
            return
        folded = self._tail.get(in_header, "") + fold(text)
        self._tail[in_header] = folded[-self._kept :] if self._kept else ""
        hit = [
            needle
            for needle in self._left
            if needle.text in folded and not (in_header and needle.place is TextPlace.BODY)
        ]
        if hit:
            self.found.update(hit)
            self._left = [needle for needle in self._left if needle not in self.found]

    def end_text(self) -> None:
        """A part's text ends: what follows does not join it."""
        self._tail.clear()


def find_in_message(
    needles: tuple[Needle, ...], message: bytes, header_size: int, root: Part | None = None
) -> frozenset[Needle]:
    """Which needles occur in a whole message; `root` is its tree where that is known already."""
    finder = TextFinder(needles)
    if finder.wants_header():
        finder.feed(header_text(message[:header_size]), in_header=True)
        finder.end_text()
    for decoder, start, end in readable(root or structure_of(message)):
        if finder.is_done():
            break
        finder.feed(decoder.feed(message[start:end]))
        finder.feed(decoder.finish())
        finder.end_text()
    return frozenset(finder.found)


def find_in_kept(needles: Iterable[Needle], head: bytes, text: bytes) -> frozenset[Needle]:
    """Which needles occur in a message whose text is kept (see `mime.search_text`)."""
    found = set()
    for needle in needles:
        octets = encoded(needle.text)
        if octets in text or (needle.place is TextPlace.TEXT and octets in head):
            found.add(needle)
    return frozenset(found)
