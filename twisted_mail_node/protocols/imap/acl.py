"""
SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS. Sources: RFC 4314 §2.1.1, §3, §4; RFC 8440 §3.

The owner may always do everything, and is told with all rights at the head of a list in which he is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...interfaces.store import IACL
from ...mail.errors import PermanentFailure
from ...mail.rights import ALL_RIGHTS, ANYONE, NEGATIVE, TELLING, Right, told_letters
from ...wire.imap.commands import GetACL, ListRights, MyRights, SetACL
from ...wire.imap.responses import acl, list_rights, my_rights, ok

if TYPE_CHECKING:
    from .session import IMAPSession


def offered(session: IMAPSession) -> bool:
    """Whether mailboxes can be shared: the store can, and they have names."""
    return bool(session.settings.other_users) and bool(IACL.providedBy(session.store))


async def answer_set(session: IMAPSession, command: SetACL) -> bytes:
    """Answer SETACL or DELETEACL."""
    door = _door(session)
    place = await session.places.place(session.name(command.mailbox), Right.ADMINISTER)
    identifier = _identifier(session, command.identifier)
    await door.change_rights(place.account, place.mailbox_id, identifier, command.change, command.rights)
    return await session.finish(ok("done"))


async def answer_get(session: IMAPSession, command: GetACL) -> bytes:
    """Answer GETACL."""
    door = _door(session)
    place = await session.places.place(session.name(command.mailbox), Right.ADMINISTER)
    entries: Mapping[str, Right] = await door.acl(place.account, place.mailbox_id)
    told = [(place.account, told_letters(ALL_RIGHTS)), *((who, told_letters(its)) for who, its in entries.items())]
    return await session.finish(ok("done"), acl(session.engine.spelling.mailbox(command.mailbox), told))


async def answer_list_rights(session: IMAPSession, command: ListRights) -> bytes:
    """Answer LISTRIGHTS: no right is tied to another, and the owner has all of them."""
    _door(session)
    place = await session.places.place(session.name(command.mailbox), Right.ADMINISTER)
    all_letters = told_letters(ALL_RIGHTS)
    is_owner = _identifier(session, command.identifier) == place.account
    required, optional = (all_letters, "") if is_owner else ("", all_letters)
    name = session.engine.spelling.mailbox(command.mailbox)
    return await session.finish(ok("done"), list_rights(name, command.written, required, optional))


async def answer_mine(session: IMAPSession, command: MyRights) -> bytes:
    """Answer MYRIGHTS."""
    _door(session)
    place = await session.places.place(session.name(command.mailbox), Right(0), TELLING)
    name = session.engine.spelling.mailbox(command.mailbox)
    return await session.finish(ok("done"), my_rights(name, told_letters(place.rights)))


async def rights_line(session: IMAPSession, name: str) -> bytes:
    """MYRIGHTS of a mailbox of the store's name, for LIST. Fails as `Places.place`."""
    place = await session.places.place(name, Right(0), TELLING)
    return my_rights(session.spelled(name), told_letters(place.rights))


def _door(session: IMAPSession) -> IACL:
    if not offered(session):
        raise PermanentFailure("mailboxes are not shared here")
    return IACL(session.store)


def _identifier(session: IMAPSession, written: str) -> str:
    """The identifier as it is kept: users by the names of their accounts, as at a login."""
    sign = NEGATIVE if written.startswith(NEGATIVE) else ""
    who = written.removeprefix(NEGATIVE)
    return sign + (ANYONE if who == ANYONE else session.authenticator.account_name(who))
