"""
From octets to text: encoded words of headers, transfer encodings and charsets of bodies. For searching, so it
never fails, reads wrong forms for what they were meant to be, and takes bodies in pieces.

Sources: RFC 2047 (encoded words), RFC 2045 §6.7 (quoted-printable), §6.8 (base64).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Protocol

from . import charsets
from .headers import HEADER_LIMIT_OCTETS, split_fields, unfold
from .structure import Part

# Wrong but common, and read all the same: inside quoted strings, white space in the text, no space around.
_encoded_word = re.compile(rb"=\?([^?\s]*+)\?([bBqQ])\?([^?]*+)\?=").finditer
_line_ends = re.compile(r"[\r\n]").sub
_not_base64 = bytes(sorted(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")))


def decode_words(raw: bytes) -> str:
    """A header field's raw value as text: unfolded, encoded words decoded, other 8-bit octets as UTF-8 or Latin-1."""
    value = unfold(raw)
    if b"=?" not in value:
        return value.decode("ascii") if value.isascii() else charsets.decode(value)
    out: list[str] = []
    pending, pending_charset = b"", b""  # a character may be cut between two words of one charset
    last = 0
    for match in _encoded_word(value):
        between = value[last : match.start()]
        last = match.end()
        charset = match[1].partition(b"*")[0].lower()  # RFC 2231 §5: charset*language
        if between.strip() or charset != pending_charset:
            out.append(charsets.decode(pending, pending_charset))
            pending = b""
            if between.strip() or not out[-1]:
                out.append(charsets.decode(between))
        pending_charset = charset
        pending += _unbase64(match[3]) if match[2] in b"bB" else _unq(match[3])
    out.append(charsets.decode(pending, pending_charset))
    out.append(charsets.decode(value[last:]))
    return "".join(out)


def _unq(text: bytes) -> bytes:
    return binascii.a2b_qp(text.replace(b"_", b" "))


def _unbase64(text: bytes) -> bytes:
    text = text.translate(None, _not_base64)
    if len(text) % 4 == 1:
        text = text[:-1]
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def field_text(raw: bytes) -> str:
    """A header field's raw value as text in one line, as it is searched: a line end that was encoded is a blank."""
    return _line_ends(" ", decode_words(raw))


def header_text(block: bytes) -> str:
    """A header block as text, a line `name: value` per field: what TEXT searches in."""
    return "\n".join([f"{field.name.decode('latin-1')}: {field_text(field.value)}" for field in split_fields(block)])


class _Transfer(Protocol):
    def feed(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class _Identity:
    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _Base64:
    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        text = self._rest + data.translate(None, _not_base64)
        whole = len(text) & ~3
        self._rest = text[whole:]
        return binascii.a2b_base64(text[:whole])

    def finish(self) -> bytes:
        rest, self._rest = self._rest, b""
        return _unbase64(rest)


class _QuotedPrintable:
    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        text = self._rest + data
        cut = text.rfind(b"\n") + 1
        if not cut and len(text) > 4096:  # a line without end: cut where no escape is open
            equals = text.rfind(b"=", len(text) - 3)
            cut = equals if equals >= 0 else len(text)
        self._rest = text[cut:]
        return binascii.a2b_qp(text[:cut])

    def finish(self) -> bytes:
        rest, self._rest = self._rest, b""
        return binascii.a2b_qp(rest)


_TRANSFERS: dict[bytes, type[_Identity] | type[_Base64] | type[_QuotedPrintable]] = {
    b"base64": _Base64,
    b"quoted-printable": _QuotedPrintable,
}


# What is decoded at once, however a body comes: broken text is so read alike by whoever reads it in other pieces.
DECODED_OCTETS = 8 * 1024


class TextDecoder:
    """
    Makes a text part's body, fed in pieces, into text. Each `feed` gives what is complete by then.

    Memory: what is decoded at once, and an unfinished line of quoted-printable.
    """

    def __init__(self, part: Part) -> None:
        self._transfer: _Transfer = _TRANSFERS.get(part.encoding.lower(), _Identity)()
        # RFC 6532 §3: what is no text/ is UTF-8 where it is more than ASCII.
        charset = part.charset if part.type.lower() == b"text" else b"utf-8"
        self._charset = charsets.incremental_decoder(charset)
        self._waiting = b""

    def feed(self, data: bytes) -> str:
        """The next piece of the body."""
        waiting = self._waiting + data
        whole = len(waiting) - len(waiting) % DECODED_OCTETS
        self._waiting = waiting[whole:]
        return "".join(
            [
                self._decode(self._transfer.feed(waiting[start : start + DECODED_OCTETS]), final=False)
                for start in range(0, whole, DECODED_OCTETS)
            ]
        )

    def finish(self) -> str:
        """The body ends: what is left."""
        last = self._transfer.feed(self._waiting) + self._transfer.finish()
        self._waiting = b""
        return self._decode(last, final=True)

    def _decode(self, data: bytes, final: bool) -> str:
        try:
            return self._charset.decode(data, final)
        except UnicodeError:  # a state without end or beginning, see `incremental_decoder`
            self._charset.reset()
            return data.decode("latin-1")


def text_parts(root: Part) -> Iterator[Part]:
    """
    The parts of a message that are text, those of messages inside it too, in order.

    Beside text/ these are the parts of type message/ that are read as they are: message/delivery-status and its kin
    (RFC 3464, RFC 8098, RFC 5965, RFC 6533), message/partial, message/external-body.
    """
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.children:
            waiting.extend(reversed(part.children))
        elif part.type.lower() in (b"text", b"message"):
            yield part


def is_header(part: Part) -> bool:
    """Whether a text part is a header block: text/rfc822-headers (RFC 6522), message/global-headers (RFC 6533)."""
    return part.subtype.lower() == (b"rfc822-headers" if part.type.lower() == b"text" else b"global-headers")


class HeaderDecoder:
    """Makes a part that is a header block into text as `header_text` does, with TextDecoder's methods."""

    def __init__(self, part: Part) -> None:
        self._transfer: _Transfer = _TRANSFERS.get(part.encoding.lower(), _Identity)()
        self._octets = bytearray()

    def feed(self, data: bytes) -> str:
        """The next piece of the body: more than HEADER_LIMIT_OCTETS are not looked into."""
        if len(self._octets) < HEADER_LIMIT_OCTETS:
            self._octets += self._transfer.feed(data)
        return ""

    def finish(self) -> str:
        """The body ends: all of it."""
        return header_text(bytes(self._octets + self._transfer.finish()))


def text_decoder(part: Part) -> TextDecoder | HeaderDecoder:
    """What makes one of `text_parts` into text."""
    return HeaderDecoder(part) if is_header(part) else TextDecoder(part)


def readable(root: Part) -> Iterator[tuple[TextDecoder | HeaderDecoder, int, int]]:
    """
    All that is searched in a message beside its own header: what makes it into text, and where its octets are.

    Text parts first, then the header blocks of messages inside the message.
    """
    for part in text_parts(root):
        yield text_decoder(part), part.body_start, part.body_end
    for start, end in _embedded_headers(root):
        yield HeaderDecoder(Part(0)), start, end


def _embedded_headers(root: Part) -> Iterator[tuple[int, int]]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_message:
            yield part.children[0].header_start, part.children[0].body_start
        waiting.extend(reversed(part.children))
