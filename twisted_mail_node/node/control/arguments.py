"""What the operator's operations take and give, and how they say no: JSON, addresses, times."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

from ...mail.address import Address

# What JSON has.
JSON = Any
Arguments = Mapping[str, JSON]
Operation = Callable[[Arguments], Coroutine[Any, Any, JSON]]


class Refusal(Exception):
    """The operation can't be done as asked; the text is for the operator."""


def is_text(given: str) -> bool:
    """Whether it came as UTF-8: what did not, has surrogates in place of octets (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in given)


def address(given: str) -> Address:
    """An address, its domain in A-labels. Raises: Refusal."""
    if not is_text(given):
        raise Refusal(f"not a mail address: {given!r} (not UTF-8)")
    try:
        return Address.parse(unicodedata.normalize("NFC", given))
    except ValueError as error:
        raise Refusal(str(error)) from None


def time_text(seconds: float) -> str:
    """Seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
