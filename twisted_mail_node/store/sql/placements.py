"""How the queue's table has a placement: as JSON, since it is written and read with its item, and never asked for."""

from __future__ import annotations

from json import dumps, loads

from ...mail.columns import InternalDate
from ...mail.flags import flags_of
from ...mail.transaction import Placement


def written(placement: Placement | None) -> str | None:
    """The column's value. Sender and recipient, and what they asked for, are those of the item."""
    if placement is None:
        return None
    return dumps(
        {
            "account": placement.account,
            "mailbox": placement.mailbox,
            "date": placement.internal_date,
            "flags": [placement.flags.bits, placement.flags.keyword_text],
            "prefix": placement.prefix.decode("latin-1"),
            "or_inbox": placement.or_inbox,
        }
    )


def read(text: str | None) -> Placement | None:
    """The placement in a column's value."""
    if text is None:
        return None
    kept = loads(text)
    return Placement(
        kept["account"],
        kept["mailbox"],
        0,
        InternalDate(*kept["date"]),
        flags_of(*kept["flags"]),
        kept["prefix"].encode("latin-1"),
        kept["or_inbox"],
    )
