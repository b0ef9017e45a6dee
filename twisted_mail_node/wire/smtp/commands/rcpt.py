"""RCPT. Source: RFC 5321 §4.1.1.3, and what extensions add (see `parameters`)."""

from __future__ import annotations

from dataclasses import dataclass

from ....mail.address import Address
from ....mail.options import NO_RECIPIENT_OPTIONS, RecipientOptions
from .. import replies
from ..offer import Extension, Offer
from ..parameters import RCPT_PARAMETERS, RcptDraft, read_parameters
from ..syntax import Parameters, parse_forward_path
from .mistake import Mistake


@dataclass(frozen=True, slots=True)
class Rcpt:
    """
    RCPT TO. The domain is empty for the bare `postmaster`.

    `is_beyond_ascii` tells of address and parameters as they came: MAIL has to have announced it (RFC 6531 §3.4).
    """

    recipient: Address
    parameters: Parameters = ()
    options: RecipientOptions = NO_RECIPIENT_OPTIONS
    is_beyond_ascii: bool = False


def parse(argument: bytes, offer: Offer) -> Rcpt | Mistake:
    """Read the argument."""
    if argument[:3].upper() != b"TO:":
        return Mistake(replies.BAD_ARGUMENTS)
    is_beyond_ascii = not argument.isascii()
    try:
        recipient, parameters = parse_forward_path(argument[3:], utf8=is_beyond_ascii and offer.has(Extension.SMTPUTF8))
    except ValueError:
        return Mistake(replies.BAD_RECIPIENT)
    if not parameters:
        return Rcpt(recipient, is_beyond_ascii=is_beyond_ascii)
    draft = RcptDraft()
    refusal = read_parameters(RCPT_PARAMETERS, parameters, offer, draft)
    if refusal is not None:
        return Mistake(refusal)
    return Rcpt(recipient, parameters, draft.options(), is_beyond_ascii)
