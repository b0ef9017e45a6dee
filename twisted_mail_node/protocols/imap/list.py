"""
LIST and LSUB. Sources: RFC 3501 §6.3.8, §6.3.9; RFC 3348 (children); RFC 5258 §3 (options); RFC 6154 §2.

Patterns are matched in the store's names. A name that exists only because others are below it is \\Noselect.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ...mail.changes import MailboxInfo
from ...mail.errors import NoSuchMailbox
from ...mail.mailbox_name import listing_key, parents
from ...wire.imap.commands import List, ListReturn, ListSelection, Lsub
from ...wire.imap.list_pattern import ListPattern
from ...wire.imap.responses import listed, lsub_listed, ok
from .status import counters

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: List) -> bytes:
    """Answer LIST."""
    delimiter = session.settings.delimiter
    if command.patterns == ("",) and not command.extended:
        return await session.finish(ok("done"), listed(b'""', delimiter, ("\\Noselect",)))
    mailboxes: Sequence[MailboxInfo] = await session.account.mailboxes()
    patterns = [ListPattern(session.name(command.reference + pattern)) for pattern in command.patterns]
    existing = {info.name: info for info in mailboxes}
    with_children = {parent for name in existing for parent in parents(name)}
    subscribed = await _subscribed(session, command)
    names = set(subscribed) if ListSelection.SUBSCRIBED in command.selection else existing.keys() | with_children
    # Names that stand for subscribed ones below them which are not listed themselves (RFC 5258 §3.5).
    standing: set[str] = set()
    if ListSelection.RECURSIVE_MATCH in command.selection:
        standing = {parent for name in subscribed if not _matches(patterns, name) for parent in parents(name)}
    for name in sorted(names | standing, key=listing_key):
        await session.breathe()
        info = existing.get(name)
        if ListSelection.SPECIAL_USE in command.selection and not (info and info.special_use):
            continue
        if not _matches(patterns, name):
            continue
        attributes = _attributes(name, info, with_children, name in subscribed)
        if info is None:  # RFC 5258 §3: who speaks the extended form knows the better word
            attributes.insert(0, "\\NonExistent" if command.extended else "\\Noselect")
        child_info = ("SUBSCRIBED",) if name in standing else ()
        await session.write(listed(session.spelled(name), delimiter, attributes, child_info))
        if command.status_items and info is not None:
            await _write_status(session, command, name)
    return await session.finish(ok("done"))


def _matches(patterns: Sequence[ListPattern], name: str) -> bool:
    return any(pattern.matches(name) for pattern in patterns)


async def _subscribed(session: IMAPSession, command: List) -> frozenset[str]:
    if ListSelection.SUBSCRIBED in command.selection or ListReturn.SUBSCRIBED in command.returned:
        return frozenset(await session.account.subscriptions())
    return frozenset()


def _attributes(name: str, info: MailboxInfo | None, with_children: Collection[str], subscribed: bool) -> list[str]:
    attributes = ["\\HasChildren" if name in with_children else "\\HasNoChildren"]
    if subscribed:
        attributes.append("\\Subscribed")
    if info is not None and info.special_use:
        attributes.append(info.special_use)
    return attributes


async def _write_status(session: IMAPSession, command: List, name: str) -> None:
    try:
        mailbox = await session.account.mailbox(name)
        await session.write(await counters(session, mailbox, session.spelled(name), command.status_items))
    except NoSuchMailbox:
        pass  # RFC 5819 §2: deleted meanwhile, so there is no STATUS


async def answer_lsub(session: IMAPSession, command: Lsub) -> bytes:
    """Answer LSUB: subscribed names, also those of mailboxes that do not exist (any more)."""
    delimiter = session.settings.delimiter
    if not command.pattern:
        return await session.finish(ok("done"), lsub_listed(b'""', delimiter, ("\\Noselect",)))
    pattern = ListPattern(session.name(command.reference + command.pattern))
    subscribed: Sequence[str] = await session.account.subscriptions()
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
