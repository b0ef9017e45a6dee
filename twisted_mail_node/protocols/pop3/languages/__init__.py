"""
The languages in which replies can be worded, and which of them a client means. Sources: RFC 6856 §3, RFC 4647.

A new language is a file with its words, and its place in LANGUAGES.
"""

from __future__ import annotations

from .english import ENGLISH
from .german import GERMAN
from .japanese import JAPANESE
from .language import Language

# In the order in which they are listed. What nobody has chosen is English: only ASCII may be said then.
LANGUAGES = (ENGLISH, GERMAN, JAPANESE)

_BY_TAG = {language.tag: language for language in LANGUAGES}


def language_of(tag: str) -> Language | None:
    """
    The language for a basic language range, or None.

    Found by lookup (RFC 4647 §3.4): where there is none for `de-CH`, that for `de` will do.
    """
    subtags = tag.lower().split("-")
    while subtags:
        found = _BY_TAG.get("-".join(subtags))
        if found is not None:
            return found
        subtags.pop()
    return None


__all__ = ["ENGLISH", "LANGUAGES", "Language", "language_of"]
