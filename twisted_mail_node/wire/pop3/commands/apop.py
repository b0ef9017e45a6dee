"""APOP. Source: RFC 1939 §7."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...sasl.text import MAX_NAME_OCTETS
from ..arguments import Mistake, text_of
from ..phrases import Phrase
from ..standing import Standing

_digest = re.compile(rb"[0-9a-f]{32}").fullmatch


@dataclass(frozen=True, slots=True)
class ShowDigest:
    """APOP: a digest of the greeting's timestamp and the secret. A positive reply begins the transaction state."""

    username: str
    digest: bytes = field(repr=False)


def parse(argument: bytes, standing: Standing) -> ShowDigest:
    """Raises: Mistake."""
    standing.user = None
    name, _, digest = argument.strip(b" ").rpartition(b" ")
    username = text_of(name.strip(b" "), MAX_NAME_OCTETS)
    if username is None or _digest(digest) is None:
        raise Mistake(Phrase.DIGEST_EXPECTED)
    return ShowDigest(username, digest)
