"""Operations that were begun, and are waited for later."""

from __future__ import annotations

from typing import Protocol

from .operations import JSON


class Waiting(Protocol):
    """An operation that was begun."""

    def wait(self) -> tuple[JSON, bytes]:
        """What comes of it: JSON, and octets. Raises: Refusal; NodeUnreachable."""
