"""One language: its words for the texts that are said in English."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Texts with a value in them are many: a client's mistakes can make as many as it likes.
_REMEMBERED = 500


def as_written(text: str) -> str:
    """English."""
    return text


class Language:
    """
    Gives English texts in the language; one that it has no words for as it is.

    `words` has the texts; where `{}` stands, there is a value, which is given in the language as well if it is a text.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words
        self._patterns = [
            (re.compile(re.escape(text).replace(r"\{\}", "(.+)")), text) for text in words if "{}" in text
        ]
        self._remembered: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The text in this language."""
        known = self._words.get(text) or self._remembered.get(text)
        if known is None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            known = self._remembered[text] = self._filled(text)
        return known

    def _filled(self, text: str) -> str:
        for pattern, template in self._patterns:
            if match := pattern.fullmatch(text):
                return self._words[template].format(*map(self, match.groups()))
        return text
