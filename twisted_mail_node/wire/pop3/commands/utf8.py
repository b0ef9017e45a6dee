"""UTF8. Source: RFC 6856 §2.1."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import no_argument
from ..standing import Standing


@dataclass(frozen=True, slots=True)
class EnableUTF8:
    """UTF8: from a positive reply on, headers may come in UTF-8."""


def parse(argument: bytes, _: Standing) -> EnableUTF8:
    """Raises: Mistake."""
    no_argument(argument)
    return EnableUTF8()
