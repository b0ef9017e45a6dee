"""The executor: bounds, order, results. With a reactor that keeps what threads hand it."""

from __future__ import annotations

import queue
import threading

import pytest
from twisted.internet.defer import CancelledError

from twisted_mail_node.auth.threads import HashingThreads
from twisted_mail_node.mail.errors import TemporaryFailure, Unavailable


class Reactor:
    def __init__(self):
        self.calls = queue.Queue()

    def callFromThread(self, function, *arguments):  # noqa: N802
        self.calls.put((function, arguments))

    def run_one(self):
        function, arguments = self.calls.get(timeout=10)
        function(*arguments)


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def threads(reactor):
    threads = HashingThreads(reactor, at_once=1, waiting=1)
    threads.start()
    yield threads
    threads.stop()


def test_result_comes_back_in_the_reactor(threads, reactor, result_of):
    names = []
    result = threads.run(lambda: names.append(threading.current_thread().name) or 42)
    assert not result.called
    reactor.run_one()
    assert result_of(result) == 42
    assert names[0].startswith("PoolThread-passwords")


def test_failure_comes_back(threads, reactor, result_of):
    result = threads.run(lambda: 1 / 0)
    reactor.run_one()
    with pytest.raises(ZeroDivisionError):
        result_of(result)


def test_what_is_too_much_is_refused(threads, reactor, result_of):
    gate = threading.Event()
    results = [threads.run(gate.wait), threads.run(lambda: "second")]
    with pytest.raises(TemporaryFailure):
        result_of(threads.run(lambda: "third"))
    gate.set()
    reactor.run_one()
    reactor.run_one()
    assert [result_of(result) for result in results] == [True, "second"]
    again = threads.run(lambda: "again")
    reactor.run_one()
    assert result_of(again) == "again"


def test_work_given_up_before_it_began_is_not_done(threads, reactor, result_of):
    gate, done = threading.Event(), []
    first = threads.run(gate.wait)
    second = threads.run(lambda: done.append("second"))
    second.cancel()
    with pytest.raises(CancelledError):
        result_of(second)
    gate.set()
    reactor.run_one()
    reactor.run_one()
    assert result_of(first) is True
    assert done == []


def test_nothing_is_taken_while_not_running(reactor, result_of):
    threads = HashingThreads(reactor)
    with pytest.raises(Unavailable):
        result_of(threads.run(lambda: 1))
    threads.start()
    threads.start()
    threads.stop()
    threads.stop()
    with pytest.raises(Unavailable):
        result_of(threads.run(lambda: 1))
