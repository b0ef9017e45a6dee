"""
Domains in one spelling: A-labels in lower case, so that a domain written with U-labels is the same domain.

Sources: RFC 5890 §2.3.2.1 (U-label, A-label); RFC 5891; UTS 46 for what people write.
"""

from __future__ import annotations

from functools import lru_cache

import idna


def ascii_domain(name: str) -> str:
    """The name as A-labels, in lower case. Raises: ValueError: it is beyond ASCII, and no domain."""
    return name.lower() if name.isascii() else _a_labels(name)


@lru_cache(maxsize=1024)
def _a_labels(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"not a domain: {name!r}") from error
