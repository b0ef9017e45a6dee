"""CAPA. Source: RFC 2449 §5."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import no_argument
from ..standing import Standing


@dataclass(frozen=True, slots=True)
class AskCapabilities:
    """CAPA."""


def parse(argument: bytes, _: Standing) -> AskCapabilities:
    """Raises: Mistake."""
    no_argument(argument)
    return AskCapabilities()
