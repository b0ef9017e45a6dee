"""
LIST. Sources: RFC 3501 §6.3.8; RFC 3348 §3 (children); RFC 5258 §3; RFC 5819 §2 (STATUS); RFC 6154 §2; RFC 9051 §6.3.9;
RFC 8440 §3 (MYRIGHTS); RFC 9590 §3 (METADATA).

Which names are given is decided in `listing`. Patterns are matched in the store's names.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from ...mail.errors import MailError, NoSuchMailbox
from ...mail.rights import Right
from ...wire.imap.commands import List, ListReturn, ListSelection, StatusItem
from ...wire.imap.enabled import Extension
from ...wire.imap.list_pattern import ListPattern
from ...wire.imap.responses import bad, listed, metadata, ok
from .acl import offered as shares_mailboxes
from .acl import rights_line
from .listing import Listed, Tree
from .metadata import ANY_OF, annotations_of
from .metadata import offered as keeps_annotations
from .status import counters

if TYPE_CHECKING:
    from .session import IMAPSession

# Any: how a coroutine is driven is nobody's concern here.
Companion = Callable[["IMAPSession", List, Listed], Coroutine[Any, Any, bytes]]
"""Gives what follows the LIST response of a mailbox that was asked about. Fails as the store does."""


async def answer(session: IMAPSession, command: List) -> bytes:
    """Answer LIST."""
    if command.annotations and not keeps_annotations(session):
        return await session.finish(bad("unknown return option of LIST"))
    if ListReturn.MYRIGHTS in command.returned and not shares_mailboxes(session):
        return await session.finish(bad("unknown return option of LIST"))
    if command.patterns == ("",) and not command.extended:
        root = listed(b'""', session.settings.delimiter, ("\\Noselect",))
        return await session.finish(ok("done"), root)
    # RFC 5258 §3: in the extended form an empty pattern says nothing.
    patterns = [ListPattern(session.name(command.reference + pattern)) for pattern in command.patterns if pattern]
    await session.enable_condstore(StatusItem.HIGHEST_MODSEQ in command.status_items)
    tree = await _tree(session, command)
    for found in tree.listed(patterns, command.selection):
        await session.breathe()
        await _write(session, command, found)
    return await session.finish(ok("done"))


async def _tree(session: IMAPSession, command: List) -> Tree:
    mailboxes = await session.places.mailboxes()
    if ListSelection.SUBSCRIBED in command.selection or ListReturn.SUBSCRIBED in command.returned:
        return Tree(mailboxes, frozenset(await session.places.subscriptions()))
    return Tree(mailboxes)


async def _write(session: IMAPSession, command: List, found: Listed) -> None:
    attributes = attributes_of(session, found, command.extended)
    # RFC 5819 §2: what is asked besides comes first to be known, as the mailbox may turn out to be gone meanwhile; and
    # nothing is told of a name that only stands for others.
    companions = b""
    if found.info is not None and found.selected:
        try:
            companions = await _companions(session, command, found)
        except NoSuchMailbox:
            attributes.insert(0, "\\NonExistent" if command.extended else "\\Noselect")
    line = listed(session.spelled(found.name), session.settings.delimiter, attributes, found.child_info)
    await session.write(line + companions)


def attributes_of(session: IMAPSession, found: Listed, extended: bool = False) -> list[str]:
    """The attributes of a name, in a LIST of the extended form or another."""
    attributes = []
    if found.info is None:
        # RFC 5258 §3: who speaks the extended form, or a protocol that has it, knows the better word.
        knows = extended or Extension.IMAP4REV2 in session.engine.enabled
        attributes.append("\\NonExistent" if knows else "\\Noselect")
    attributes.append("\\HasChildren" if found.has_children else "\\HasNoChildren")
    if found.subscribed:
        attributes.append("\\Subscribed")
    if found.info is not None and found.info.special_use:
        attributes.append(found.info.special_use)
    return attributes


async def _companions(session: IMAPSession, command: List, found: Listed) -> bytes:
    lines = []
    for option, companion in COMPANIONS.items():
        if option in command.returned:
            try:
                lines.append(await companion(session, command, found))
            except NoSuchMailbox:
                raise
            except MailError:
                pass  # RFC 5819 §2: left out, and LIST succeeds all the same
    return b"".join(lines)


async def _status(session: IMAPSession, command: List, found: Listed) -> bytes:
    mailbox = await session.places.mailbox(found.name, Right.READ)
    return await counters(session, mailbox, session.spelled(found.name), command.status_items)


async def _annotations(session: IMAPSession, command: List, found: Listed) -> bytes:
    mailbox = await session.places.mailbox(found.name, Right.LOOKUP, ANY_OF)
    values = await annotations_of(session, mailbox, tuple(command.annotations))
    told = [(written, values.get(name)) for name, written in command.annotations.items()]
    return metadata(session.spelled(found.name), told)


async def _my_rights(session: IMAPSession, command: List, found: Listed) -> bytes:
    return await rights_line(session, found.name)


COMPANIONS: dict[ListReturn, Companion] = {
    ListReturn.STATUS: _status,
    ListReturn.METADATA: _annotations,
    ListReturn.MYRIGHTS: _my_rights,
}
