"""
GETQUOTA, GETQUOTAROOT and SETQUOTA. Source: RFC 9208 §4 to §6.

An account is a quota root, of the account's name: all its mailboxes share its limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...interfaces.store import IMailbox, IQuota, ISearch
from ...mail.changes import MailboxStatus
from ...mail.columns import Columns, FetchItem
from ...mail.errors import NoSuchAccount, NoSuchMailbox, PermanentFailure
from ...mail.flags import SystemFlag
from ...mail.quota import Quota, QuotaLimits
from ...mail.rights import Right
from ...mail.search import HasFlag
from ...mail.uid_set import EMPTY, UIDSet
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import GetQuota, GetQuotaRoot, SetQuota
from ...wire.imap.numbering import slices
from ...wire.imap.responses import Completion, no, ok, quota, quota_root
from . import reading

if TYPE_CHECKING:
    from .session import IMAPSession

# RFC 9208 §5.1: in units of so many octets.
UNIT_OCTETS = 1024
STORAGE, MESSAGE = "STORAGE", "MESSAGE"
_NOT_YOURS = no("there is no such quota root, or it is not yours", codes.NO_PERMISSION)


def offered(session: IMAPSession) -> bool:
    """Whether the store limits what accounts hold."""
    return bool(IQuota.providedBy(session.store))


def may_set(session: IMAPSession) -> bool:
    """Whether the client may use SETQUOTA, or might once it has logged in."""
    known = session.user
    return session.settings.administrators != () if known is None else known in session.settings.administrators


async def answer(session: IMAPSession, command: GetQuota) -> bytes:
    """Answer GETQUOTA: of the user's own account; of any, to an administrator."""
    if command.root != session.account.name and not may_set(session):
        return await session.finish(_NOT_YOURS)
    return await _told(session, command.root, ok("done"))


async def answer_root(session: IMAPSession, command: GetQuotaRoot) -> bytes:
    """Answer GETQUOTAROOT. A mailbox that is not there yet would be one of the user's own account."""
    door = _door(session)
    try:
        mailbox = await session.places.mailbox(session.name(command.mailbox), Right.READ)
        root = mailbox.account
    except NoSuchMailbox:
        root = session.account.name
    used: Quota = await door.quota(root)
    name = session.engine.spelling.mailbox(command.mailbox)
    line = quota_root(name, [_spelled(session, root)]) + _response(session, root, used)
    return await session.finish(ok("done"), line)


async def answer_set(session: IMAPSession, command: SetQuota) -> bytes:
    """Answer SETQUOTA: limits are the account's own from now on, and what is not named is not limited."""
    door = _door(session)
    if not may_set(session):
        return await session.finish(no("not yours to set", codes.NO_PERMISSION))
    if command.limits.keys() - {STORAGE, MESSAGE}:
        return await session.finish(no("only STORAGE and MESSAGE can be limited", codes.CANNOT))
    storage, messages = command.limits.get(STORAGE), command.limits.get(MESSAGE)
    most = (2**63 - 1) // UNIT_OCTETS
    try:
        octets = None if storage is None else min(storage, most) * UNIT_OCTETS
        await door.set_quota(command.root, QuotaLimits(octets, messages))
    except NoSuchAccount:
        return await session.finish(_NOT_YOURS)
    return await _told(session, command.root, ok("set"))


async def _told(session: IMAPSession, root: str, completion: Completion) -> bytes:
    try:
        used: Quota = await _door(session).quota(root)
    except NoSuchAccount:
        return await session.finish(_NOT_YOURS)
    return await session.finish(completion, _response(session, root, used))


def _door(session: IMAPSession) -> IQuota:
    if not offered(session):
        raise PermanentFailure("nothing is limited here")
    return IQuota(session.store)


def _spelled(session: IMAPSession, root: str) -> bytes:
    return session.engine.spelling.text(root)


def _response(session: IMAPSession, root: str, used: Quota) -> bytes:
    limits = used.limits
    resources = []
    if limits.octets is not None:
        resources.append((STORAGE, -(-used.octets // UNIT_OCTETS), limits.octets // UNIT_OCTETS))
    if limits.messages is not None:
        resources.append((MESSAGE, used.messages, limits.messages))
    return quota(_spelled(session, root), resources)


async def deleted_storage(session: IMAPSession, mailbox: IMailbox, status: MailboxStatus) -> int:
    """What EXPUNGE would free, in octets (RFC 9208 §4.1.4)."""
    if not status.deleted:
        return 0
    octets = 0
    for asked in slices(await _with_the_deleted(mailbox), reading.ROWS_OF_FLAGS):
        columns: Columns = await mailbox.fetch(asked, FetchItem.FLAGS | FetchItem.SIZE)
        rows = zip(columns.sizes or (), columns.flags or (), strict=True)
        octets += sum(size for size, flags in rows if flags.deleted)
        await session.breathe()
    return octets


async def _with_the_deleted(mailbox: IMailbox) -> UIDSet:
    """The messages among which those are that have \\Deleted, and few others where the mailbox can narrow."""
    search = ISearch(mailbox, None)
    uids: UIDSet = EMPTY if search is not None else await mailbox.uids()
    if search is not None:
        uids, _ = await search.narrow(HasFlag(SystemFlag.DELETED))
    return uids
