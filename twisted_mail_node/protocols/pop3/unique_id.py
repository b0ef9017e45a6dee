"""
What UIDL gives: the guid of a message, which a move to another backend or machine leaves as it is. Source: RFC 1939 §7.

The stores here make guids that fit. One of an application's own may have any text there.
"""

from __future__ import annotations

import re
from hashlib import blake2b

_fits = re.compile(r"[!-~]{1,70}").fullmatch


def unique_id(guid: str) -> str:
    """The guid, where it is a unique-id; else one that is made of it, the same each time."""
    if _fits(guid) is not None:
        return guid
    return blake2b(guid.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
