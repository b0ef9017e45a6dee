"""
The base64 dress that SMTP, IMAP and POP3 put around SASL messages. One meaning for all three.

Sources: RFC 4648 §4 with §3.3 (nothing outside the alphabet is skipped); RFC 4954 §4, RFC 5034 §4, RFC 4959 §3
("=" is an initial response of no octets, "*" alone cancels).
"""

from __future__ import annotations

from binascii import Error, a2b_base64

from .outcomes import MALFORMED, RefusalReason, Refused

# RFC 4954 §4: the line limit for AUTH exchanges, CRLF included.
MAX_LINE_OCTETS = 12288


def decode_response(line: bytes) -> bytes | Refused:
    """A client's line, without its line end, in an exchange under way. An empty line is an empty response."""
    if line == b"*":
        return Refused(RefusalReason.CANCELLED)
    return _decoded(line)


def decode_initial(argument: bytes) -> bytes | Refused:
    """The initial response of an AUTH command: "=" stands for no octets."""
    return b"" if argument == b"=" else _decoded(argument) if argument else MALFORMED


def _decoded(text: bytes) -> bytes | Refused:
    if len(text) > MAX_LINE_OCTETS:
        return MALFORMED
    try:
        return a2b_base64(text, strict_mode=True)
    except Error:
        return MALFORMED
