"""
LOGIN: the name is asked for, then the password. No standard describes it; old mailers know nothing else.

What is done here is what those expect: two prompts of fixed text, the name allowed as initial response.
"""

from __future__ import annotations

from .outcomes import MALFORMED, Challenge, Outcome, Proposed
from .text import MAX_NAME_OCTETS, MAX_PASSWORD_OCTETS, checked_text

_ASK_NAME = Challenge(b"Username:")
_ASK_PASSWORD = Challenge(b"Password:")


class Login:
    """One exchange."""

    def __init__(self) -> None:
        self._name: str | None = None

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the name, or for the password where the name came along."""
        return self.step(initial) if initial else _ASK_NAME

    def step(self, response: bytes) -> Outcome:
        """Read the name, then the password."""
        if self._name is None:
            self._name = checked_text(response, MAX_NAME_OCTETS)
            return MALFORMED if self._name is None else _ASK_PASSWORD
        password = checked_text(response, MAX_PASSWORD_OCTETS)
        return MALFORMED if password is None else Proposed(self._name, password)
