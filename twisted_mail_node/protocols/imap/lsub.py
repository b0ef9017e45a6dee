"""LSUB. Source: RFC 3501 §6.3.9."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.mailbox_name import listing_key, parents
from ...wire.imap.commands import Lsub
from ...wire.imap.list_pattern import ListPattern
from ...wire.imap.responses import lsub_listed, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Lsub) -> bytes:
    """Answer LSUB: subscribed names, also those of mailboxes that do not exist (any more)."""
    delimiter = session.settings.delimiter
    if not command.pattern:
        return await session.finish(ok("done"), lsub_listed(b'""', delimiter, ("\\Noselect",)))
    pattern = ListPattern(session.name(command.reference + command.pattern))
    subscribed = await session.places.subscriptions()
    matching = {name: False for name in subscribed if pattern.matches(name)}
    if "%" in command.pattern:
        # RFC 3501 §6.3.9: the level above a subscribed name that % does not reach is given as \Noselect.
        for name in subscribed:
            for parent in parents(name):
                if parent not in matching and pattern.matches(parent):
                    matching[parent] = True
    lines = [
        lsub_listed(session.spelled(name), delimiter, ("\\Noselect",) if implied else ())
        for name, implied in sorted(matching.items(), key=lambda item: listing_key(item[0]))
    ]
    return await session.finish(ok("done"), b"".join(lines))
