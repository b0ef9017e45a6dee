"""
The languages in which people can be spoken to, and which of them a client means. Source: RFC 5255 §3.1, §3.2.

What is said is written in English where it is said; a language knows each of these texts in its own words. A new
language is a file with its words, and its place in LANGUAGES. A new text is a line in each of the files; a test finds
those that are missing.
"""

from __future__ import annotations

from ....wire.imap.speech import Translation
from ...language_range import lookup
from .german import GERMAN
from .japanese import JAPANESE
from .language import as_written

# RFC 2277 §4.5: the language of who has chosen none, in ASCII.
DEFAULT_TAG = "i-default"

# In the order in which they are listed.
LANGUAGES: dict[str, Translation | None] = {
    "en": as_written,
    "de": GERMAN,
    "ja": JAPANESE,
    DEFAULT_TAG: None,
}


def language_of(language_range: str) -> str | None:
    """The tag of the language that a range means, or None."""
    return lookup(language_range, LANGUAGES)


__all__ = ["DEFAULT_TAG", "LANGUAGES", "language_of"]
