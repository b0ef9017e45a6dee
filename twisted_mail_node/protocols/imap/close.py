"""CLOSE and UNSELECT. Sources: RFC 3501 §6.4.2; RFC 3691."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.errors import NoSuchMailbox, NotAllowed
from ...wire.imap.commands import Close, Unselect
from ...wire.imap.responses import ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Close) -> bytes:
    """Answer CLOSE: expunge without a word, unless read-only, and leave the mailbox."""
    selected = session.mailbox
    if not selected.view.read_only:
        try:
            await selected.mailbox.expunge()
        except (NoSuchMailbox, NotAllowed):
            pass  # nothing is left to expunge, or not by this user (RFC 4314 §4)
    return _left(session)


async def answer_unselect(session: IMAPSession, command: Unselect) -> bytes:
    """Answer UNSELECT."""
    return _left(session)


def _left(session: IMAPSession) -> bytes:
    session.selected = None
    return session.engine.send(ok("no mailbox is selected"))
