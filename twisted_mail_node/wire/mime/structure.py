"""
The tree of a message's parts, with the offsets of each part's header and body, found in one pass.

The scanner takes a message in pieces of any size and keeps little more than one header in memory, so a message
of 50 MiB needs no more than one of 5 KiB. Whatever octets come, there is a tree in the end: what is deeper or
more than the limits is left as one opaque part. Rendering is in `body_structure`.

Sources: RFC 2045, RFC 2046 §5.1 (multipart), §5.2.1 (message/rfc822); RFC 6532 §3.7 (message/global).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from .envelope import envelope_of
from .headers import HEADER_LIMIT_OCTETS, unfold, values_of
from .parameters import Parameters, media_type, parameter, value_and_parameters

DEPTH_LIMIT = 100
# Our own bound: what one message may cost whoever looks at it. No real one comes near.
PART_LIMIT = 1000
# RFC 2046 §5.1.1: a boundary has at most 70 characters. A longer line is no delimiter; white space may follow it.
DELIMITER_LINE_LIMIT_OCTETS = 1000

_CONTENT_FIELDS = frozenset(
    b"content-" + name
    for name in (
        b"type",
        b"transfer-encoding",
        b"id",
        b"description",
        b"md5",
        b"disposition",
        b"language",
        b"location",
    )
)
_header_stop = re.compile(rb"\n(?:\r?\n|--)").search
# Of type message, those that have a message in them.
MESSAGES = frozenset((b"rfc822", b"global"))
_TEXT_PLAIN = (b"text", b"plain", ((b"charset", b"us-ascii"),))


@dataclass(slots=True)
class Part:
    """
    One part. The header's octets are header_start:body_start, the body's body_start:body_end, of the message.

    `type` and `subtype` are as written. A multipart has its parts as children; a message/rfc822 or message/global
    has the message in it as its only child; any other part has none. `lines` counts the body's line ends. The optional
    fields are unfolded values, or None where they are missing. `envelope` is that of a message inside.
    """

    header_start: int
    body_start: int = 0
    body_end: int = 0
    lines: int = 0
    type: bytes = b"text"
    subtype: bytes = b"plain"
    parameters: Parameters = ()
    encoding: bytes = b"7bit"
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    disposition: tuple[bytes, Parameters] | None = None
    language: bytes | None = None
    location: bytes | None = None
    envelope: bytes | None = None
    children: list[Part] = field(default_factory=list)

    @property
    def is_multipart(self) -> bool:
        """Whether the children are parts of a multipart."""
        return self.type.lower() == b"multipart"

    @property
    def is_message(self) -> bool:
        """Whether the one child is the message in it."""
        return bool(self.children) and not self.is_multipart

    @property
    def charset(self) -> bytes:
        """The charset parameter in lower case, us-ascii where there is none."""
        return (parameter(self.parameters, b"charset") or b"us-ascii").lower()

    @property
    def size(self) -> int:
        """The body's octets."""
        return self.body_end - self.body_start


def structure_of(message: bytes) -> Part:
    """The tree of a whole message."""
    scanner = StructureScanner()
    scanner.feed(message)
    return scanner.finish()


class Section(Enum):
    """What a stretch of the message's octets is."""

    HEADER = auto()
    BODY = auto()
    BETWEEN = auto()
    """Delimiters, and what stands before the first part and behind the last."""


class Edge(NamedTuple):
    """A place in the message where a section begins: the header or body of `part`, or what is behind it."""

    offset: int
    section: Section
    part: Part


