"""
XOAUTH2: OAUTHBEARER's forerunner, which mailers learnt from Google. No standard describes it.

What is done here is what Google's page on it says: `user=` name ^A `auth=Bearer ` token ^A ^A.
"""

from __future__ import annotations

from .bearer import bearer_token, parse_pairs
from .outcomes import MALFORMED, Challenge, Outcome, TokenProposed, TokenRefusal
from .text import MAX_NAME_OCTETS, checked_text


class XOAuth2:
    """One exchange."""

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the message, unless it came along."""
        return Challenge() if initial is None else self.step(initial)

    def step(self, response: bytes) -> Outcome:
        """Read the message."""
        pairs = parse_pairs(response[:-1]) if response.endswith(b"\1\1") else None
        if pairs is None:
            return MALFORMED
        username = checked_text(pairs.get(b"user", b""), MAX_NAME_OCTETS)
        token = bearer_token(pairs.get(b"auth"))
        return MALFORMED if not username or not token else TokenProposed(username, token, TokenRefusal.XOAUTH2)
