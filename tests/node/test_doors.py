"""What a node makes good of a storage that lacks something."""

from __future__ import annotations

import pytest
from twisted.internet.defer import fail, succeed
from zope.interface import directlyProvides, implementer

from twisted_mail_node.interfaces.required_store import IBasicStore
from twisted_mail_node.node.doors import Doors, Storage, complete
from twisted_mail_node.queue.spool import Spool
from twisted_mail_node.store.completed import AccountDirectory, CompletedStore
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.deferreds import result_of


@implementer(IBasicStore)
class Basic:
    """Enough of a store for its doors to be made."""


@pytest.fixture
def completed(tmp_path):
    reactor = SteeredReactor()
    return lambda *given: complete(Storage(*given), tmp_path / "spool.sqlite", reactor, 1000)


def test_a_store_that_does_everything_is_left_as_it_is(completed):
    memory = MemoryStore(SteeredReactor())
    doors = completed(memory)
    assert (doors.store, doors.entrance, doors.queue, doors.directory) == (memory,) * 4
    assert doors.spool is None


def test_a_store_of_the_required_part_gets_the_rest(completed):
    doors = completed(Basic())
    assert isinstance(doors.store, CompletedStore)
    assert isinstance(doors.directory, AccountDirectory)
    assert isinstance(doors.queue, Spool)
    assert doors.entrance is doors.queue


def test_what_is_given_beside_the_store_is_used(completed):
    memory = MemoryStore(SteeredReactor())
    doors = completed(Basic(), memory, memory)
    assert isinstance(doors.store, CompletedStore)
    assert doors.entrance is doors.store
    assert (doors.queue, doors.directory) == (memory, memory)
    assert isinstance(completed(Basic(), memory).directory, AccountDirectory)


def test_a_store_that_cannot_hold_the_queue_keeps_its_own_directory(completed):
    memory = MemoryStore(SteeredReactor())
    doors = completed(Basic(), None, memory)
    assert isinstance(doors.queue, Spool)
    assert doors.directory is memory


def test_the_store_is_closed_though_the_spool_fails():
    calls = []

    class Part:
        def __init__(self, name, ending):
            self.name, self.ending = name, ending

        def start(self):
            calls.append(f"{self.name} starts")
            return succeed(None)

        def stop(self):
            calls.append(f"{self.name} stops")
            return self.ending

    store, spool = Part("store", succeed(None)), Part("spool", fail(ZeroDivisionError()))
    for part in (store, spool):
        directlyProvides(part, IBasicStore)
    doors = Doors(store=store, entrance=store, queue=store, directory=store, spool=spool)
    result_of(doors.start())
    with pytest.raises(ZeroDivisionError):
        result_of(doors.stop())
    assert calls == ["store starts", "spool starts", "spool stops", "store stops"]
