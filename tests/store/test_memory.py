from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.credentials import IAppPasswords, IVerifierKeeping
from twisted_mail_node.interfaces.queue import IQueueStore
from twisted_mail_node.interfaces.store import IACL, IDirectory, IMaildropLock, IMailStore, IMetadata, IQuota
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.backend import Backend, SteeredReactor
from twisted_mail_node.testing.credentials_contract import AppPasswordContract, VerifierContract
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
def backend():
    reactor = SteeredReactor()
    store = MemoryStore(reactor)
    backend = Backend(reactor, store, store, store, store)
    backend.start()
    yield backend
    backend.stop()
    assert reactor.getDelayedCalls() == []


class TestStore(StoreContract, RestoringContract, MetadataContract, SharingContract, QuotaContract):
    pass


class TestQueue(QueueContract):
    pass


class TestDirectory(DirectoryContract):
    pass


class TestCredentials(AppPasswordContract, VerifierContract):
    pass


class TestLock(LockContract):
    pass


@pytest.mark.parametrize(
    "door",
    [IMailStore, IQueueStore, IMaildropLock, IDirectory, IMetadata, IACL, IVerifierKeeping, IAppPasswords, IQuota],
)
def test_the_store_provides_every_door(door):
    assert verifyObject(door, MemoryStore(SteeredReactor()))
