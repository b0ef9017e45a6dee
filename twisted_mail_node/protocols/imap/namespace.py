"""NAMESPACE. Source: RFC 2342 §5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.mailbox_name import SEPARATOR
from ...wire.imap.commands import Namespace
from ...wire.imap.responses import namespace, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Namespace) -> bytes:
    """Answer NAMESPACE: the user's own mailboxes have no prefix, those of others one, where any can be shared."""
    spelling, delimiter = session.engine.spelling, session.settings.delimiter
    others = session.places.others
    prefix = spelling.prefix(session.name(others + SEPARATOR))
    told = namespace([(spelling.prefix(""), delimiter)], [(prefix, delimiter)] if others else None)
    return await session.finish(ok("done"), told)
