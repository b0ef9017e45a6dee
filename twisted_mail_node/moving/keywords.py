"""Flags as other programs write them, made into flags that can be here. Source: RFC 3501 §9 flag-keyword (an atom)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..mail.flags import MAX_KEYWORD_OCTETS, MAX_KEYWORDS, Flags, SystemFlag, flags_of

_NO_ATOM = re.compile(r"[^!#$&\'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]")
_SYSTEM = {
    "\\seen": SystemFlag.SEEN,
    "\\answered": SystemFlag.ANSWERED,
    "\\flagged": SystemFlag.FLAGGED,
    "\\deleted": SystemFlag.DELETED,
    "\\draft": SystemFlag.DRAFT,
}


def is_keyword(text: str) -> bool:
    """Whether a message may have it as a keyword."""
    return 0 < len(text) <= MAX_KEYWORD_OCTETS and not _NO_ATOM.search(text)


def usable_flags(bits: int, keywords: Iterable[str] = ()) -> Flags:
    """Flags with those of the keywords that can be, and no more than a message may have."""
    by_name = {keyword.lower(): keyword for keyword in keywords if is_keyword(keyword)}
    return flags_of(bits, " ".join(by_name[name] for name in sorted(by_name)[:MAX_KEYWORDS]))


def flags_of_names(names: Iterable[str]) -> Flags:
    """Flags of the names that IMAP has for them; those that are a session's (`\\\\Recent`) or unknown are left out."""
    bits, keywords = 0, []
    for name in names:
        if name.startswith("\\"):
            bits |= _SYSTEM.get(name.lower(), 0)
        else:
            keywords.append(name)
    return usable_flags(bits, keywords)
