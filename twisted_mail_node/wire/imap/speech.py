"""
What is said to people, in the language that the client has chosen: status responses and continuations.

All that knows a connection says it through its `Speech`. Texts are written in English, which is what is said until a
language is chosen: then ASCII alone may be said. Source: RFC 5255 §3.1, §3.2, §3.5 (resp-text). Neighbours: `responses`
renders; the languages are in `protocols.imap.languages`.
"""

from __future__ import annotations

from collections.abc import Callable

from . import responses
from .responses import Completion

Translation = Callable[[str], str]
"""Gives an English text in another language; the text itself where it has no words for it."""


class Speech:
    """The language of one connection; `translation` is None for the default, `i-default`."""

    __slots__ = ("translation",)

    def __init__(self) -> None:
        self.translation: Translation | None = None

    def tagged(self, tag: bytes, completion: Completion) -> bytes:
        """The tagged response that ends a command."""
        return responses.tagged(tag, completion, self.translation)

    def untagged(self, completion: Completion) -> bytes:
        """The same without a tag: tells something in passing, or refuses what had no tag."""
        return responses.untagged(completion, self.translation)

    def bye(self, text: str, code: bytes = b"") -> bytes:
        """The server closes the connection."""
        return responses.bye(text, code, self.translation)

    def continuation(self, text: str = "go ahead") -> bytes:
        """The client may go on: a literal, IDLE."""
        return responses.continuation(responses.words(text, self.translation))


DEFAULT = Speech()
"""For who knows no connection: stays as it is."""
