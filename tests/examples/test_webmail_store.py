"""The worked example: a store of the required part alone, as it is and completed by the node."""

from __future__ import annotations

import threading

import pytest
from twisted.internet.defer import Deferred

from twisted_mail_node.interfaces.store import (
    IAccountKeeping,
    IBodyStaging,
    IKeptForms,
    IMailbox,
    IMailStore,
    IMove,
    IOverview,
    IRecent,
)
from twisted_mail_node.store.completed import CompletedStore
from twisted_mail_node.testing.backend import Backend, SteeredReactor
from twisted_mail_node.testing.store_contract import CompletedStoreContract, RequiredStoreContract

from .webmail import WebmailStore, WithAccounts


def run_on(reactor, open_store, make_account=None):
    backend = Backend(reactor, open_store(), reopen=open_store, make_account=make_account)
    backend.start()
    yield backend
    backend.stop()
    assert reactor.getDelayedCalls() == []
    assert [
        thread.name for thread in threading.enumerate() if "webmail" in thread.name or "staged" in thread.name
    ] == []


class TestAsItIs(RequiredStoreContract):
    @pytest.fixture
    def backend(self, tmp_path):
        reactor = SteeredReactor()
        opened = []

        def open_store():
            opened.append(WebmailStore(tmp_path / "webmail.sqlite", reactor=reactor))
            return opened[-1]

        yield from run_on(reactor, open_store, lambda name: opened[-1].sign_up(name))


class TestCompleted(CompletedStoreContract):
    @pytest.fixture
    def backend(self, tmp_path):
        reactor = SteeredReactor()

        def open_store():
            return CompletedStore(WithAccounts(tmp_path / "webmail.sqlite", reactor=reactor), reactor=reactor)

        yield from run_on(reactor, open_store)


def test_it_provides_nothing_but_the_required_part(tmp_path):
    reactor = SteeredReactor()
    store = WebmailStore(tmp_path / "webmail.sqlite", reactor=reactor)

    async def inbox() -> Deferred:
        await store.start()
        await store.sign_up("ann@example.test")
        return await (await store.account("ann@example.test")).mailbox("INBOX")

    folder = reactor.wait_for(Deferred.fromCoroutine(inbox()))
    assert not any(door.providedBy(store) for door in (IMailStore, IBodyStaging, IAccountKeeping))
    assert not any(door.providedBy(folder) for door in (IMailbox, IRecent, IOverview, IKeptForms, IMove))
    reactor.wait_for(store.stop())
