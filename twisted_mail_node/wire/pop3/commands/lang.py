"""LANG: in which language replies are worded. Sources: RFC 6856 §3; RFC 4647 §2.1 (basic language range)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..arguments import Mistake
from ..phrases import Phrase
from ..standing import Standing

_range = re.compile(rb"\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*").fullmatch


@dataclass(frozen=True, slots=True)
class ListLanguages:
    """LANG alone: which there are."""


@dataclass(frozen=True, slots=True)
class ChooseLanguage:
    """LANG with a basic language range, as written; `*` is the one that this server prefers."""

    wanted: str


def parse(argument: bytes, _: Standing) -> ListLanguages | ChooseLanguage:
    """Raises: Mistake."""
    wanted = argument.strip(b" ")
    if not wanted:
        return ListLanguages()
    if _range(wanted) is None:
        raise Mistake(Phrase.LANGUAGE_EXPECTED)
    return ChooseLanguage(wanted.decode("ascii"))
