"""
Service extensions: what EHLO advertises. Nothing is advertised that does not work on this connection now.

Neighbours: `offer` says what that is; `parameters` has what extensions add to MAIL and RCPT.

Sources: RFC 5321 §2.2, §4.1.1.1 (EHLO), and with each row.
"""

from __future__ import annotations

from collections.abc import Callable

from ...mail.status import Reply
from .offer import Offer


def _auth_line(offer: Offer) -> str | None:
    return "AUTH " + " ".join(offer.mechanisms) if offer.mechanisms else None


# What EHLO and LHLO say, in order; None says nothing.
KEYWORDS: tuple[Callable[[Offer], str | None], ...] = (
    lambda offer: "PIPELINING",  # RFC 2920
    lambda offer: f"SIZE {offer.max_size}" if offer.max_size else "SIZE",  # RFC 1870
    lambda offer: "8BITMIME",  # RFC 6152
    lambda offer: "ENHANCEDSTATUSCODES",  # RFC 2034
    lambda offer: "STARTTLS" if offer.starttls else None,  # RFC 3207
    _auth_line,  # RFC 4954
    lambda offer: "HELP",  # RFC 5321 §4.1.1.8
)


def hello_reply(hostname: str, offer: Offer) -> Reply:
    """The positive answer to EHLO and LHLO. Source: RFC 5321 §4.1.1.1."""
    lines = [line for keyword in KEYWORDS if (line := keyword(offer)) is not None]
    return Reply(250, (hostname, *lines))
