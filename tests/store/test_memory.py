from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.queue import IQueueStore
from twisted_mail_node.interfaces.store import IDirectory, IMaildropLock, IMailStore
from twisted_mail_node.store.memory import MemoryStore


@pytest.mark.parametrize("door", [IMailStore, IQueueStore, IMaildropLock, IDirectory])
def test_the_store_provides_every_door(door):
    assert verifyObject(door, MemoryStore(Clock()))
