"""Mailbox names of other places, made into names that can be here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..mail.errors import BadMailboxName
from ..mail.mailbox_name import INBOX, SEPARATOR, checked

_UNWANTED = re.compile(r"[/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def placed(levels: Sequence[str], into: str = "") -> str:
    """
    The name of a mailbox here; below `into`, where that is given: INBOX becomes that very one.

    What no name may have becomes "_", and so does a level that is empty.

    Raises: BadMailboxName: too long, or too deep.
    """
    parts = [_UNWANTED.sub("_", level) or "_" for level in levels]
    if into:
        return checked(SEPARATOR.join([into, *parts]))
    return checked(SEPARATOR.join(parts) or INBOX)


def placed_or_none(levels: Sequence[str], into: str = "") -> str | None:
    """The same, or None where there is no such name."""
    try:
        return placed(levels, into)
    except BadMailboxName:
        return None
