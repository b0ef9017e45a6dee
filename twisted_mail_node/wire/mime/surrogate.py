"""
Messages for protocols that carry lines of text alone: what cannot be carried gets another form on the way.

- Lines end with CRLF; one that ends with LF alone in the store is given its CR. NUL never occurs, nor CR alone.
- A part in binary transfer encoding comes in base64 (RFC 2045 §6.2: what carries lines may not be given it).
- With `ascii_headers`, header blocks, those of parts and of messages inside too, are downgraded to ASCII.

Without `as_lines` the last is all: IMAP can carry the others.

A message that has nothing of the kind comes out as it went in. Memory: one header, or a few octets of a body.
Neighbours: `structure` finds the parts, `downgrading` does the headers.

Sources: RFC 6856 §2.1, RFC 6858, RFC 3030 §3 (conversion of binary content).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import Protocol

from .downgrading import Downgrading
from .headers import HEADER_LIMIT_OCTETS
from .structure import MESSAGES, Edge, Part, Section, StructureScanner

_encoding_field = re.compile(rb"(?im)^(content-transfer-encoding[ \t]*:)[^\r]*(?:\r\n[ \t][^\r]*)*").sub
# RFC 2045 §6.8: a line of base64 has at most 76 characters.
_OCTETS_IN_A_LINE = 57


def surrogate_of(content: bytes, *, ascii_headers: bool, as_lines: bool = True) -> bytes:
    """The surrogate of a message at hand, or of a header block."""
    surrogate = Surrogate(ascii_headers=ascii_headers, as_lines=as_lines)
    return surrogate.feed(content) + surrogate.end()


class Surrogate:
    """Makes the surrogate of a message that comes in pieces of any size."""

    def __init__(self, *, ascii_headers: bool, as_lines: bool = True) -> None:
        self._ascii_headers = ascii_headers
        self._as_lines = as_lines
        self._downgrading = Downgrading()
        self._edges: list[Edge] = []
        self._scanner = StructureScanner(self._edges)
        # What has come, up to which place it was given out, and which offset of the message that is.
        self._waiting = b""
        self._place = 0
        self._offset = 0
        self._form: _Form | None = None  # None while a header is gathered
        self._out: list[bytes] = []

    def feed(self, piece: bytes) -> bytes:
        """As much of the surrogate as is known by now."""
        self._waiting += piece
        self._scanner.feed(piece)
        self._pass_edges()
        if self._form is None and len(self._waiting) - self._place > HEADER_LIMIT_OCTETS:
            # No header that could be read as a whole: what is not ASCII is not shown.
            self._form = _Masked() if self._ascii_headers else self._body_form()
        if self._form is not None:
            self._give(self._scanner.settled)
        self._waiting, self._place = self._waiting[self._place :], 0
        return self._taken()

    def end(self) -> bytes:
        """The rest. Base64 that goes on to the end gets its last line end here."""
        in_base64 = isinstance(self._form, _Base64)
        self._scanner.finish()
        self._pass_edges()
        rest = self._taken()
        return rest + b"\r\n" if in_base64 and not rest.endswith(b"\n") else rest

    def _pass_edges(self) -> None:
        for edge in self._edges:
            self._pass(edge)
        self._edges.clear()

    def _pass(self, edge: Edge) -> None:
        says_base64 = False
        if self._form is None:
            self._out.append(self._header(self._take(edge.offset), edge.part))
            says_base64 = self._as_lines and _is_binary(edge.part) and not _holds_parts(edge.part)
        else:
            self._give(edge.offset)
            self._out.append(self._form.end())
        if edge.section is Section.HEADER:
            self._form = None
        else:
            self._form = _Base64() if says_base64 else self._body_form()

    def _body_form(self) -> _Form:
        return _Lines() if self._as_lines else _Untouched()

    def _header(self, block: bytes, part: Part) -> bytes:
        if not self._as_lines and block.isascii():
            return block
        # LF ends a line, as it did for the scanner. If a CR did too, or went, there would be fields that were none.
        block = _in_lines(block, b"?").replace(b"\0", b"?")
        if self._as_lines and _is_binary(part):
            block = _encoding_field(rb"\1 8bit" if _holds_parts(part) else rb"\1 base64", block)
        return self._downgrading.of(block) if self._ascii_headers else block

    def _give(self, end: int) -> None:
        assert self._form is not None
        self._out.append(self._form.feed(self._take(end)))

    def _take(self, end: int) -> bytes:
        """The octets that wait before this offset of the message."""
        taken = self._waiting[self._place : self._place + max(0, end - self._offset)]
        self._place += len(taken)
        self._offset += len(taken)
        return taken

    def _taken(self) -> bytes:
        given = b"".join(self._out)
        self._out.clear()
        return given


def _in_lines(octets: bytes, lone_return: bytes) -> bytes:
    """The octets with CRLF for each LF and CRLF, and something else for each CR alone."""
    pairs = octets.count(b"\r\n")
    if octets.count(b"\n") == pairs == octets.count(b"\r"):
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\r", lone_return).replace(b"\n", b"\r\n")


def _is_binary(part: Part) -> bool:
    return part.encoding.lower() == b"binary"


def _holds_parts(part: Part) -> bool:
    """Whether its own encoding says no more than what the parts in it say for themselves (RFC 2045 §6.4)."""
    kind = part.type.lower()
    return kind == b"multipart" or (kind == b"message" and part.subtype.lower() in MESSAGES)


class _Form(Protocol):
    """How the octets of a section are given out."""

    def feed(self, octets: bytes) -> bytes: ...
    def end(self) -> bytes: ...


class _Untouched:
    """Octets as they are."""

    def feed(self, octets: bytes) -> bytes:
        return octets

    def end(self) -> bytes:
        return b""


class _Lines:
    """
    Octets in lines: each LF or CRLF is a CRLF.

    CR alone is a space: as a line end it could make a delimiter of what was none for the scanner. NUL is what it is
    over IMAP (see wire.imap.strings).
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes) -> bytes:
        octets = self._held + octets
        self._held = b"\r" if octets.endswith(b"\r") else b""
        if self._held:
            octets = octets[:-1]
        octets = _in_lines(octets, b" ")
        return octets.replace(b"\0", b"\x80") if b"\0" in octets else octets

    def end(self) -> bytes:
        held, self._held = self._held, b""
        return b" " if held else b""


class _Masked:
    """As lines, with a question mark for all that is not ASCII."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, octets: bytes) -> bytes:
        lines = self._lines.feed(octets)
        return lines if lines.isascii() else lines.decode("ascii", "replace").replace("\ufffd", "?").encode("ascii")

    def end(self) -> bytes:
        return self._lines.end()


class _Base64:
    """Octets in base64. The end of the last line is left to what follows."""

    def __init__(self) -> None:
        self._rest = b""
        self._between = b""

    def feed(self, octets: bytes) -> bytes:
        octets = self._rest + octets
        whole = len(octets) - len(octets) % _OCTETS_IN_A_LINE
        self._rest = octets[whole:]
        return self._lines(octets[:whole])

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return self._lines(rest)

    def _lines(self, octets: bytes) -> bytes:
        lines = [
            b2a_base64(octets[start : start + _OCTETS_IN_A_LINE], newline=False)
            for start in range(0, len(octets), _OCTETS_IN_A_LINE)
        ]
        if not lines:
            return b""
        between, self._between = self._between, b"\r\n"
        return between + b"\r\n".join(lines)
