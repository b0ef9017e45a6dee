"""MAIL. Source: RFC 5321 §4.1.1.2, and what extensions add (see `parameters`)."""

from __future__ import annotations

from dataclasses import dataclass

from ....mail.address import Address
from ....mail.envelope import BodyType
from ....mail.options import NO_MAIL_OPTIONS, MailOptions
from .. import replies
from ..offer import Extension, Offer
from ..parameters import MAIL_PARAMETERS, By, MailDraft, read_parameters
from ..syntax import Parameters, parse_reverse_path
from .mistake import Mistake


@dataclass(frozen=True, slots=True)
class Mail:
    """
    MAIL FROM. `size` is SIZE= in octets, 0 where it was not told. `sender` is None for `<>`.

    What depends on the time of day is as it came: `hold_for` in seconds, `by` with its mode; `options` has the rest.
    """

    sender: Address | None
    parameters: Parameters = ()
    size: int = 0
    body_type: BodyType = BodyType.SEVEN_BIT
    options: MailOptions = NO_MAIL_OPTIONS
    hold_for: int | None = None
    by: By | None = None


def parse(argument: bytes, offer: Offer) -> Mail | Mistake:
    """Read the argument."""
    if argument[:5].upper() != b"FROM:":
        return Mistake(replies.BAD_ARGUMENTS)
    is_beyond_ascii = not argument.isascii()
    try:
        sender, parameters = parse_reverse_path(argument[5:], utf8=is_beyond_ascii and offer.has(Extension.SMTPUTF8))
    except ValueError:
        return Mistake(replies.BAD_SENDER)
    if not parameters:
        return Mistake(replies.NON_ASCII_ADDRESS) if is_beyond_ascii else Mail(sender)
    draft = MailDraft()
    refusal = read_parameters(MAIL_PARAMETERS, parameters, offer, draft)
    if refusal is None and is_beyond_ascii and not draft.smtputf8:
        refusal = replies.NON_ASCII_ADDRESS
    if draft.body_type is BodyType.BINARY_MIME and not offer.has(Extension.BINARY_MIME):
        refusal = replies.BAD_PARAMETER_VALUE
    if refusal is not None:
        return Mistake(refusal)
    return Mail(sender, parameters, draft.size, draft.body_type, draft.options(), draft.hold_for, draft.by)
