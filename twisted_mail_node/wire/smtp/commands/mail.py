"""MAIL. Source: RFC 5321 §4.1.1.2."""

from __future__ import annotations

from dataclasses import dataclass

from ....mail.address import Address
from ....mail.envelope import BodyType
from ....mail.options import NO_MAIL_OPTIONS, MailOptions
from ....mail.status import Reply
from .. import replies
from ..offer import Offer
from ..parameters import MAIL_PARAMETERS, read_parameters
from ..syntax import Parameters, parse_reverse_path
from .mistake import Mistake


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM. `size` is SIZE= in octets, 0 where it was not told. `sender` is None for `<>`."""

    sender: Address | None
    parameters: Parameters = ()
    size: int = 0
    body_type: BodyType = BodyType.SEVEN_BIT
    options: MailOptions = NO_MAIL_OPTIONS


def parse(argument: bytes, offer: Offer) -> Mail | Mistake:
    """Read the argument."""
    if argument[:5].upper() != b"FROM:":
        return Mistake(replies.BAD_ARGUMENTS)
    try:
        sender, parameters = parse_reverse_path(argument[5:])
    except ValueError:
        return Mistake(replies.BAD_SENDER)
    if not parameters:
        return Mail(sender)
    values = read_parameters(MAIL_PARAMETERS, parameters, offer)
    if isinstance(values, Reply):
        return Mistake(values)
    size, body_type = values.get("SIZE", 0), values.get("BODY", BodyType.SEVEN_BIT)
    assert isinstance(size, int) and isinstance(body_type, BodyType)  # noqa: PT018 - the table's own types
    return Mail(sender, parameters, size, body_type)
