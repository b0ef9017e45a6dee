"""CompletedStore: IMailStore over a store that provides the required part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from zope.interface import Interface, implementer
from zope.interface.interface import InterfaceClass

from ...interfaces.deferred import returns_deferred, shielded
from ...interfaces.required_store import ChangeListener, IBasicStore, IWatch
from ...interfaces.store import IAccount, IAccountKeeping, IBodyStaging, IBodyWriter, IMailStore
from ...mail.errors import PermanentFailure
from ...mail.transaction import Committed, Transaction
from .columns import Lacking
from .doors import CompletedAccount
from .memory import DEFAULT_OCTETS, MadeOfMessages, MessageKey, Overviews
from .staging import Staging, is_large


@implementer(IMailStore)
class CompletedStore:
    """
    The whole door over a store of which the required part is enough.

    Any further door that the store provides (IDirectory, IMaildropLock, IQueueStore) is found through this one: an
    interface called with it gives the store.

    Args:
        store: an IBasicStore, not started.
        reactor: tells the time, and runs the thread for large bodies.
        memory_octets: how much of what was computed is remembered.
        folder: where large bodies are kept on their way in; None: where the system has temporary files.
    """

    # Any: a reactor provides more interfaces than one type has names.
    def __init__(
        self, store: IBasicStore, *, reactor: Any, memory_octets: int = DEFAULT_OCTETS, folder: Path | None = None
    ) -> None:
        self.basic = store
        self.clock = reactor
        self.made = MadeOfMessages(memory_octets)
        self.overviews = Overviews()
        self.lacking = Lacking()
        self.staging = Staging(reactor, folder)

    def __conform__(self, door: InterfaceClass) -> Interface | None:
        return self.basic if door.providedBy(self.basic) else None

    @returns_deferred
    async def start(self) -> None:
        """See IBasicStore."""
        await self.basic.start()
        self.staging.start()

    @returns_deferred
    async def stop(self) -> None:
        """See IBasicStore."""
        await self.basic.stop()
        self.staging.stop()

    def stage_body(self) -> IBodyWriter:
        """See IBodyStaging."""
        staging = IBodyStaging(self.basic, None)
        return self.staging.writer() if staging is None else staging.stage_body()

    def deliver(self, transaction: Transaction) -> Deferred[Committed]:
        """See IBasicStore."""
        return shielded(self._deliver(transaction))

    @returns_deferred
    async def _deliver(self, transaction: Transaction) -> Committed:
        if IBodyStaging.providedBy(self.basic) or all(body.staged is None for body in transaction.bodies):
            committed = await self.basic.deliver(transaction)
        elif is_large(transaction.bodies):
            committed = await self.staging.whole.run(self._deliver_whole, transaction)
        else:
            committed = await self._deliver_whole(transaction)
        self._remember_forms(transaction, committed)
        return committed

    @returns_deferred
    async def _deliver_whole(self, transaction: Transaction) -> Committed:
        bodies = await self.staging.read(transaction.bodies)
        committed = await self.basic.deliver(replace(transaction, bodies=tuple(bodies)))
        self.staging.used(transaction.bodies)
        return committed

    def _remember_forms(self, transaction: Transaction, committed: Committed) -> None:
        for placement, placed in zip(transaction.placements, committed.placed, strict=True):
            key = MessageKey(placement.account, placed.mailbox_id, placed.uid_validity, placed.uid)
            self.made.put_body(key, transaction.bodies[placement.body])

    def create_account(self, name: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> Deferred[None]:
        """See IAccountKeeping. Fails also with PermanentFailure: the application makes its accounts itself."""
        keeping = IAccountKeeping(self.basic, None)
        return _not_ours() if keeping is None else keeping.create_account(name, mailboxes)

    def remove_account(self, name: str) -> Deferred[None]:
        """See IAccountKeeping. Fails also as create_account."""
        keeping = IAccountKeeping(self.basic, None)
        return _not_ours() if keeping is None else keeping.remove_account(name)

    def accounts(self) -> Deferred[Sequence[str]]:
        """See IBasicStore."""
        return self.basic.accounts()

    @returns_deferred
    async def account(self, name: str) -> IAccount:
        """See IBasicStore."""
        return CompletedAccount(self, await self.basic.account(name))

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """See IBasicStore."""
        return self.basic.watch(account, listener)


def _not_ours() -> Deferred[None]:
    return fail(PermanentFailure("accounts are made and removed by the application that this node is part of"))
