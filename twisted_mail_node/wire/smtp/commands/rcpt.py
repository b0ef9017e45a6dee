"""RCPT. Source: RFC 5321 §4.1.1.3."""

from __future__ import annotations

from dataclasses import dataclass

from ....mail.address import Address
from ....mail.status import Reply
from .. import replies
from ..offer import Offer
from ..parameters import RCPT_PARAMETERS, read_parameters
from ..syntax import Parameters, parse_forward_path
from .mistake import Mistake


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO. The domain is empty for the bare `postmaster`."""

    recipient: Address
    parameters: Parameters = ()


def parse(argument: bytes, offer: Offer) -> Rcpt | Mistake:
    """Read the argument."""
    if argument[:3].upper() != b"TO:":
        return Mistake(replies.BAD_ARGUMENTS)
    try:
        recipient, parameters = parse_forward_path(argument[3:])
    except ValueError:
        return Mistake(replies.BAD_RECIPIENT)
    values = read_parameters(RCPT_PARAMETERS, parameters, offer)
    return Mistake(values) if isinstance(values, Reply) else Rcpt(recipient, parameters)
