"""
Parameters of MAIL and RCPT: what they mean, who may use them, and how much longer lines may be for them.

A new parameter is a row in a table here. Sources: RFC 5321 §4.1.1.11, and with each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...mail.envelope import BodyType
from ...mail.status import Reply
from . import replies
from .offer import Offer
from .syntax import Parameters, is_xtext

COMMAND_LINE_OCTETS = 512  # RFC 5321 §4.5.3.1.4, CRLF included
AUTH_LINE_OCTETS = 12288  # RFC 4954 §4


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
    body_type = BodyType(text.upper())
    if body_type is BodyType.BINARY_MIME:
        raise ValueError("BINARYMIME is not offered")
    return body_type


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
