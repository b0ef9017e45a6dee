"""Which of some languages a client means. Pure. Source: RFC 4647 §2.1, §3.4."""

from __future__ import annotations

from collections.abc import Collection


def lookup(language_range: str, tags: Collection[str]) -> str | None:
    """
    The tag, of these in lower case, for a basic language range; or None.

    Where there is none for `de-CH`, that for `de` will do.
    """
    subtags = language_range.lower().split("-")
    while subtags:
        tag = "-".join(subtags)
        if tag in tags:
            return tag
        subtags.pop()
    return None
