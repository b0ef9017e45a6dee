"""One language: its words for all that can be said, made into lines."""

from __future__ import annotations

from collections.abc import Mapping

from ....wire.pop3 import replies
from ....wire.pop3.phrases import Phrase
from ....wire.pop3.replies import ResponseCode


class Language:
    """
    Makes status lines of phrases.

    `tag` is the language's (RFC 5646), `name` what its speakers call it. Lines without values are made once.
    """

    def __init__(self, tag: str, name: str, words: Mapping[Phrase, str]) -> None:
        """`words` has every phrase; values stand in braces, as `str.format` takes them."""
        self.tag = tag
        self.name = name
        self._words = words
        self._international = not all(text.isascii() for text in words.values())
        self._made: dict[Phrase, bytes] = {}
        self.unit = words[Phrase.OCTETS].encode("utf-8")
        """What is counted in the reply to RETR."""

    def ok(self, phrase: Phrase, **values: object) -> bytes:
        """A positive status line."""
        if values:
            return replies.ok(self._words[phrase].format(**values), international=self._international)
        made = self._made.get(phrase)
        if made is None:
            made = replies.ok(self._words[phrase], international=self._international)
            self._made[phrase] = made
        return made

    def error(self, phrase: Phrase, code: ResponseCode | None = None, **values: object) -> bytes:
        """A negative status line."""
        return replies.error(self._words[phrase].format(**values), code, international=self._international)

    def chosen(self) -> bytes:
        """The reply to the LANG that has chosen it: its tag, then a text (RFC 6856 §3.2)."""
        return replies.ok(f"{self.tag} {self._words[Phrase.LANGUAGE_CHOSEN]}", international=True)
