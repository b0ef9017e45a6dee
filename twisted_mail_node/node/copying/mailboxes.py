"""One mailbox after the other: messages with UIDs, guids, flags and dates, many a commit."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from ...interfaces.store import IAccount, IMailbox, IMailStore, IOpenBody, IRestorableAccount, IRestorableMailbox
from ...mail.changes import MailboxInfo
from ...mail.columns import FetchItem, InternalDate
from ...mail.errors import Damaged, UIDTaken
from ...mail.flags import Flags
from ...mail.restoring import RestoredMailbox, RestoredMessage
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from ...moving.content import Measure
from ...moving.guids import GuidSet
from ..reading import contents_of

MESSAGES_AT_ONCE = 200
BATCH_OCTETS = 2 * 1024 * 1024
GUIDS_AT_ONCE = 20_000
PIECE_OCTETS = 256 * 1024

_ITEMS = FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.GUID | FetchItem.EMAIL_ID


class Unlike(Exception):
    """The target has a mailbox of that name that is not a copy; the text says which."""


class MailboxCopy:
    """
    Copies mailboxes of one account. Raises MailError where a store does not do it.

    `damaged` are messages that the source can't give; they are left out.
    """

    def __init__(
        self,
        target: IMailStore,
        account: IAccount,
        copied: IAccount,
        begin_mailbox: Callable[[str, int], None],
        advance: Callable[[int, int], None],
    ) -> None:
        self.damaged: list[str] = []
        self._target = target
        self._account, self._copied = account, copied
        self._begin_mailbox, self._advance = begin_mailbox, advance

    async def run(self, info: MailboxInfo) -> int:
        """Copy a mailbox, as far as it is not there. Gives how many messages were. Raises: Unlike."""
        mailbox = await self._account.mailbox(info.name)
        status = await mailbox.status()
        self._begin_mailbox(f"{self._account.name} {info.name}", status.messages)
        wanted = RestoredMailbox(info.name, info.special_use, info.uid_validity, 1, status.highest_modseq)
        made = await IRestorableAccount(self._copied).restore_mailbox(wanted)
        copied = await self._copied.mailbox(info.name)
        known = await _guids(copied) if made.messages else GuidSet()
        # Stores that were made in the same second give the same UIDVALIDITY: it alone does not tell a copy.
        if made.uid_validity != info.uid_validity or not await self._is_part(known, mailbox):
            raise self._unlike(info)
        count = 0
        after = 0
        while uids := (await IRestorableMailbox(mailbox).guids(after, MESSAGES_AT_ONCE)).uids:
            after = uids[-1]
            try:
                count += await self._copy(info.name, mailbox, copied, uids, known)
            except UIDTaken as error:
                raise self._unlike(info) from error
        await IRestorableAccount(self._copied).restore_mailbox(replace(wanted, uid_next=status.uid_next))
        return count

    async def _is_part(self, known: GuidSet, mailbox: IMailbox) -> bool:
        if not known:
            return True
        source = await _guids(mailbox)
        return all(guid in source for guid in known)

    def _unlike(self, info: MailboxInfo) -> Unlike:
        return Unlike(f"{info.name} of {self._account.name} has mail of its own in the store that is copied into")

    async def _copy(
        self, name: str, mailbox: IMailbox, copied: IMailbox, uids: Sequence[int], known: Container[bytes]
    ) -> int:
        columns = await mailbox.fetch(UIDSet.of(uids), _ITEMS)
        rows = zip(
            columns.uids,
            columns.guids or (),
            columns.flags or (),
            columns.internal_dates or (),
            columns.sizes or (),
            columns.email_ids or (),
            strict=True,
        )
        new = [row for row in rows if bytes.fromhex(row[1]) not in known]
        count = 0
        for batch in _batches(new):
            count += await self._copy_batch(name, mailbox, copied, batch)
        self._advance(len(uids), count)
        return count

    async def _copy_batch(self, name: str, mailbox: IMailbox, copied: IMailbox, rows: Sequence[_Row]) -> int:
        contents = await contents_of(mailbox, [row[0] for row in rows])
        messages = []
        for uid, guid, flags, date, _, email_id in rows:
            content = contents[uid]
            try:
                body = await self._staged(mailbox, uid) if content is None else _inline(content)
            except Damaged:
                # The comparison in the end tells that it is missing; this one says why.
                self.damaged.append(f"{self._account.name} {name}, UID {uid}")
                continue
            messages.append(RestoredMessage(body, flags, date, guid, uid, email_id=email_id))
        await IRestorableMailbox(copied).restore(messages)
        return len(messages)

    async def _staged(self, mailbox: IMailbox, uid: int) -> Body:
        opened = await mailbox.open_body(uid)
        try:
            return await staged(opened, self._target)
        finally:
            opened.close()


_Row = tuple[int, str, Flags, InternalDate, int, str]


def _batches(rows: Sequence[_Row]) -> list[list[_Row]]:
    """The rows, parted where they become too many octets."""
    batches: list[list[_Row]] = []
    octets = 0
    for row in rows:
        if not batches or octets + row[4] > BATCH_OCTETS:
            batches.append([])
            octets = 0
        batches[-1].append(row)
        octets += row[4]
    return batches


async def _guids(mailbox: IMailbox) -> GuidSet:
    pages: list[list[bytes]] = []
    after = 0
    while (columns := await IRestorableMailbox(mailbox).guids(after, GUIDS_AT_ONCE)).uids:
        after = columns.uids[-1]
        pages.append([bytes.fromhex(guid) for guid in columns.guids or ()])
    return GuidSet(pages)


def _inline(content: bytes) -> Body:
    measure = Measure()
    measure.take(content)
    return Body(len(content), measure.header_size, content, None, measure.eight_bit, measure.envelope)


async def staged(opened: IOpenBody, target: IMailStore) -> Body:
    """An open body, put into the target in pieces."""
    measure, writer = Measure(), target.stage_body()
    try:
        while piece := await opened.read(measure.size, PIECE_OCTETS):
            await writer.write(measure.take(piece))
        body = await writer.finish(measure.header_size, measure.eight_bit)
    except BaseException:
        writer.abort()
        raise
    return replace(body, envelope=measure.envelope)
