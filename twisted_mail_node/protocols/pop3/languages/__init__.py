"""
The languages in which replies can be worded, and which of them a client means. Source: RFC 6856 §3.

A new language is a file with its words, and its place in LANGUAGES.
"""

from __future__ import annotations

from ...language_range import lookup
from .english import ENGLISH
from .german import GERMAN
from .japanese import JAPANESE
from .language import Language

# In the order in which they are listed. What nobody has chosen is English: only ASCII may be said then.
LANGUAGES = (ENGLISH, GERMAN, JAPANESE)

_BY_TAG = {language.tag: language for language in LANGUAGES}


def language_of(tag: str) -> Language | None:
    """The language for a basic language range (see `language_range`), or None."""
    found = lookup(tag, _BY_TAG)
    return None if found is None else _BY_TAG[found]


__all__ = ["ENGLISH", "LANGUAGES", "Language", "language_of"]
