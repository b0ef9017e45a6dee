"""
The durable doors that a node's rooms work with: those of its storage, and what the storage lacks made good.

It decides where a message is committed: in the store itself where that holds the queue too, else in a spool of the
node's own, from which mailboxes are delivered to like other nodes. Neighbours: `storage` makes the configured ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..interfaces.deferred import returns_deferred
from ..interfaces.queue import IQueueStore
from ..interfaces.required_store import IBasicStore
from ..interfaces.store import IAcceptance, IDirectory, IMaildropLock, IMailStore
from ..queue.spool import Spool
from ..store.completed import AccountDirectory, CompletedStore
from ..store.sql import SQLiteStore


@dataclass(frozen=True, slots=True)
class Storage:
    """
    The durable doors that are given. Of a store the required part is enough; `doors` makes good what is lacking.

    `queue` and `directory` may be left out: the store is asked for them, and where it has none, the node keeps the
    queue and the aliases itself, and takes the store's accounts for users. `lock` is asked of the store.
    """

    store: IBasicStore
    queue: IQueueStore | None = None
    directory: IDirectory | None = None
    lock: IMaildropLock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """
    The durable doors.

    `store` has the mailboxes. `entrance` is where messages are committed, and `queue` what waits then. `spool` is
    the node's own store behind these two, where it needs one.
    """

    store: IMailStore
    entrance: IAcceptance
    queue: IQueueStore
    directory: IDirectory
    spool: IMailStore | None = None

    @returns_deferred
    async def start(self) -> None:
        """Open all of it. Fails as IBasicStore.start."""
        await self.store.start()
        if self.spool is not None:
            await self.spool.start()

    @returns_deferred
    async def stop(self) -> None:
        """Finish what was begun, and close. The mailboxes are closed though the spool's end fails."""
        try:
            if self.spool is not None:
                await self.spool.stop()
        finally:
            await self.store.stop()


def all_in_one(store: Any) -> Doors:  # Any: one object provides all the doors; a type has one interface.
    """The doors of a store that provides every one of them."""
    return Doors(store=store, entrance=store, queue=store, directory=store)


# Any: a reactor provides more interfaces than one type has names.
def complete(storage: Storage, spool_file: Path, reactor: Any, remembered_octets: int) -> Doors:
    """
    The doors over a storage, not started.

    Args:
        storage: what is given.
        spool_file: where the spool is kept, if one is needed; large bodies are beside it on their way in.
        reactor: runs what is made here.
        remembered_octets: how much of what is computed for a store is remembered.
    """
    given = storage.store
    store = _whole(given) or CompletedStore(
        given, reactor=reactor, memory_octets=remembered_octets, folder=spool_file.parent
    )
    queue = storage.queue or _queue_of(given)
    directory = storage.directory or _directory_of(given)
    if queue is not None:
        return Doors(store=store, entrance=store, queue=queue, directory=directory or AccountDirectory(store, reactor))
    own = SQLiteStore(spool_file, reactor=reactor)
    spool = Spool(own)
    directory = directory or AccountDirectory(store, reactor, own)
    return Doors(store=store, entrance=spool, queue=spool, directory=directory, spool=own)


def _whole(store: IBasicStore) -> IMailStore | None:
    whole: IMailStore | None = IMailStore(store, None)
    return whole


def _queue_of(store: IBasicStore) -> IQueueStore | None:
    queue: IQueueStore | None = IQueueStore(store, None)
    return queue


def _directory_of(store: IBasicStore) -> IDirectory | None:
    directory: IDirectory | None = IDirectory(store, None)
    return directory
