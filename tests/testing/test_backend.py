from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.selectreactor import SelectReactor
from zope.interface import directlyProvides, providedBy

from twisted_mail_node.interfaces.store import IAccount, IBodyWriter, IMailbox, IOpenBody
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing import backend as kit
from twisted_mail_node.testing.backend import Backend, RealReactor, SteeredReactor, on_backend
from twisted_mail_node.testing.directory_contract import DirectoryContract
from twisted_mail_node.testing.lock_contract import LockContract
from twisted_mail_node.testing.queue_contract import QueueContract
from twisted_mail_node.testing.store_contract import StoreContract

OWN_REACTOR = SelectReactor()
INNER_DOORS = (IAccount, IMailbox, IOpenBody, IBodyWriter)


class Late:
    """A door whose answers come later, out of a thread, as those of a database do."""

    def __init__(self, door, reactor, threads):
        directlyProvides(self, providedBy(door))
        self._door, self._reactor, self._threads = door, reactor, threads

    def __getattr__(self, name):
        attribute = getattr(self._door, name)
        if not callable(attribute):
            return attribute

        def call(*args, **kwargs):
            result = attribute(*args, **kwargs)
            if not isinstance(result, Deferred):
                return self._wrapped(result)
            later = Deferred()
            result.addBoth(self._wrapped)
            result.addBoth(lambda value: self._threads.submit(self._reactor.callFromThread, later.callback, value))
            return later

        return call

    def _wrapped(self, value):
        is_door = any(door.providedBy(value) for door in INNER_DOORS)
        return Late(value, self._reactor, self._threads) if is_door else value


def late_backend(reactor):
    threads = ThreadPoolExecutor(2)
    store = Late(MemoryStore(reactor), reactor, threads)
    backend = Backend(reactor, store, store, store, store)
    backend.start()
    yield backend
    backend.stop()
    threads.shutdown()


class TestContractsAnsweredByThreads(StoreContract, QueueContract, DirectoryContract, LockContract):
    @pytest.fixture
    def backend(self):
        yield from late_backend(SteeredReactor())


class TestContractsUnderARealReactor(LockContract, DirectoryContract):
    @pytest.fixture
    def backend(self):
        yield from late_backend(RealReactor(OWN_REACTOR))


async def awaited(deferred):
    return await deferred


@pytest.fixture
def idle():
    return Backend(SteeredReactor(), None)


def test_a_story_returns_what_it_returns(idle):
    assert idle.run(awaited(succeed(7))) == 7


def test_a_story_fails_as_it_fails(idle):
    with pytest.raises(ZeroDivisionError):
        idle.run(awaited(fail(ZeroDivisionError())))


def test_time_passes_only_when_told(idle):
    before = idle.now
    calls = []
    idle.reactor.callLater(10, calls.append, "late")
    idle.run(awaited(idle.reactor.turn()))
    assert (idle.now, calls) == (before, [])
    idle.advance(10)
    assert (idle.now, calls) == (before + 10, ["late"])


def test_what_is_waited_for_may_come_by_the_clock_or_from_a_thread(idle):
    seen = []
    idle.reactor.callLater(0, seen.append, "clock")
    thread = threading.Thread(target=idle.reactor.callFromThread, args=(seen.append, "thread"))
    thread.start()
    idle.run(idle.until(lambda: len(seen) == 2))
    thread.join()
    assert sorted(seen) == ["clock", "thread"]


@pytest.mark.parametrize("reactor", [SteeredReactor(), RealReactor(OWN_REACTOR)])
def test_a_deferred_that_never_fires_fails_the_test(reactor, monkeypatch):
    monkeypatch.setattr(kit, "PATIENCE_SECONDS", 0.01)
    never = Deferred()
    with pytest.raises(AssertionError, match="fired"):
        Backend(reactor, None).run(awaited(never))
    never.addErrback(lambda failure: failure.trap(CancelledError))
    never.cancel()


def test_what_never_happens_fails_the_test(idle, monkeypatch):
    monkeypatch.setattr(kit, "PATIENCE_SECONDS", 0.02)
    with pytest.raises(AssertionError, match="never happened"):
        idle.run(idle.until(lambda: False))


@pytest.mark.parametrize("door", ["queue", "locks", "directory"])
def test_a_door_that_is_missing_is_named(idle, door):
    with pytest.raises(AssertionError, match="provides no"):
        getattr(idle, door)


def test_a_story_needs_the_fixture():
    @on_backend
    async def story(backend):
        raise AssertionError("not reached")

    with pytest.raises(AssertionError, match="fixture"):
        story(backend=None)
