"""
Where the messages of an mbox file begin and end, found in one pass with a bounded window.

A message begins behind a line `From sender date` at the beginning of the file or of a line. It ends where the next
one begins, or where its Content-Length says, if that is such a place. What looks nearly like a separator but has no
date is text.

Sources: RFC 4155 (the default format), the qmail manual mbox(5) (mboxo, mboxrd, mboxcl and how they quote).
"""

from __future__ import annotations

import re
import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from os import SEEK_END
from typing import BinaryIO

from ...mail.columns import InternalDate

WINDOW_OCTETS = 1024 * 1024
_MAX_SEPARATOR_OCTETS = 1000
_HEADER_OCTETS = 64 * 1024

# asctime, with what is seen in the wild: a zone before or behind the year, no seconds, "remote from".
_date = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) +"
    rb"(\d{1,2}):(\d\d)(?::(\d\d))?(?: +([+-]\d{4}|[A-Z]{1,5}))?(?: +(\d{4})\b)(?: +([+-]\d{4}))?"
)
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_content_length = re.compile(rb"(?:\A|\n)Content-Length:[ \t]*(\d{1,15})[ \t]*\r?\n", re.IGNORECASE)
_empty_line = re.compile(rb"(?:\A|\n)\r?\n")


@dataclass(frozen=True, slots=True)
class Span:
    """One message: its octets from `begin` to `end`, without its separator and the empty line before the next."""

    begin: int
    end: int
    date: InternalDate
    by_length: bool
    """Whether Content-Length told the end."""


def separator_date(line: bytes) -> InternalDate | None:
    """The date of a line that parts messages; None for a line that does not."""
    found = _date.search(line) if line.startswith(b"From ") else None
    if not found:
        return None
    month, day, hour, minute, second, zone, year, late_zone = found.groups()
    offset = _zone_minutes(late_zone or zone or b"")
    try:
        at = timegm((int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second or b"0"), 0, 0, 0))
    except (ValueError, OverflowError):
        return None
    return InternalDate(at - offset * 60, offset)


def separator_line(sender: bytes, date: InternalDate) -> bytes:
    """The line in front of a message. Its date is in UTC (RFC 4155)."""
    when = time.gmtime(max(0, date.unix_seconds))
    return b"From %s %s\n" % (sender, time.asctime(when).encode("ascii"))


def _zone_minutes(zone: bytes) -> int:
    if len(zone) != 5 or not zone[1:].isdigit():
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    if minutes >= 24 * 60:
        return 0
    return -minutes if zone.startswith(b"-") else minutes


class _Window:
    """A part of a file that is looked at, moving on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begin = 0
        self._data = b""

    def at(self, offset: int, length: int) -> bytes:
        """Octets from there, fewer at the end of the file; `length` fits the window."""
        begin = offset - self._begin
        if begin < 0 or begin + length > len(self._data):
            self._file.seek(offset)
            self._data = self._file.read(max(length, WINDOW_OCTETS))
            self._begin, begin = offset, 0
        return self._data[begin : begin + length]

    def find_separator(self, offset: int) -> int | None:
        """Where the next `From ` that begins a line stands, or None. `offset` is the beginning of a line."""
        if self.at(offset, 5) == b"From ":
            return offset
        while True:
            begin = offset - self._begin
            found = self._data.find(b"\nFrom ", begin) if 0 <= begin <= len(self._data) else -1
            if found >= 0:
                return self._begin + found + 1
            # The next window begins early enough to see one that stands across its edge.
            offset = max(offset, self._begin + len(self._data) - 5)
            self._file.seek(offset)
            self._data = self._file.read(WINDOW_OCTETS)
            self._begin = offset
            if len(self._data) <= 5:
                return None


class NoMbox(Exception):
    """There is something in the file, but it is no mbox."""


def spans_of(file: BinaryIO) -> Iterator[Span]:
    """The messages of a file. Raises: NoMbox."""
    window = _Window(file)
    size = file.seek(0, SEEK_END)
    offset = _behind_empty_lines(window, 0, size)
    date = _separator_at(window, offset)
    if date is None and offset < size:
        raise NoMbox
    while date is not None:
        begin = offset + _line_length(window, offset)
        end = _declared_end(window, begin, size)
        by_length = end is not None
        if end is not None:
            offset = _behind_empty_lines(window, end, end + 2)
            next_date = _separator_at(window, offset)
        else:
            offset, next_date = _next_separator(window, begin, size)
            end = _without_empty_line(window, begin, offset)
        yield Span(begin, end, date, by_length)
        date = next_date


def _separator_at(window: _Window, offset: int) -> InternalDate | None:
    return separator_date(window.at(offset, _line_length(window, offset)))


def _line_length(window: _Window, offset: int) -> int:
    """Octets of the line that begins there, its end included: at most as many as a separator may have."""
    line = window.at(offset, _MAX_SEPARATOR_OCTETS)
    return line.find(b"\n") + 1 or len(line)


def _behind_empty_lines(window: _Window, offset: int, limit: int) -> int:
    while offset < limit and window.at(offset, 1) in (b"\n", b"\r"):
        offset += 1
    return offset


def _next_separator(window: _Window, begin: int, size: int) -> tuple[int, InternalDate | None]:
    """Where the next message's separator begins, and its date; the end of the file, and None."""
    found = window.find_separator(begin)
    while found is not None:
        date = _separator_at(window, found)
        if date is not None:
            return found, date
        found = window.find_separator(found + 1)
    return size, None


def _without_empty_line(window: _Window, begin: int, end: int) -> int:
    """The end of a message without the empty line behind it, unless that ends its header."""
    tail = window.at(max(begin, end - 3), min(3, end - begin))
    empty = 2 if tail.endswith(b"\r\n") else 1
    if not (tail[:-empty].endswith(b"\n") or end - begin == empty) or not tail.endswith(b"\n"):
        return end
    stripped = end - empty
    if stripped - begin <= _HEADER_OCTETS and not _empty_line.search(window.at(begin, stripped - begin)):
        return end
    return stripped


def _declared_end(window: _Window, begin: int, size: int) -> int | None:
    """Where Content-Length says that the message ends, if another begins there, or the file ends."""
    header = window.at(begin, _HEADER_OCTETS)
    empty = _empty_line.search(header)
    told = _content_length.search(header, 0, empty.end()) if empty else None
    if not empty or not told:
        return None
    end = begin + empty.end() + int(told[1])
    if end > size:
        return None
    behind = _behind_empty_lines(window, end, end + 2)
    return end if behind == size or _separator_at(window, behind) is not None else None
