"""What may be said in either state, and is answered alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...wire.pop3.commands import AskCapabilities, ChooseLanguage, ListLanguages, Violated
from . import capabilities, lang
from .session_parts import Parts


def answer_mistake(parts: Parts, command: Violated) -> bytes:
    """Answer a line that is no command."""
    return parts.error(command.phrase)


# Any: each takes the command it stands beside.
ANYWHERE: dict[type, Callable[[Parts, Any], bytes]] = {
    AskCapabilities: capabilities.answer,
    ListLanguages: lang.answer_list,
    ChooseLanguage: lang.answer,
    Violated: answer_mistake,
}
