"""
What OAUTHBEARER and XOAUTH2 share: the token itself, and the words about one that was refused.

Sources: RFC 6750 §2.1 (its characters); RFC 7628 §3.1 (key and value pairs), §3.2.2 (the words).
"""

from __future__ import annotations

import json
import re

from .outcomes import TokenRefusal

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*) *")
_PAIRS = re.compile(rb"(?:[A-Za-z]+=[^\0\x01]*\x01)*")

Pairs = dict[bytes, bytes]


def parse_pairs(octets: bytes) -> Pairs | None:
    """Key and value pairs, each ended by ^A; None where they are none. A key given twice is none either."""
    if _PAIRS.fullmatch(octets) is None:
        return None
    pairs = [pair.partition(b"=") for pair in octets.split(b"\1")[:-1]]
    found = {key: value for key, _, value in pairs}
    return found if len(found) == len(pairs) else None


def bearer_token(value: bytes | None) -> str | None:
    """The token of an `auth` value; "" for an empty value, which asks for the words; None where it is none."""
    if value is None:
        return None
    if not value:
        return ""
    match = _BEARER.fullmatch(value)
    return match[1].decode("ascii") if match else None


def refusal_words(kind: TokenRefusal, scope: str, configuration_url: str) -> bytes:
    """The challenge that tells a client what was wrong with its token, as JSON."""
    if kind is TokenRefusal.OAUTHBEARER:
        words = {"status": "invalid_token", "scope": scope, "openid-configuration": configuration_url}
    else:
        words = {"status": "401", "schemes": "bearer", "scope": scope}
    return json.dumps({key: word for key, word in words.items() if word}, separators=(",", ":")).encode("utf-8")
