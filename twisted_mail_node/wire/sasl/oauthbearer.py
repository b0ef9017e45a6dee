"""OAUTHBEARER: an OAuth 2.0 token for the account that the header names. Source: RFC 7628 §3."""

from __future__ import annotations

from .bearer import bearer_token, parse_pairs
from .gs2 import parse_header
from .outcomes import MALFORMED, WRONG_BINDING, Challenge, Outcome, TokenProposed, TokenRefusal


class OAuthBearer:
    """One exchange. Host and port that the client believes to speak to are not compared: proxies change them."""

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the message, unless it came along."""
        return Challenge() if initial is None else self.step(initial)

    def step(self, response: bytes) -> Outcome:
        """Read the message."""
        header = parse_header(response)
        if header is None:
            return MALFORMED
        if header.binding:
            return WRONG_BINDING
        rest = response[len(header.octets) :]
        if not rest.startswith(b"\1") or not rest.endswith(b"\1"):
            return MALFORMED
        pairs = parse_pairs(rest[1:-1])
        token = bearer_token(pairs.get(b"auth")) if pairs is not None else None
        return MALFORMED if token is None else TokenProposed(header.identity, token, TokenRefusal.OAUTHBEARER)
