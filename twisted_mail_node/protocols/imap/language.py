"""LANGUAGE: in which language people are spoken to. Source: RFC 5255 §3.1 to §3.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import responses
from ...wire.imap.commands import Language
from ...wire.imap.responses import no, ok
from .languages import LANGUAGES, language_of

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Language) -> bytes:
    """Answer LANGUAGE: tell which there are, or speak the first that is known from here on."""
    if not command.ranges:
        return await session.finish(ok("these languages are spoken"), responses.language(tuple(LANGUAGES)))
    for wanted in command.ranges:
        tag = language_of(session.settings.language if wanted.lower() == "default" else wanted)
        if tag is not None:
            session.engine.speech.translation = LANGUAGES[tag]
            return await session.finish(ok("English it is"), responses.language((tag,)))
    return await session.finish(no("no such language"))
