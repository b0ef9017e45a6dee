"""
What SORT and THREAD compare of a message: made once of its header block, and kept beside it.

Only the form is here, as it is kept. Whoever makes a `transaction.Body` may have it at hand.
"""

from __future__ import annotations

from typing import NamedTuple

NO_DATE = -(1 << 62)
"""In place of a date: the header block was looked at, and has none that can be read."""


class MessageKeys(NamedTuple):
    """
    The keys of one message.

    `sent` is the Date header in seconds since the epoch, or NO_DATE. `sorting` are texts made ready to be compared
    octet by octet, LF between them: base subject, then local parts of the first From, To and Cc address, then what
    From and To are displayed as. `threading` is an octet, 1 for a reply or forwarded message, and numbers of
    KEY_OCTETS: for the base subject, the message's id, and the ids it refers to, the eldest first.
    """

    sent: int
    sorting: bytes
    threading: bytes


KEY_OCTETS = 8
"""Of the number that stands for a message's id or a base subject, which are of any length."""
