"""
What a report gives back of the message: its header, or where the sender wants it after a failure, all of it.

Sources: RFC 3461 §4.3, §6.2 (RET), RFC 6522 §3, §4, RFC 6533 §4.2, §4.3 (what has a header beyond ASCII).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...mail.options import Return
from ...mail.report import Reported
from .text import fits_as_it_is, is_text, quoted

# So much of the header is given back; reports stay far below what is kept in one piece.
HEADER_OCTETS = 16 * 1024
# Larger messages are not given back whole, which RFC 3461 §6.2 leaves to us: a report is made in memory and kept in
# one piece beside what it tells of its recipients, and many may be due at once.
WHOLE_OCTETS = 64 * 1024


@dataclass(frozen=True, slots=True)
class ReturnedPart:
    """The part with its header. `is_whole`: the message is in it; `eight_bit`: it has octets above 127."""

    octets: bytes
    is_whole: bool = False
    eight_bit: bool = False


def returned_part(reported: Reported, *, has_failed: bool, utf8: bool, eight_bit: bool) -> ReturnedPart:
    """
    What is given back. `utf8`: who gets the report reads UTF-8; `eight_bit`: and it may go unencoded.
    """
    header = _cut(reported.header)
    is_wide = utf8 and not reported.header.isascii()
    if has_failed and reported.options.ret is Return.FULL and _can_be_whole(reported):
        return _whole(reported.content, is_wide=is_wide)
    kind = b"message/global-headers" if is_wide else b"text/rfc822-headers"
    head = b"Content-Type: " + kind + b"\r\n"
    if fits_as_it_is(header):
        return ReturnedPart(head + b"\r\n" + header)
    if is_wide and eight_bit and is_text(header):
        return ReturnedPart(head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + header, eight_bit=True)
    return ReturnedPart(head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted(header))


def _can_be_whole(reported: Reported) -> bool:
    """All of it is there, and it is text: no part within a report may be binary."""
    content = reported.content
    return reported.header_size < len(content) <= WHOLE_OCTETS and is_text(content)


def _whole(content: bytes, *, is_wide: bool) -> ReturnedPart:
    head = b"Content-Type: " + (b"message/global" if is_wide else b"message/rfc822") + b"\r\n"
    if content.isascii():
        return ReturnedPart(head + b"\r\n" + content, is_whole=True)
    return ReturnedPart(head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + content, is_whole=True, eight_bit=True)


def _cut(header: bytes) -> bytes:
    """Whole lines of the header, as many as fit, without the empty line at its end."""
    if len(header) > HEADER_OCTETS:
        end = header.rfind(b"\r\n", 0, HEADER_OCTETS)
        header = header[: end if end > 0 else HEADER_OCTETS]
    return header.rstrip(b"\r\n") + b"\r\n"
