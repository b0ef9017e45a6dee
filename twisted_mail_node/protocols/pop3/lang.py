"""LANG: in which language replies are worded. Source: RFC 6856 §3."""

from __future__ import annotations

from ...wire.pop3 import replies
from ...wire.pop3.commands import ChooseLanguage, ListLanguages
from ...wire.pop3.phrases import Phrase
from .languages import LANGUAGES, language_of
from .session_parts import Parts

_LISTED = [f"{language.tag} {language.name}" for language in LANGUAGES]


def answer_list(parts: Parts, _: ListLanguages) -> bytes:
    """Answer LANG alone."""
    return parts.engine.send(replies.lines(parts.language.ok(Phrase.LANGUAGES), _LISTED))


def answer(parts: Parts, command: ChooseLanguage) -> bytes:
    """Answer LANG with a range: the reply is in the language that it chooses."""
    language = language_of(parts.settings.language if command.wanted == "*" else command.wanted)
    if language is None:
        return parts.error(Phrase.UNKNOWN_LANGUAGE)
    parts.language = language
    return parts.engine.send(language.chosen())
