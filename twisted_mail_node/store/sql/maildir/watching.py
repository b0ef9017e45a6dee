"""
Noticing what others do in Maildirs while somebody waits to be told: as long as an account is watched.

The kernel tells of each change (`store.maildir.inotify`); what we did ourselves is known by its name and passed over.
What is told of within a moment is looked at once. Where the kernel has no watches left, or the file system tells
nothing (NFS tells only of changes of this machine), folders are looked at from time to time: some accounts' each time,
in turn.
"""

from __future__ import annotations

import os
from collections.abc import Coroutine, Sequence

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from ....mail.errors import MailError
from ...maildir.inotify import Inotify, Unsupported
from ...maildir.tree import Tree
from ...watches import Watches
from ..engine import IReactor
from ..readers import Readers
from .syncing import Syncing
from .threads import LookingThreads

MOMENT_SECONDS = 0.02
"""A program that delivers or renames many files is looked at once in so long."""
POLL_SECONDS = 30.0
POLL_ACCOUNTS = 200
"""Our own bound: accounts that are looked at each time, so that many who wait cost no more than some."""
MAX_FOLDERS = 1000
"""Our own bound: folders of one account that the kernel is asked about."""
MAX_OWN = 50_000

_MAILBOXES = (
    "SELECT f.mailbox, CASE WHEN f.target IS NULL THEN f.name ELSE f.target END, a.account "
    "FROM account a JOIN folder f ON f.account = a.account WHERE a.name = ? AND f.mailbox <> 0 "
    "ORDER BY f.mailbox LIMIT ?"
)


class Watching:
    """See the module. Used in the reactor's thread, but for `note`."""

    _log = Logger()

    def __init__(
        self,
        tree: Tree,
        reactor: IReactor,
        readers: Readers,
        watches: Watches,
        syncing: Syncing,
        threads: LookingThreads,
    ) -> None:
        self._tree = tree
        self._reactor = reactor
        self._readers = readers
        self._watches = watches
        self._syncing = syncing
        self._threads = threads
        self._inotify: Inotify | None = None
        self._own: set[bytes] = set()
        self._folders: dict[bytes, tuple[str, int, int]] = {}
        self._accounts: dict[str, list[bytes]] = {}
        self._due: dict[tuple[str, int, int], bytes] = {}
        self._call: IDelayedCall | None = None
        self._poll: IDelayedCall | None = None
        self._running = False
        self._next_poll = 0

    def note(self, path: bytes) -> None:
        """This path is about to come or go by our own doing. In any thread."""
        if self._folders:
            if len(self._own) >= MAX_OWN:
                self._own.clear()
            self._own.add(path)

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin."""
        self._running = True
        try:
            self._inotify = Inotify(self._reactor, self._changed)
        except Unsupported as error:
            self._log.info(
                "changes by other programs are looked for every {seconds} s: {error}", seconds=POLL_SECONDS, error=error
            )
        self._watches.on_change = self._account_watched
        for account in self._watches.accounts:
            self._account_watched(account, True)

    def stop(self) -> Deferred[None]:
        """Fires when no look is under way any more."""
        self._running = False
        self._watches.on_change = None
        for call in (self._call, self._poll):
            if call is not None:
                call.cancel()
        self._call = self._poll = None
        if self._inotify is not None:
            self._inotify.stop()
        return succeed(None)

    # -- which folders ---------------------------------------------------------------------------------------

    def _account_watched(self, account: str, is_watched: bool) -> None:
        if is_watched:
            self._accounts.setdefault(account, [])
            if self._poll is None:
                self._poll = self._reactor.callLater(POLL_SECONDS, self._look_at_all)
            self._begin(self._watch(account))
        else:
            for path in self._accounts.pop(account, ()):
                self._folders.pop(path, None)
                if self._inotify is not None:
                    self._inotify.remove(path)
            if not self._accounts:
                self._own.clear()
                if self._poll is not None:
                    self._poll.cancel()
                    self._poll = None

    async def _watch(self, account: str) -> None:
        rows = await self._readers.read(lambda connection: connection.every(_MAILBOXES, (account, MAX_FOLDERS)))
        mine = self._accounts.get(account)
        if mine is None or self._inotify is None:
            return
        wanted: dict[bytes, tuple[str, int, int]] = {}
        for mailbox, name, number in rows:
            wanted[self._tree.account(account)] = account, number, 0
            if not name:
                continue  # It is about to go.
            folder = self._tree.folder(account, bytes(name))
            wanted[folder + b"/new"] = wanted[folder + b"/cur"] = account, number, mailbox
        for path in [path for path in mine if path not in wanted]:
            self._inotify.remove(path)
            self._folders.pop(path, None)
            mine.remove(path)
        known = set(mine)
        for path, key in wanted.items():
            if path not in known:
                if not self._inotify.add(path):
                    break
                mine.append(path)
                if key[2] and (known or self._syncing.has_looked(os.path.dirname(path))):
                    # What happened between the last look and now was told to nobody.
                    self._due[key] = os.path.dirname(path)
            self._folders[path] = key
        self._look_soon()

    # -- what happened ---------------------------------------------------------------------------------------

    def _changed(self, changes: Sequence[tuple[bytes, bytes]]) -> None:
        """Names came or went in these folders; an empty name: more than could be told."""
        for folder, name in changes:
            path, key = folder + b"/" + name, self._folders.get(folder)
            is_ours = path in self._own
            self._own.discard(path)
            if is_ours and key is not None and key[2]:
                continue
            # A folder of ours that comes or goes is no news, but is to be watched, or no more.
            if key is not None:
                self._due[key] = os.path.dirname(folder)
            elif not folder:
                self._due.update({key: os.path.dirname(path) for path, key in self._folders.items()})
        self._look_soon()

    def _look_soon(self) -> None:
        if self._due and self._call is None and self._running:
            self._call = self._reactor.callLater(MOMENT_SECONDS, self._look)

    def _look_at_all(self) -> None:
        self._poll = self._reactor.callLater(POLL_SECONDS, self._look_at_all)
        accounts = tuple(self._accounts)
        if self._next_poll >= len(accounts):
            self._next_poll = 0
        some = accounts[self._next_poll : self._next_poll + POLL_ACCOUNTS]
        self._next_poll += POLL_ACCOUNTS
        for account in some:
            self._begin(self._look_at_account(account))

    async def _look_at_account(self, account: str) -> None:
        rows = await self._readers.read(lambda connection: connection.every(_MAILBOXES, (account, MAX_FOLDERS)))
        for mailbox, _, number in rows:
            if self._running:
                await self._syncing.mailbox(account, (number, mailbox))
        await self._watch(account)

    def _look(self) -> None:
        self._call = None
        rests = {key: self._syncing.rest_seconds(folder) for key, folder in self._due.items()}
        for key in [key for key, seconds in rests.items() if seconds <= 0]:
            del self._due[key]
            self._begin(self._look_at(*key))
        if self._due:
            soonest = min(rests[key] for key in self._due)
            self._call = self._reactor.callLater(max(soonest, MOMENT_SECONDS), self._look)

    async def _look_at(self, account: str, number: int, mailbox: int) -> None:
        if mailbox:
            await self._syncing.mailbox(account, (number, mailbox))
        else:
            await self._syncing.folders(account, number)
            await self._watch(account)

    def _begin(self, work: Coroutine[Deferred[object], object, None]) -> None:
        # A look that fails because the store stops, or the account went, concerns nobody.
        Deferred.fromCoroutine(work).addErrback(lambda failure: failure.trap(MailError, CancelledError))
