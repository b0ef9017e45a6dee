"""
Looking at folders when somebody asks for them, and bringing what others did into the index.

A look is cheap where nothing has changed: the times of the folder's two parts are asked. Otherwise it is listed in a
thread, compared with the index, and what differs is committed in slices. Where a folder cannot be looked at, its
mailbox is served as the index has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from time import monotonic
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredLock, DeferredSemaphore
from twisted.logger import Logger

from ....mail.errors import NoSuchAccount, NoSuchMailbox, Unavailable
from ....wire.imap.mailbox_name import decode_text
from ...maildir.keywords import Letters
from ...maildir.listing import Stamps, subfolders, times_of
from ...maildir.names import INBOX_FOLDER
from ...maildir.opening import lines_of, opened
from ...maildir.tree import Tree
from ..readers import Readers
from ..state import WriteState
from ..writer import Writer
from . import adopting
from .comparing import Changed, Difference, Known, New, compare, load, measure
from .threads import THREADS, LookingThreads

T = TypeVar("T")

_LIVES = "SELECT 1 FROM account WHERE account = ?"
SUBSCRIPTIONS = b"subscriptions"
MAX_SUBSCRIPTIONS_OCTETS = 4 * 1024 * 1024
"""Our own bound: more than an account may have mailboxes."""

_Key = tuple[int, int]


class Syncing:
    """See the module. Used in the reactor's thread."""

    _log = Logger()

    def __init__(self, tree: Tree, stamps: Stamps, writer: Writer, readers: Readers, threads: LookingThreads) -> None:
        self._tree = tree
        self._stamps = stamps
        self._writer = writer
        self._readers = readers
        self._threads = threads
        self._looking: dict[_Key, DeferredLock] = {}
        self._told: set[bytes] = set()
        self._comparing = DeferredSemaphore(THREADS)

    def has_looked(self, folder: bytes) -> bool:
        """Whether this folder has been compared with the index since the start."""
        return self._stamps.has(folder)

    def rest_seconds(self, folder: bytes) -> float:
        """How long the folder should be left alone, where nobody asks for it but notices of changes."""
        return self._stamps.rest_seconds(folder)

    # -- one mailbox -----------------------------------------------------------------------------------------

    async def mailbox(self, account: str, key: _Key) -> None:
        """Bring what others did to the mailbox's folder into the index. Fails never: the index is served then."""
        await self._alone(account, key, lambda: self._look(account, key))

    async def _alone(
        self, account: str, key: _Key, work: Callable[[], Coroutine[Deferred[object], object, None]]
    ) -> None:
        lock = self._looking.get(key)
        if lock is None:
            lock = self._looking[key] = DeferredLock()
        try:
            await lock.run(lambda: Deferred.fromCoroutine(work()))
        except CancelledError:
            raise
        except (NoSuchAccount, NoSuchMailbox, Unavailable):
            pass  # Whoever asks is told by what is asked.
        except Exception:
            self._log.failure("a folder of {account} cannot be looked at", account=account)
        finally:
            if not lock.locked and not lock.waiting:
                self._looking.pop(key, None)

    async def _look(self, account: str, key: _Key) -> None:
        for _ in range(2):
            folder = await self._path(account, key)
            if folder is None:
                return
            try:
                if not await self._threads.run(_is_fresh, self._stamps, folder):
                    # What the index knows of a folder is in memory meanwhile: of few at a time.
                    async with self._comparing:
                        await self._compare(key, folder)
                return
            except FileNotFoundError:
                continue  # It has been renamed, or it is gone.
        await self._folders(account, key[0])

    async def _path(self, account: str, key: _Key) -> bytes | None:
        row = await self._readers.read(
            lambda connection: connection.find("SELECT name, target FROM folder WHERE account = ? AND mailbox = ?", key)
        )
        # What is about to become something else has been done, or is done with the next commit.
        name = None if row is None else row[0] if row[1] is None else row[1]
        return self._tree.folder(account, bytes(name)) if name else None

    async def _compare(self, key: _Key, folder: bytes, *, is_second: bool = False) -> None:
        known = await self._readers.read(lambda connection: load(connection, *key))
        difference = await self._threads.run(_compare, folder, known)
        known.clear()
        for changed in _slices(difference.changed):
            await self._write(key, partial(_taking, adopting.take_changes, key, folder, changed))
        for left in _slices(difference.left):
            await self._write(key, partial(_taking, adopting.take_leaves, key, folder, left))
        await self._adopt(key, folder, difference)
        if difference.missing:
            await self._write(key, partial(_taking, adopting.take_missing, key, folder, difference.missing))
        if difference.left and not is_second:
            # Some of them may be messages that others put back.
            await self._compare(key, folder, is_second=True)
            return
        self._stamps.listed(folder, difference.times, difference.cost_seconds)

    async def _adopt(self, key: _Key, folder: bytes, difference: Difference) -> None:
        uidlist, slices = difference.uidlist, _slices(difference.new)
        for some in slices:
            found = await self._threads.run(measure, folder, some, uidlist.uids)
            given = adopting.GivenUIDs(uidlist.uid_validity, uidlist.uid_next, some is slices[-1])
            await self._write(key, partial(_adopting, key, folder, found, given))

    def _write(self, key: _Key, operation: adopting.Operation) -> Deferred[None]:
        return self._writer.submit(operation, account=key[0])

    # -- the mailboxes of an account -------------------------------------------------------------------------

    async def folders(self, account: str, number: int) -> None:
        """Bring folders that others made and removed into the index. Fails never."""
        await self._alone(account, (number, 0), lambda: self._folders(account, number))

    async def _folders(self, account: str, number: int) -> None:
        path = self._tree.account(account)
        try:
            times = await self._threads.run(_times, path)
        except FileNotFoundError:
            # Not taken for mailboxes that others have removed: it may be a disk that is not there.
            if await self._readers.read(lambda connection: connection.find(_LIVES, (number,))) is not None:
                self._log.error(
                    "the Maildir of {account} is not there: {path}", account=account, path=os.fsdecode(path)
                )
            return
        if self._stamps.is_fresh(path + b"/.", times):
            return
        began = monotonic()
        found = await self._threads.run(subfolders, path)
        subscribed = await self._threads.run(_subscribed, path)
        strange = await self._writer.submit(
            lambda state: adopting.take_folders(state, number, [INBOX_FOLDER, *found], subscribed), account=number
        )
        for folder in strange:
            if folder not in self._told:
                self._told.add(folder)
                self._log.warn("{folder} is no mailbox's name", folder=os.fsdecode(path + b"/" + folder))
        self._stamps.listed(path + b"/.", times, monotonic() - began)


