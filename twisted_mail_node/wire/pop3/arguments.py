"""What commands have in common: how their arguments are read, and how it is said that one cannot be."""

from __future__ import annotations

from ...mail.saslprep import prepared
from ..errors import ProtocolViolation
from ..sasl.text import checked_text
from .phrases import Phrase

# Message numbers and line counts are digits; more than these no mailbox and no message has.
MAX_DIGITS = 10


class Mistake(ProtocolViolation):
    """A line that is no command, or not one for now. `phrase` says why."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase.name)
        self.phrase = phrase


def no_argument(argument: bytes) -> None:
    """For a command that takes none. Raises: Mistake."""
    if argument.strip(b" "):
        raise Mistake(Phrase.NO_ARGUMENT)


def number(argument: bytes) -> int:
    """A message number or a count of lines. Raises: Mistake."""
    digits = argument.strip(b" ")
    if not digits.isdigit() or len(digits) > MAX_DIGITS:
        raise Mistake(Phrase.NUMBER_EXPECTED)
    return int(digits)


def text_of(octets: bytes, limit: int) -> str | None:
    """A name or password, or None where it cannot be one. What SASLprep prohibits beyond ASCII is refused."""
    text = checked_text(octets, limit)
    if text is None or text.isascii():
        return text
    try:
        # RFC 6856 §2.2 asks for queries, which may have what Unicode 3.2 did not assign (RFC 3454 §7). What is
        # compared is the text as it came: so it is hashed, and so AUTH PLAIN takes it.
        prepared(text, allow_unassigned=True)
    except ValueError:
        return None
    return text
