"""
Mailbox names between client and store: the delimiter. Pure.

The store has "/" between levels. With the delimiter ".", the two characters change places: `a.b/c` of the client
is `a/b.c` of the store, so every name can be said in both and none is said twice.
"""

from __future__ import annotations

_SWAPPED = str.maketrans("/.", "./")


def translated(name: str, delimiter: str) -> str:
    """A client's name as the store's, and the other way round: the translation is its own inverse."""
    return name if delimiter == "/" else name.translate(_SWAPPED)


def without_last_delimiter(name: str) -> str:
    """The store's name without a delimiter at its end, which CREATE may have (RFC 3501 §6.3.3)."""
    return name[:-1] if len(name) > 1 and name.endswith("/") else name
