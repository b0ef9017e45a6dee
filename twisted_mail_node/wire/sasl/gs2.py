"""
The GS2 header, with which the messages of SCRAM and OAUTHBEARER begin: channel binding and authorization identity.

Sources: RFC 5801 §4; RFC 5802 §7 (gs2-header, saslname).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .text import MAX_NAME_OCTETS, checked_text

# The standard has no empty identity; GNU SASL sends one, and means none.
_HEADER = re.compile(rb"(?:(n)|(y)|p=([A-Za-z0-9.-]+)),(?:a=([^,\0]*))?,")
_ESCAPE = re.compile(rb"=(2C|3D|)")
_ESCAPED = {b"2C": b",", b"3D": b"="}


@dataclass(frozen=True, slots=True)
class GS2Header:
    """
    A header.

    `binding` is the type of channel binding that the client uses, "" for none; `could_bind` says that it would use one
    and believes that the server cannot. `identity` is "" where the client told none. `octets` are the header itself.
    """

    binding: str
    could_bind: bool
    identity: str
    octets: bytes


def parse_header(message: bytes) -> GS2Header | None:
    """The header that a message begins with, or None where it does not."""
    match = _HEADER.match(message)
    if match is None:
        return None
    identity = decode_name(match[4]) if match[4] else ""
    if identity is None:
        return None
    binding = match[3].decode("ascii") if match[3] else ""
    return GS2Header(binding, bool(match[2]), identity, match[0])


def decode_name(octets: bytes) -> str | None:
    """A saslname without its escapes; None where it is none."""
    if any(escape not in _ESCAPED for escape in _ESCAPE.findall(octets)):
        return None
    return checked_text(_ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], octets), MAX_NAME_OCTETS)
