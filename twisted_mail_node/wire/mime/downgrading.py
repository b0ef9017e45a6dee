"""
Header blocks for who takes ASCII alone: what can be said in it is, an address that cannot be is no address any more.

Sources: RFC 6858 §2 and §3 (addresses; fields that cannot be shown are left out), RFC 6857 §3.1 (text and parameters
are encoded). Octets that are no UTF-8 are read as `decode` reads them. Neighbours: `surrogate` finds the blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from . import charsets
from .decode import decode_words
from .encoded_words import encoded_words
from .headers import unfold
from .parameters import value_and_parameters

# RFC 6858 §3.1: nobody has this address, and nobody will.
INVALID_ADDRESS = b"<invalid@internationalized-address.invalid>"

# So much beyond ASCII is read of one message's headers; a field that is more is left out like those that cannot be
# shown. No honest mail comes near, and to read it takes some 30 ms at worst.
DOWNGRADED_OCTETS = 32 * 1024

_ADDRESSES = frozenset(
    (
        b"from",
        b"sender",
        b"reply-to",
        b"to",
        b"cc",
        b"bcc",
        b"return-path",
        b"resent-from",
        b"resent-sender",
        b"resent-reply-to",
        b"resent-to",
        b"resent-cc",
        b"resent-bcc",
    )
)
_TEXTS = frozenset((b"subject", b"comments", b"content-description"))
_WITH_PARAMETERS = frozenset((b"content-type", b"content-disposition"))
# A longer parameter is left out: a line has at most 998 octets (RFC 5322 §2.1.1).
_PARAMETER_OCTETS = 900

_between_fields = re.compile(rb"\r\n(?![ \t])").split
_address_token = re.compile(
    rb'"(?:[^"\\]|\\.)*+"?'  # a quoted string
    rb"|\((?:[^()\\]|\\.)*+\)?"  # a comment
    rb"|<[^>]*+>?"  # an address
    rb"|\[[^]]*+\]?"  # a domain literal
    rb'|[^"(<\[,;:]++'  # words
    rb"|[,;:]",
    re.DOTALL,
).findall
_quoted_pair = re.compile(rb"\\(.)", re.DOTALL).sub
_token = re.compile(rb"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]++").fullmatch


class Downgrading:
    """Downgrades the header blocks of one message."""

    def __init__(self) -> None:
        self._left_octets = DOWNGRADED_OCTETS

    def of(self, block: bytes) -> bytes:
        """A header block in ASCII. Its lines end with CRLF, the empty line at its end (where it has one) stays."""
        if block.isascii():
            return block
        return b"\r\n".join(self._fields(block))

    def _fields(self, block: bytes) -> Iterator[bytes]:
        for field in _between_fields(block):
            if field.isascii():
                yield field
            elif len(field) <= self._left_octets:
                self._left_octets -= len(field)
                name, colon, value = field.partition(b":")
                shown = _shown(name.rstrip(b" \t").lower(), value) if colon and name.isascii() else None
                if shown is not None:
                    yield name + b": " + shown


def _shown(name: bytes, value: bytes) -> bytes | None:
    """A field's value in ASCII, or None where that cannot be."""
    if name in _ADDRESSES:
        return _address_list(value)
    if name in _TEXTS:
        return encoded_words(decode_words(value))
    if name in _WITH_PARAMETERS:
        return _with_parameters(value)
    return None


# -- addresses ------------------------------------------------------------------------------------------------------


def _address_list(value: bytes) -> bytes:
    """Mailboxes and groups as they stand there, those in ASCII untouched."""
    shown: list[bytes] = []
    pending: list[bytes] = []
    for token in _address_token(unfold(value)):
        if token in (b",", b";", b":"):
            shown.append(_mailbox(pending, is_name=token == b":") + token)
            pending = []
        else:
            pending.append(token)
    if last := _mailbox(pending, is_name=False):
        shown.append(last)
    return b"\r\n ".join(shown)


def _mailbox(tokens: list[bytes], *, is_name: bool) -> bytes:
    written = b"".join(tokens).strip(b" \t")
    if written.isascii():
        return written
    before = list(takewhile(lambda token: token[:1] != b"<", tokens))
    address = tokens[len(before)] if len(before) < len(tokens) else None
    words = "".join([_read(token) for token in before if token[:1] != b"("]).strip(" \t")
    if is_name:
        return encoded_words(words)
    if address is None:
        # Nothing but an address; or the comments alone were not ASCII.
        return words.encode("ascii") if words.isascii() else _unreachable(words)
    if address.isascii():
        return encoded_words(words) + b" " + address if words else address
    return _unreachable(f"{words} {charsets.decode(address)}".strip())


def _unreachable(shown: str) -> bytes:
    return encoded_words(shown) + b"\r\n " + INVALID_ADDRESS


def _read(token: bytes) -> str:
    if token[:1] == b'"':
        return charsets.decode(_quoted_pair(rb"\1", token[1:].removesuffix(b'"')))
    text = decode_words(token)
    # `decode_words` takes the white space around a value off.
    return " " * (token[:1] in (b" ", b"\t")) + text + " " * (token[-1:] in (b" ", b"\t") and text != "")


# -- parameters -----------------------------------------------------------------------------------------------------


def _with_parameters(value: bytes) -> bytes | None:
    """A structured MIME field; text in its parameters in the form of RFC 2231 §4."""
    first, parameters = value_and_parameters(value)
    if not first or not first.isascii():
        return None
    shown = [first]
    for name, text in parameters:
        parameter = _parameter(name, text) if name.isascii() else b""
        if parameter and len(parameter) <= _PARAMETER_OCTETS:
            shown.append(parameter)
    return b";\r\n ".join(shown)


def _parameter(name: bytes, value: bytes) -> bytes:
    if value.isascii():
        return name + b"=" + (value if _token(value) else b'"' + re.sub(rb'([\\"])', rb"\\\1", value) + b'"')
    text = charsets.decode(value).encode("utf-8")
    octets = [b"%c" % octet if _is_plain(octet) else b"%%%02X" % octet for octet in text]
    return name + b"*=utf-8''" + b"".join(octets)


def _is_plain(octet: int) -> bool:
    """Whether an octet stands for itself: attribute-char of RFC 2231 §7."""
    return chr(octet) in "!#$&+-.^_`{|}~" or (octet < 128 and chr(octet).isalnum())
