"""
PLAIN: authorization identity, name and password in one message, parted by NUL. Source: RFC 4616 §2.
"""

from __future__ import annotations

from .outcomes import MALFORMED, Challenge, Outcome, Proposed
from .text import MAX_NAME_OCTETS, MAX_PASSWORD_OCTETS, checked_text

MAX_MESSAGE_OCTETS = 2 * MAX_NAME_OCTETS + MAX_PASSWORD_OCTETS + 2


class Plain:
    """One exchange."""

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the message, unless it came along."""
        return Challenge() if initial is None else self.step(initial)

    def step(self, response: bytes) -> Outcome:
        """Read the message."""
        if len(response) > MAX_MESSAGE_OCTETS:
            return MALFORMED
        parts = response.split(b"\0")
        if len(parts) != 3:
            return MALFORMED
        identity, name, password = (
            checked_text(parts[0], MAX_NAME_OCTETS) if parts[0] else "",
            checked_text(parts[1], MAX_NAME_OCTETS),
            checked_text(parts[2], MAX_PASSWORD_OCTETS),
        )
        if identity is None or name is None or password is None:
            return MALFORMED
        return Proposed(name, password, identity)
