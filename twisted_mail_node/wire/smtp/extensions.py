"""
Service extensions: what EHLO advertises. Nothing is advertised that does not work on this connection now.

Neighbours: `offer` says what that is; `parameters` has what extensions add to MAIL and RCPT.

Sources: RFC 5321 §2.2, §4.1.1.1 (EHLO), and with each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...mail.status import Reply
from .commands.xclient import XFORWARD_ATTRIBUTES, Attribute, xclient_attributes
from .offer import Extension, Offer


def _auth_line(offer: Offer) -> str | None:
    return "AUTH " + " ".join(offer.mechanisms) if offer.mechanisms else None


def _if_had(extension: Extension) -> Callable[[Offer], str | None]:
    return lambda offer: extension.value if offer.has(extension) else None


def _future_release(offer: Offer) -> str | None:
    if not offer.has(Extension.FUTURE_RELEASE):
        return None
    seconds, until = offer.future_release
    return f"FUTURERELEASE {seconds} {until}"


def _limits(offer: Offer) -> str | None:
    return "LIMITS " + " ".join(f"{name}={value}" for name, value in offer.limits) if offer.limits else None


def _xclient(offer: Offer) -> str | None:
    return "XCLIENT " + _words(xclient_attributes(offer)) if offer.xclient else None


def _xforward(offer: Offer) -> str | None:
    return "XFORWARD " + _words(XFORWARD_ATTRIBUTES) if offer.xforward else None


def _words(attributes: Iterable[Attribute]) -> str:
    return " ".join(attribute.value for attribute in attributes)


# What EHLO and LHLO say, in order; None says nothing.
KEYWORDS: tuple[Callable[[Offer], str | None], ...] = (
    lambda offer: "PIPELINING",  # RFC 2920
    lambda offer: f"SIZE {offer.max_size}" if offer.max_size else "SIZE",  # RFC 1870
    lambda offer: "8BITMIME",  # RFC 6152
    _if_had(Extension.SMTPUTF8),
    _if_had(Extension.CHUNKING),
    _if_had(Extension.BINARY_MIME),
    _if_had(Extension.DSN),
    lambda offer: "ENHANCEDSTATUSCODES",  # RFC 2034
    lambda offer: "STARTTLS" if offer.starttls else None,  # RFC 3207
    _if_had(Extension.REQUIRE_TLS),
    _auth_line,  # RFC 4954
    _future_release,  # RFC 4865 §4
    _if_had(Extension.DELIVER_BY),
    _if_had(Extension.MT_PRIORITY),
    _limits,  # RFC 9422 §3
    _xclient,
    _xforward,
    lambda offer: "EXPN" if offer.expand else None,  # RFC 5321 §3.5.2
    lambda offer: "HELP",  # RFC 5321 §4.1.1.8
)


def hello_reply(hostname: str, offer: Offer) -> Reply:
    """The positive answer to EHLO and LHLO. Source: RFC 5321 §4.1.1.1."""
    lines = [line for keyword in KEYWORDS if (line := keyword(offer)) is not None]
    return Reply(250, (hostname, *lines))
