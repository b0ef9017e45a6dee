from __future__ import annotations

import threading

import apsw
import pytest
from twisted.internet.defer import CancelledError, DeferredList, gatherResults

from twisted_mail_node.mail.errors import TemporaryFailure, Unavailable
from twisted_mail_node.store.sql import readers as readers_module
from twisted_mail_node.store.sql.readers import Readers
from twisted_mail_node.store.sql.sqlite.engine import SQLiteEngine
from twisted_mail_node.store.sql.sqlite.opening import Durability
from twisted_mail_node.testing.samples import transaction


@pytest.fixture
def readers(store):
    return store._machinery.readers


def number(connection):
    return connection.execute("SELECT 7").fetchall()[0][0]


def test_many_reads_are_answered(readers, wait):
    assert wait(gatherResults([readers.read(number) for _ in range(100)])) == [7] * 100


def test_a_read_that_fails_fails_alone(readers, wait):
    def broken(connection):
        raise KeyError("broken")

    def wrong(connection):
        connection.execute("SELECT nothing FROM nowhere")

    results = wait(DeferredList([readers.read(read) for read in (number, broken, wrong, number)], consumeErrors=True))
    assert [success for success, _ in results] == [True, False, False, True]
    assert results[1][1].type is KeyError
    assert results[2][1].type is TemporaryFailure


def test_readers_cannot_write(readers, wait):
    with pytest.raises(TemporaryFailure):
        wait(readers.read(lambda connection: connection.execute("DELETE FROM account")))


def test_a_read_sees_one_moment(store, readers, wait, reactor):
    began, delivered = threading.Event(), threading.Event()

    def count_twice(connection):
        count = "SELECT count(*) FROM committed"
        first = connection.execute(count).fetchall()
        began.set()
        assert delivered.wait(20.0)
        return first == connection.execute(count).fetchall()

    same = readers.read(count_twice)
    began.wait(20.0)
    wait(store.deliver(transaction()))
    delivered.set()
    assert wait(same)


def test_a_read_cancelled_before_its_turn_is_not_run(reactor, wait, path, store):
    hold, ran = threading.Event(), []
    readers = Readers(reactor, SQLiteEngine(path, Durability.FULL), threads=1)
    readers.start()
    first = readers.read(lambda connection: hold.wait(20.0))
    given_up = readers.read(lambda connection: ran.append("given up"))
    last = readers.read(lambda connection: ran.append("last"))
    given_up.cancel()
    hold.set()
    with pytest.raises(CancelledError):
        wait(given_up)
    wait(gatherResults([first, last]))
    assert ran == ["last"]
    wait(readers.stop())


def test_what_waits_at_the_end_fails_and_what_runs_is_finished(reactor, wait, path, store):
    hold, running = threading.Event(), threading.Event()

    def slow(connection):
        running.set()
        return hold.wait(20.0)

    readers = Readers(reactor, SQLiteEngine(path, Durability.FULL), threads=1)
    readers.start()
    first = readers.read(slow)
    running.wait(20.0)
    waiting = readers.read(number)
    stopped = readers.stop()
    hold.set()
    assert wait(first) is True
    for late in (waiting, readers.read(number)):
        with pytest.raises(Unavailable):
            wait(late)
    wait(stopped)


class Unreachable(SQLiteEngine):
    """A database that cannot be opened, until it can."""

    tries = 0
    reachable = False

    def open_reader(self):
        self.tries += 1
        if not self.reachable:
            raise apsw.CantOpenError("not now")
        return super().open_reader()


def test_readers_that_cannot_open_fail_their_reads_until_they_can(reactor, wait, path, store, monkeypatch):
    monkeypatch.setattr(readers_module, "AGAIN_SECONDS", 0.0)
    engine = Unreachable(path, Durability.FULL)
    readers = Readers(reactor, engine, threads=2)
    readers.start()
    for _ in range(3):
        with pytest.raises(TemporaryFailure):
            wait(readers.read(number))
    engine.reachable = True
    assert wait(readers.read(number)) == 7
    wait(readers.stop())


def test_after_a_try_in_vain_reads_fail_without_another(reactor, wait, path):
    engine = Unreachable(path, Durability.FULL)
    readers = Readers(reactor, engine, threads=1)
    readers.start()
    for _ in range(5):
        with pytest.raises(TemporaryFailure):
            wait(readers.read(number))
    assert engine.tries == 1
    wait(readers.stop())
