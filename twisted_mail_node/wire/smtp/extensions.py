"""
Service extensions: what EHLO advertises, how much longer lines may be, and what parameters of MAIL and RCPT mean.

A new extension is a row in a table here. Nothing is advertised that does not work on this connection now.

Sources: RFC 5321 §2.2, §4.1.1.1 (EHLO), and with each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...mail.envelope import BodyType
from ...mail.status import Reply
from . import replies
from .syntax import Parameters, is_xtext

COMMAND_LINE_OCTETS = 512  # RFC 5321 §4.5.3.1.4, CRLF included
AUTH_LINE_OCTETS = 12288  # RFC 4954 §4


@dataclass(frozen=True, slots=True)
class Offer:
    """
    What can be had on this connection now.

    `max_size` is the largest message in octets, 0 for no fixed limit. `starttls`: a TLS context is there and TLS
    is not active. `tls`: TLS is active. `mechanisms` may be begun now; `auth_needs_tls` says that there would be
    some under TLS.
    """

    max_size: int = 0
    starttls: bool = False
    tls: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_needs_tls: bool = False


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


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A parameter of MAIL or RCPT.

    `read` gives the value's meaning or raises ValueError; `line_growth` is by how many octets the command line may
    grow for it; `is_offered` whether its extension is advertised now.
    """

    read: Callable[[str], object]
    line_growth: int
    is_offered: Callable[[Offer], bool] = lambda offer: True


def _size(text: str) -> int:
    if not text.isdigit() or len(text) > 20:
        raise ValueError("not a size")
    return int(text)


def _body(text: str) -> BodyType:
    return BodyType(text.upper())


def _auth(text: str) -> str:
    # Who submitted it first is told by the trace of a network of trust, of which this node knows none.
    if not text or not is_xtext(text):
        raise ValueError("not xtext")
    return text


MAIL_PARAMETERS: Mapping[str, Parameter] = {
    "SIZE": Parameter(_size, 26),  # RFC 1870 §3, §4
    "BODY": Parameter(_body, 17),  # RFC 6152 §2
    "AUTH": Parameter(_auth, 500, lambda offer: bool(offer.mechanisms) or offer.auth_needs_tls),  # RFC 4954 §3, §5
}
RCPT_PARAMETERS: Mapping[str, Parameter] = {}

# Command line limits, CRLF included, for the commands that extensions make longer.
LINE_LIMITS: Mapping[bytes, int] = {
    b"MAIL": COMMAND_LINE_OCTETS + sum(parameter.line_growth for parameter in MAIL_PARAMETERS.values()),
    b"RCPT": COMMAND_LINE_OCTETS + sum(parameter.line_growth for parameter in RCPT_PARAMETERS.values()),
    b"AUTH": AUTH_LINE_OCTETS,
}


def read_parameters(table: Mapping[str, Parameter], parameters: Parameters, offer: Offer) -> dict[str, object] | Reply:
    """
    What the parameters mean, by keyword.

    Returns: the values; or the refusal, 555 for one that is not known (RFC 5321 §4.1.1.11), 501 for a value out of
        shape.
    """
    values: dict[str, object] = {}
    for keyword, text in parameters:
        parameter = table.get(keyword)
        if parameter is None or not parameter.is_offered(offer):
            return replies.UNKNOWN_PARAMETER
        try:
            values[keyword] = parameter.read(text)
        except ValueError:
            return replies.BAD_PARAMETER_VALUE
    return values
