from __future__ import annotations

import threading

import pytest

from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql.postgres import PostgresStore
from twisted_mail_node.testing.backend import Backend, SteeredReactor
from twisted_mail_node.testing.directory_contract import DirectoryContract
from twisted_mail_node.testing.lock_contract import LockContract
from twisted_mail_node.testing.queue_contract import QueueContract
from twisted_mail_node.testing.store_contract import (
    MetadataContract,
    QuotaContract,
    RestoringContract,
    SharingContract,
    StoreContract,
)

from .postgres import database

pytestmark = pytest.mark.postgres


@pytest.fixture
def backend(postgres_databases, tmp_path):
    dsn = database(postgres_databases).dsn
    reactor = SteeredReactor()

    def open_store():
        return PostgresStore(dsn, reactor=reactor, tree=Tree(tmp_path / "maildir"))

    store = open_store()
    backend = Backend(reactor, store, store, store, store, reopen=open_store)
    backend.start()
    yield backend
    backend.stop()
    assert reactor.getDelayedCalls() == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("mail store")] == []


class TestStore(StoreContract, RestoringContract, MetadataContract, SharingContract, QuotaContract):
    pass


class TestQueue(QueueContract):
    pass


class TestDirectory(DirectoryContract):
    pass


class TestLock(LockContract):
    pass
