"""Waiting for Deferreds where no reactor runs."""

import os

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from twisted_mail_node.node.blocking import wait_for


def test_a_result_that_is_there_is_given():
    async def work(reactor):
        return await succeed(3)

    assert wait_for(work) == 3


def test_timers_and_threads_work():
    async def work(reactor):
        pool = ThreadPool(0, 1)
        pool.start()
        await deferLater(reactor, 0.001)
        result = await deferToThreadPool(reactor, pool, lambda: "from a thread")
        pool.stop()
        return result

    assert wait_for(work) == "from a thread"


def test_what_is_raised_comes_out():
    async def work(reactor):
        await deferLater(reactor, 0)
        raise LookupError("not here")

    with pytest.raises(LookupError, match="not here"):
        wait_for(work)


def test_what_ends_in_the_very_turn_in_which_nothing_more_will_happen_ends():
    async def work(reactor):
        told = Deferred()
        reactor.callFromThread(told.callback, "told")
        return await told

    assert wait_for(work) == "told"


def test_no_file_descriptor_is_left():
    async def work(reactor):
        await deferLater(reactor, 0)

    wait_for(work)
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        wait_for(work)
    assert len(os.listdir("/proc/self/fd")) == len(before)
