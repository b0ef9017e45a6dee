"""
Mail in bulk through the control socket: what moves mail asks of a store, by name, with JSON and octets in and out.

Served by a running node to the command line, and by the command line to itself where no node runs; each connection
has a desk of its own. What is asked for at once is bounded, so that a node's clients hardly notice: about
ANSWER_OCTETS in an answer, and a few milliseconds of the reactor.

Neighbours: `shelf` asks; `operations` has the other commands of the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from itertools import islice
from typing import Any

from twisted.internet.defer import DeferredLock

from ...interfaces.store import IAccount, IBodyWriter, IMailbox, IMailStore, IRestorableAccount, IRestorableMailbox
from ...mail.changes import MailboxInfo, MailboxStatus
from ...mail.columns import INLINE_BODY_OCTETS, FetchItem, InternalDate
from ...mail.errors import Damaged, MailError, NoSuchMailbox, UIDTaken
from ...mail.flags import flags_of
from ...mail.restoring import RestoredMailbox, RestoredMessage
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from ..reading import contents_of
from .operations import JSON, Arguments, Refusal

GUIDS_AT_ONCE = 5_000
MESSAGES_AT_ONCE = 250
ANSWER_OCTETS = 1024 * 1024
MAX_WRITERS = 4
"""Bodies that one connection stages at a time."""

HERE, LARGE, DAMAGED = "here", "large", "damaged"
"""What comes of a message's content: it is in the answer, it has to be asked for, or it can't be had."""

Answer = tuple[JSON, bytes]
_LAST_UID = 2**32 - 1


class MailDesk:
    """Performs operations on the mail of `store`. `close` is to be called when nobody asks any more."""

    def __init__(self, store: IMailStore) -> None:
        self._store = store
        self._writers: dict[int, IBodyWriter] = {}
        self._next_writer = 1
        self._in_order = DeferredLock()
        # The mailbox asked for last: it is asked for again and again.
        self._door: tuple[str, int, IMailbox] | None = None
        self._by_name: dict[str, Callable[[Arguments, bytes], Coroutine[Any, Any, Answer]]] = {
            "mail.accounts": self._accounts,
            "mail.mailboxes": self._mailboxes,
            "mail.prepare": self._prepare,
            "mail.renew": self._renew,
            "mail.guids": self._guids,
            "mail.stage": self._stage,
            "mail.write": self._write,
            "mail.finish": self._finish,
            "mail.restore": self._restore,
            "mail.page": self._page,
            "mail.part": self._part,
        }

    def close(self) -> None:
        """Give up what was begun and not finished."""
        for writer in self._writers.values():
            writer.abort()
        self._writers.clear()

    def knows(self, name: str) -> bool:
        """Whether there is an operation of that name."""
        return name in self._by_name

    async def perform(self, name: str, arguments: Arguments, octets: bytes) -> Answer:
        """Do it. Raises: Refusal."""
        try:
            return await self._by_name[name](arguments, octets)
        except MailError as error:
            raise Refusal(error.text) from error
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise Refusal(f"{name}: not the arguments that this operation takes") from error

    # -- mailboxes --------------------------------------------------------------------------------------------------

    async def _accounts(self, _: Arguments, __: bytes) -> Answer:
        return list(await self._store.accounts()), b""

    async def _mailboxes(self, arguments: Arguments, _: bytes) -> Answer:
        account = await self._store.account(arguments["account"])
        infos = await account.mailboxes()
        statuses = {status.mailbox_id: status for status in await account.statuses([box.mailbox_id for box in infos])}
        subscribed = set(await account.subscriptions())
        return [
            _shown(info, statuses[info.mailbox_id], info.name in subscribed)
            for info in infos
            if info.mailbox_id in statuses
        ], b""

    async def _prepare(self, arguments: Arguments, _: bytes) -> Answer:
        account = await self._store.account(arguments["account"])
        name, special_use, uid_validity, uid_next, highest_modseq = arguments["mailbox"]
        wanted = RestoredMailbox(name, special_use, uid_validity, uid_next, highest_modseq)
        status = await _restorable(account).restore_mailbox(wanted)
        (info,) = [box for box in await account.mailboxes() if box.mailbox_id == status.mailbox_id]
        if arguments["subscribed"] and not status.messages:
            await account.subscribe(info.name, True)
        return _shown(info, status, info.name in await account.subscriptions()), b""

    async def _renew(self, arguments: Arguments, _: bytes) -> Answer:
        account = await self._store.account(arguments["account"])
        await _restorable(account).renew_uid_validity(arguments["mailbox"])
        return {}, b""

    async def _mailbox(self, arguments: Arguments) -> IMailbox:
        name, mailbox_id = arguments["account"], arguments["mailbox"]
        if self._door is None or self._door[:2] != (name, mailbox_id):
            account = await self._store.account(name)
            found = [info.name for info in await account.mailboxes() if info.mailbox_id == mailbox_id]
            if not found:
                raise NoSuchMailbox("the mailbox does not exist any more")
            self._door = name, mailbox_id, await account.mailbox(found[0])
        return self._door[2]

    # -- in ---------------------------------------------------------------------------------------------------------

    async def _guids(self, arguments: Arguments, _: bytes) -> Answer:
        mailbox = _restorable_mailbox(await self._mailbox(arguments))
        columns = await mailbox.guids(int(arguments["after"]), GUIDS_AT_ONCE)
        return {"last": columns.uids[-1] if columns.uids else 0}, bytes.fromhex("".join(columns.guids or ()))

    async def _stage(self, _: Arguments, __: bytes) -> Answer:
        if len(self._writers) >= MAX_WRITERS:
            raise Refusal("too many messages at a time")
        number = self._next_writer
        self._next_writer += 1
        self._writers[number] = self._store.stage_body()
        return {"writer": number}, b""

    async def _write(self, arguments: Arguments, octets: bytes) -> Answer:
        await self._writers[arguments["writer"]].write(octets)
        return {}, b""

    async def _finish(self, arguments: Arguments, _: bytes) -> Answer:
        writer = self._writers.pop(arguments["writer"])
        body = await writer.finish(int(arguments["header_size"]), bool(arguments["eight_bit"]))
        return {"staged": body.staged}, b""

    async def _restore(self, arguments: Arguments, octets: bytes) -> Answer:
        # Those that were begun earlier are given to the store earlier, though their mailbox had to be looked for.
        async with self._in_order:
            mailbox = _restorable_mailbox(await self._mailbox(arguments))
            restoring = mailbox.restore(list(_messages(arguments["messages"], octets)))
        try:
            await restoring
        except UIDTaken:
            return {"taken": True}, b""
        return {"taken": False}, b""

    # -- out --------------------------------------------------------------------------------------------------------

    async def _page(self, arguments: Arguments, _: bytes) -> Answer:
        mailbox = await self._mailbox(arguments)
        uids = await _after(mailbox, int(arguments["after"]), MESSAGES_AT_ONCE)
        if not uids:
            return {"messages": [], "last": 0}, b""
        items = FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.GUID
        columns = await mailbox.fetch(uids, items)
        rows = list(
            zip(
                columns.uids,
                columns.guids or (),
                columns.flags or (),
                columns.internal_dates or (),
                columns.sizes or (),
                strict=True,
            )
        )
        octets = 0
        for count, row in enumerate(rows, 1):
            octets += len(row[2].keyword_text) + (row[4] if row[4] <= INLINE_BODY_OCTETS else 0)
            if octets >= ANSWER_OCTETS:
                del rows[count:]
        contents = await contents_of(mailbox, [row[0] for row in rows])
        told, joined = [], []
        for uid, guid, flags, date, size in rows:
            content = contents.get(uid)
            if content is None and size <= INLINE_BODY_OCTETS and uid in contents:
                state = DAMAGED
            elif content is None and size <= INLINE_BODY_OCTETS:
                continue  # expunged in between, and no longer readable
            else:
                state = LARGE if content is None else HERE
            told.append([uid, guid, flags.bits, flags.keyword_text, *date, size, state])
            joined.append(content or b"")
        return {"messages": told, "last": rows[-1][0] if rows else uids.runs[-1][1]}, b"".join(joined)

    async def _part(self, arguments: Arguments, _: bytes) -> Answer:
        mailbox = await self._mailbox(arguments)
        body = await mailbox.open_body(int(arguments["uid"]))
        try:
            return {"damaged": False}, await body.read(int(arguments["offset"]), ANSWER_OCTETS)
        except Damaged:
            return {"damaged": True}, b""
        finally:
            body.close()


def _restorable(account: IAccount) -> IRestorableAccount:
    if not IRestorableAccount.providedBy(account):
        raise Refusal("the store cannot put mail back")
    return IRestorableAccount(account)


def _restorable_mailbox(mailbox: IMailbox) -> IRestorableMailbox:
    if not IRestorableMailbox.providedBy(mailbox):
        raise Refusal("the store cannot put mail back")
    return IRestorableMailbox(mailbox)


async def _after(mailbox: IMailbox, after: int, count: int) -> UIDSet:
    """The first `count` UIDs above `after`."""
    if IRestorableMailbox.providedBy(mailbox):
        return UIDSet.of_ascending((await IRestorableMailbox(mailbox).guids(after, count)).uids)
    return UIDSet.of(islice(await mailbox.uids() & UIDSet.span(after + 1, _LAST_UID), count))


def _shown(info: MailboxInfo, status: MailboxStatus, subscribed: bool) -> JSON:
    return [
        info.mailbox_id,
        info.name,
        info.special_use,
        subscribed,
        status.uid_validity,
        status.uid_next,
        status.messages,
        status.size,
        status.highest_modseq,
    ]


def _messages(rows: JSON, octets: bytes) -> Iterator[RestoredMessage]:
    """The messages of a request: `octets` has envelope and content of each, one behind the other."""
    position = 0
    for guid, uid, bits, keywords, seconds, zone, size, header_size, eight_bit, envelope_size, staged in rows:
        envelope = None
        if envelope_size is not None:
            envelope = octets[position : position + envelope_size]
            position += envelope_size
        content = None
        if staged is None:
            content = octets[position : position + size]
            position += size
            if len(content) != size:
                raise ValueError("the octets end too early")
        body = Body(size, header_size, content, staged, eight_bit, envelope)
        yield RestoredMessage(body, flags_of(bits, keywords), InternalDate(seconds, zone), guid, uid)