class StructureScanner:
    """
    Feed it the message in pieces, then take the tree from `finish`. Linear in the octets fed.

    `edges`, where it is given, gets the edges as they are found, in ascending order; who gives it may take them out.
    The message begins with a header, which has no edge.
    """

    def __init__(self, edges: list[Edge] | None = None) -> None:
        self._edges = edges
        # One octet before the message, so that its first line begins behind a line end as any other.
        self._buffer = b"\n"
        self._base = -1  # offset of the buffer's first octet in the message
        self._position = 1  # in the buffer: all before it is done
        self._counted, self._lines = 0, 0  # line ends before the offset `_counted`
        self._header = bytearray()
        self._header_done = 1  # in the buffer: header octets before it are in `_header`
        self._root = Part(0)
        self._open = [(self._root, 0)]  # outermost first, each with the count of lines before its body
        self._in_header = True
        self._boundaries: dict[bytes, Part] = {}
        self._parts = 1
        self._final = False

    @property
    def settled(self) -> int:
        """Up to this offset of the message no more edges will be found."""
        return max(0, self._base + self._position - 2)

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._buffer += data
        while self._step():
            pass
        self._trim()

    def finish(self) -> Part:
        """The message ends here: its tree."""
        self._final = True
        while self._step():
            pass
        while self._in_header:  # again, where the header was that of a message/rfc822 without content
            self._end_header(len(self._buffer), len(self._buffer))
        self._close_down_to(0, self._base + len(self._buffer))
        return self._root

    def _step(self) -> bool:
        """Go on to the next header end or delimiter; False when none is in the buffer."""
        buffer, start = self._buffer, self._position - 1
        if self._in_header:
            match = _header_stop(buffer, start)
            if match is None:
                self._position = max(self._position, len(buffer) - 3)
                return False
            if buffer[match.end() - 1] == 10:
                self._end_header(match.end(), match.end())
                return True
            candidate = match.start()
        else:
            candidate = buffer.find(b"\n--", start) if self._boundaries else -1
            if candidate < 0:
                self._position = max(self._position, len(buffer) - 3)
                return False
        return self._delimiter(candidate)

    def _delimiter(self, candidate: int) -> bool:
        """Judge the line behind the line end at this place; False when more of it must come first."""
        buffer, start = self._buffer, candidate + 1
        line_end = buffer.find(b"\n", start, start + DELIMITER_LINE_LIMIT_OCTETS)
        if line_end < 0:
            if len(buffer) - start < DELIMITER_LINE_LIMIT_OCTETS:
                if not self._final:
                    self._position = start
                    return False
                line_end = len(buffer)
            else:
                self._position = start + 2
                return True
        line = buffer[start + 2 : line_end].rstrip(b" \t\r")
        multipart, closes = self._boundaries.get(line), False
        if multipart is None and line.endswith(b"--"):
            multipart, closes = self._boundaries.get(line[:-2].rstrip(b" \t")), True
        next_line = min(line_end + 1, len(buffer))
        if multipart is None:
            self._position = max(next_line, start + 2)
            return True
        if self._in_header:
            self._end_header(start, start, bare=True)
        body_end = candidate - 1 if candidate and buffer[candidate - 1] == 13 else candidate
        level = next(i for i, (part, _) in enumerate(self._open) if part is multipart)
        self._close_down_to(level + 1, self._base + body_end)
        self._position = next_line
        if closes:
            self._forget_boundary(multipart)
        elif self._parts >= PART_LIMIT:
            self._boundaries.clear()
        else:
            default_message = multipart.subtype.lower() == b"digest"
            self._begin_part(multipart, next_line, default_message)
        return True

    def _begin_part(self, parent: Part, place: int, default_message: bool = False) -> None:
        part = Part(self._base + place)
        if default_message:  # RFC 2046 §5.1.5
            part.type, part.subtype = b"message", b"rfc822"
        parent.children.append(part)
        self._open.append((part, 0))
        self._parts += 1
        self._in_header = True
        self._header.clear()
        self._position = self._header_done = place
        self._tell(part.header_start, Section.HEADER, part)

    def _end_header(self, end: int, body: int, bare: bool = False) -> None:
        """The header of the innermost part ends here; with `bare` a delimiter follows, so it can hold nothing."""
        part, _ = self._open[-1]
        if len(self._header) < HEADER_LIMIT_OCTETS:
            self._header += self._buffer[self._header_done : end]
        header = bytes(self._header[:HEADER_LIMIT_OCTETS])
        self._header.clear()
        self._in_header = False
        self._position = body
        part.body_start = part.body_end = self._base + body
        self._open[-1] = (part, self._lines_before(part.body_start))
        _describe(part, header)
        self._tell(part.body_start, Section.BODY, part)
        if len(self._open) >= 2 and (outer := self._open[-2][0]).type.lower() == b"message":
            outer.envelope = envelope_of(header)
        self._enter(part, body, bare)

    def _enter(self, part: Part, body: int, bare: bool) -> None:
        """Make ready for what is in the part, where it can hold parts."""
        kind = part.type.lower()
        room = len(self._open) < DEPTH_LIMIT and self._parts < PART_LIMIT
        if kind == b"multipart":
            boundary = (parameter(part.parameters, b"boundary") or b"").rstrip(b" \t")
            if not boundary:
                part.type, part.subtype, part.parameters = _TEXT_PLAIN
            elif not room:
                part.type, part.subtype = b"application", b"octet-stream"
            elif not bare:
                self._boundaries.setdefault(boundary, part)
        elif kind == b"message" and part.subtype.lower() in MESSAGES:
            if room and not bare:
                self._begin_part(part, body)
            else:
                part.type, part.subtype = b"application", b"octet-stream"

    def _close_down_to(self, level: int, end: int) -> None:
        """End all open parts from this level inwards at this offset."""
        while len(self._open) > level:
            part, lines_before = self._open.pop()
            part.body_end = max(part.body_start, end)
            self._tell(part.body_end, Section.BETWEEN, part)
            part.lines = max(0, self._lines_before(part.body_end) - lines_before)
            if part.is_multipart:
                self._forget_boundary(part)

    def _tell(self, offset: int, section: Section, part: Part) -> None:
        if self._edges is not None:
            self._edges.append(Edge(offset, section, part))

    def _forget_boundary(self, part: Part) -> None:
        for boundary, owner in self._boundaries.items():
            if owner is part:
                del self._boundaries[boundary]
                return

    def _lines_before(self, offset: int) -> int:
        if offset > self._counted:
            self._lines += self._buffer.count(b"\n", self._counted - self._base, offset - self._base)
            self._counted = offset
        return self._lines

    def _trim(self) -> None:
        """Forget what is done, but for the two octets before it (the line end before a delimiter)."""
        keep = max(0, self._position - 3)
        if self._in_header:
            if len(self._header) < HEADER_LIMIT_OCTETS:
                self._header += self._buffer[self._header_done : self._position]
            self._header_done = self._position - keep
        if keep:
            self._lines_before(self._base + keep)
            self._buffer = self._buffer[keep:]
            self._base += keep
            self._position -= keep


