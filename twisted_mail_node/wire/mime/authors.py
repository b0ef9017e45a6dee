"""
From and Sender of a header block, as addresses. What cannot be read as an address is not passed over.

Sources: RFC 5322 §3.6.2; RFC 6532 §3.1 for UTF-8 in them.
"""

from __future__ import annotations

import re

from ...mail.address import Address
from ...mail.authors import Authors
from ...mail.domain_name import ascii_domain
from .envelope import FULL_GRAMMAR_OCTETS, mailboxes

# RFC 5322 §4.5 lets white space stand before the colon, and some mailers show such a field. Binary content may have
# a CR or LF alone, which some take for the end of a line.
_fields = re.compile(rb"[\r\n](from|sender)[ \t]*:([^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*)", re.IGNORECASE).findall


def authors_of(header: bytes) -> Authors:
    """Who the header block says has written and sent the message."""
    found: dict[bytes, list[Address]] = {b"from": [], b"sender": []}
    is_sound = True
    for name, value in _fields(b"\n" + header):
        if len(value) > FULL_GRAMMAR_OCTETS:
            is_sound = False
            continue
        for local_part, domain in mailboxes(value):
            address = _address(local_part, domain)
            if address is None:
                is_sound = False
            else:
                found[name.lower()].append(address)
    return Authors(tuple(found[b"from"]), tuple(found[b"sender"]), is_sound)


def _address(local_part: bytes, domain: bytes) -> Address | None:
    if not local_part or not domain:
        return None
    try:
        return Address(local_part.decode("utf-8"), ascii_domain(domain.decode("utf-8")))
    except ValueError:
        return None