def _taking(
    take: Callable[[WriteState, int, int, bytes, Sequence[Changed]], None],
    key: _Key,
    folder: bytes,
    changes: Sequence[Changed],
    state: WriteState,
) -> None:
    take(state, *key, folder, changes)


def _adopting(key: _Key, folder: bytes, found: Sequence[New], given: adopting.GivenUIDs, state: WriteState) -> None:
    adopting.adopt(state, *key, folder, found, given)


def _slices(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + adopting.SLICE] for start in range(0, len(items), adopting.SLICE)]


def _is_fresh(stamps: Stamps, folder: bytes) -> bool:
    return stamps.is_fresh(folder, times_of(folder))


def _compare(folder: bytes, known: Sequence[Known]) -> Difference:
    return compare(folder, known, Letters().of(folder))


def _times(path: bytes) -> tuple[int, ...]:
    return (os.stat(path).st_mtime_ns,)


def _subscribed(account: bytes) -> frozenset[str] | None:
    """What Dovecot has subscribed, in the names of mailboxes here; None where it has no list."""
    try:
        with opened(os.path.join(account, SUBSCRIPTIONS)) as file:
            lines = [line.rstrip(b"\r\n") for line in lines_of(file, MAX_SUBSCRIPTIONS_OCTETS)]
    except OSError:
        return None
    names = set()
    separator = b"\t" if lines[:1] == [b"V\t2"] else b"."
    for line in lines[2:] if separator == b"\t" else lines:
        levels = [decode_text(level) for level in line.split(separator)]
        names.add("/".join(level for level in levels if level is not None))
    return frozenset(names)
