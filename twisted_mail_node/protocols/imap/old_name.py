"""
LIST responses that nobody asked for: what a mailbox is called that a client has called something else.

Names are composed (NFC), and INBOX has no case at the head of others, so CREATE, RENAME, DELETE and SELECT may be about
a name that is not spelled as the client did. Told to who has enabled IMAP4rev2: others do not know of such responses
(RFC 5258 §3). Sources: RFC 9051 §5.1, §6.3.9.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.mailbox_name import canonical
from ...wire.imap.enabled import Extension
from ...wire.imap.responses import listed
from .list import attributes_of
from .listing import Tree

if TYPE_CHECKING:
    from .session import IMAPSession


async def told_as(session: IMAPSession, written: str) -> bytes:
    """LIST for a mailbox that the client is to be told of in any case, with OLDNAME where its name is another."""
    return await _told(session, written, written) if _knows(session) else b""


async def told_otherwise(session: IMAPSession, written: str, new: str | None = None) -> bytes:
    """LIST with OLDNAME for a mailbox `written` so, or renamed to `new`, where either is called otherwise."""
    meant = new or written
    if not _knows(session) or not (_differs(session, written) or _differs(session, meant)):
        return b""
    return await _told(session, written, meant)


async def has_children(session: IMAPSession, written: str) -> bool:
    """Whether there are mailboxes below this name."""
    return Tree(await session.places.mailboxes()).of(canonical(session.name(written))).has_children


def _knows(session: IMAPSession) -> bool:
    return Extension.IMAP4REV2 in session.engine.enabled


def _differs(session: IMAPSession, written: str) -> bool:
    name = session.name(written)
    return canonical(name) != name


async def _told(session: IMAPSession, written: str, meant: str) -> bytes:
    found = Tree(await session.places.mailboxes()).of(canonical(session.name(meant)))
    spelling = session.engine.spelling
    old_name = spelling.mailbox(written) if written != meant or _differs(session, written) else None
    attributes = attributes_of(session, found)
    return listed(session.spelled(found.name), session.settings.delimiter, attributes, old_name=old_name)