def _describe(part: Part, header: bytes) -> None:
    """Read the Content- fields; of one that comes twice the first counts."""
    if b"ontent-" not in header and b"ONTENT-" not in header and b"content-" not in header.lower():
        if part.type == b"text":
            part.parameters = _TEXT_PLAIN[2]
        return
    fields: dict[bytes, bytes] = {}
    for name, value in values_of(header, _CONTENT_FIELDS):
        fields.setdefault(name[8:], value)
    kind = media_type(fields[b"type"]) if b"type" in fields else None
    if kind is not None:
        part.type, part.subtype, part.parameters = kind
    elif b"type" in fields or part.type == b"text":  # RFC 2045 §5.2: what is not understood is plain text
        part.type, part.subtype, part.parameters = _TEXT_PLAIN
    if b"transfer-encoding" in fields:
        part.encoding = value_and_parameters(fields[b"transfer-encoding"])[0] or b"7bit"
    if b"disposition" in fields:
        value, parameters = value_and_parameters(fields[b"disposition"])
        part.disposition = (value, parameters) if value else None
    part.content_id = _unfolded(fields.get(b"id"))
    part.description = _unfolded(fields.get(b"description"))
    part.md5 = _unfolded(fields.get(b"md5"))
    part.language = _unfolded(fields.get(b"language"))
    part.location = _unfolded(fields.get(b"location"))


def _unfolded(value: bytes | None) -> bytes | None:
    return None if value is None else unfold(value)
