"""
What a store with Maildirs has beside its database, and the order in which it starts and stops.

Neighbours: `machinery` starts it; the doors ask it to look at folders before they answer.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress

from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from ....interfaces.store import IOpenBody
from ....mail.errors import PermanentFailure
from ...maildir.listing import Stamps
from ...maildir.tree import Tree
from ...watches import Watches
from ..connection import Connection, WritingConnection
from ..engine import IReactor
from ..readers import Readers
from ..writer import Writer
from .reading import FileReader
from .recovering import recover_folders, recover_messages
from .syncing import Syncing
from .threads import LookingThreads
from .watching import Watching
from .work import FileWork


class Files:
    """See the module. `work` is for the writer's thread, `reader` for the readers'."""

    def __init__(self, tree: Tree, reactor: IReactor, writer: Writer, readers: Readers, watches: Watches) -> None:
        self._tree = tree
        self._reactor = reactor
        self._writer = writer
        self._readers = readers
        stamps = Stamps()
        self._threads = LookingThreads(reactor)
        self._syncing = Syncing(tree, stamps, writer, readers, self._threads)
        self._watching = Watching(tree, reactor, readers, watches, self._syncing, self._threads)
        self.work = FileWork(tree, stamps, self._watching.note)
        self.reader = FileReader(tree, self.work.tails)

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """
        Do what an earlier process did not come to do. Writer and readers run.

        Fails with: PermanentFailure: there can be no Maildirs here, or those of the database are not here.
        """
        if not await self._threads.run(lambda: self._tree.is_ours):
            row = await self._readers.read(lambda connection: connection.find("SELECT 1 FROM folder LIMIT 1"))
            if row is not None:
                # Never take an empty mount point for mailboxes whose messages somebody removed.
                root = os.fsdecode(self._tree.root)
                raise PermanentFailure(f"the Maildirs of this database are not in {root}: is its disk mounted?")
        try:
            await self._threads.run(self.work.open)
        except OSError as error:
            raise PermanentFailure(f"the folder of the Maildirs cannot be used: {error}") from error
        await self._others_ended()
        await self._writer.submit(recover_folders)
        await self._writer.submit(recover_messages)
        await self._watching.start()

    def _others_ended(self) -> Deferred[None]:
        """
        Fires when what ended processes had under way is committed or is not: until then it can't be told whether a
        staged message is one. Fails as WritingConnection.let_others_end.
        """
        ended: Deferred[None] = Deferred()

        def wait(connection: WritingConnection) -> None:
            try:
                connection.let_others_end()
            except Exception:  # whatever it is, the start has to hear of it
                self._reactor.callFromThread(ended.errback, Failure())
            else:
                self._reactor.callFromThread(ended.callback, None)

        self._writer.between_commits(wait)
        return ended

    def stop(self) -> Deferred[None]:
        """Look at no more folders. The writer still runs."""
        return self._watching.stop()

    def ended(self) -> None:
        """The writer has ended."""
        self._threads.stop()
        self.work.close()

    def swept(self) -> None:
        """A round of sweeping has ended."""
        self._threads.run(_remove_folders, self._tree.gone).addErrback(lambda failure: failure.trap(OSError))

    # -- for the doors ---------------------------------------------------------------------------------------

    async def look(self, account: str, key: tuple[int, int]) -> None:
        """Others may have changed the mailbox."""
        await self._syncing.mailbox(account, key)

    async def look_at_all(self, account: str, keys: Sequence[tuple[int, int]]) -> None:
        """The same of several, side by side."""
        await gatherResults([Deferred.fromCoroutine(self.look(account, key)) for key in keys], consumeErrors=True)

    async def look_for_folders(self, account: str, number: int) -> None:
        """Others may have made or removed mailboxes."""
        await self._syncing.folders(account, number)

    async def take_over(self, account: str) -> None:
        """Files were there before the account was: they come into its mailboxes before it is told that it is made."""
        if not await self._threads.run(_has_mail, self._tree.account(account)):
            return
        rows = await self._readers.read(lambda connection: connection.every(_ACCOUNT, (account,)))
        for number in {row[0] for row in rows}:
            await self.look_for_folders(account, number)
        rows = await self._readers.read(lambda connection: connection.every(_ACCOUNT, (account,)))
        for number, mailbox in rows:
            await self.look(account, (number, mailbox))

    def open(self, connection: Connection, account: str, key: tuple[int, int], uid: int) -> IOpenBody | None:
        """A message opened out of its file, in a reader's thread; None where it has none."""
        found = self.reader.find(connection, account, key, uid)
        return None if found is None else self.reader.opened(found, self._readers)


_ACCOUNT = (
    "SELECT a.account, m.mailbox FROM account a JOIN mailbox m ON m.account = a.account WHERE a.name = ? "
    "ORDER BY m.mailbox"
)


def _has_mail(path: bytes) -> bool:
    for part in (b"cur", b"new"):
        with suppress(OSError), os.scandir(os.path.join(path, part)) as entries:
            if next(entries, None) is not None:
                return True
    with suppress(OSError), os.scandir(path) as entries:
        return any(entry.name.startswith(b".") and entry.is_dir() for entry in entries)
    return False


def _remove_folders(gone: bytes) -> None:
    """Remove the folders of mailboxes and accounts that are no more."""
    with os.scandir(gone) as entries:
        folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
