from __future__ import annotations

import threading

import pytest

from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql import SQLiteStore
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


@pytest.fixture
def backend(tmp_path):
    reactor = SteeredReactor()

    def open_store():
        return SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor, tree=Tree(tmp_path / "maildir"))

    store = open_store()
    backend = Backend(reactor, store, store, store, store, reopen=open_store)
    backend.start()
    yield backend
    backend.stop()
    assert reactor.getDelayedCalls() == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("mail store")] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mail.sqlite",
        "mail.sqlite.lock",
        "maildir",
    ]
    assert list((tmp_path / "maildir" / ".mailnode" / "stage").iterdir()) == []


class TestStore(StoreContract, RestoringContract, MetadataContract, SharingContract, QuotaContract):
    pass


class TestQueue(QueueContract):
    pass


class TestDirectory(DirectoryContract):
    pass


class TestLock(LockContract):
    pass
