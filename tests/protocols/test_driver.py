"""The driver: order, backpressure both ways, time, farewell. With a toy engine whose lines are its events."""

from __future__ import annotations

import gc
import weakref
from functools import partial

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from twisted_mail_node.protocols.driver import LAST_WORDS_SECONDS, TURN_SECONDS, Driver
from twisted_mail_node.wire.buffer import LineBuffer
from twisted_mail_node.wire.wait import Wait


class LineEngine:
    def __init__(self):
        self.buffer = LineBuffer(1000)
        self.waiting = False
        self.closed = False

    def receive_data(self, data):
        self.buffer.feed(data)

    def next_event(self):
        if self.waiting or self.closed:
            return Wait.PAUSED
        line = self.buffer.take_line()
        if line is None:
            return Wait.NEED_DATA
        self.waiting = True
        return line

    def send(self, reply):
        self.waiting = False
        self.closed = reply == b"bye"
        return reply + b"\n"


class EchoSession:
    def __init__(self, engine):
        self.engine = engine
        self.late = []
        self.gone = 0

    def answer(self, event):
        if event == b"raise":
            raise RuntimeError("bug")
        if event.startswith(b"late"):
            return self.answer_late(event)
        return self.engine.send(event)

    async def answer_late(self, event):
        self.late.append(Deferred())
        await self.late[-1]
        return self.engine.send(event)

    def timed_out(self):
        return b"too long\n"

    def broke(self, failure):
        return self.engine.send(b"broke")

    def disconnected(self):
        self.gone += 1


class Transport(StringTransport):
    """Remembers how it was closed; reading can be paused."""

    aborted = False

    def abortConnection(self):  # noqa: N802
        self.aborted = True

    def loseConnection(self):  # noqa: N802
        self.disconnecting = True


class Line:
    def __init__(self, **options):
        self.clock = Clock()
        self.engine = LineEngine()
        self.session = EchoSession(self.engine)
        self.driver = Driver(self.engine, self.session, self.clock, **options)
        self.transport = Transport()
        self.driver.connected(self.transport)

    def say(self, data):
        self.driver.data_received(data)
        return self.heard()

    def heard(self):
        data = self.transport.value()
        self.transport.clear()
        return data


@pytest.fixture
def line():
    return Line()


def test_pipelined_lines_are_answered_in_order_though_one_answer_is_late(line):
    assert line.say(b"a\r\nlate b\r\nc\r\n") == b"a\n"
    assert line.driver.is_answering
    line.session.late[0].callback(None)
    assert line.heard() == b"late b\nc\n"
    assert not line.driver.is_answering


def test_a_late_answer_that_is_there_at_once_keeps_the_order(line):
    line.session.answer_late = lambda event: at_once(line.engine.send(event))
    assert line.say(b"late a\r\nb\r\n") == b"late a\nb\n"


async def at_once(value):
    return value


def test_what_a_session_writes_itself_comes_after_what_was_answered_before(line):
    async def in_slices(event):
        line.driver.write(b"first ")
        await line.driver.drained()
        return line.engine.send(event)

    line.session.answer_late = in_slices
    assert line.say(b"a\r\nlate b\r\nc\r\n") == b"a\nfirst late b\nc\n"


def test_answers_that_come_at_once_stop_when_the_peer_does_not_take_them():
    class Full(Transport):
        def write(self, data):
            super().write(data)
            self.producer.pauseProducing()

    line = Line()
    line.transport = Full()
    line.driver.connected(line.transport)
    line.session.answer = lambda event: line.engine.send(event * 50_000)
    heard = line.say(b"a\r\nb\r\nc\r\nd\r\ne\r\n")
    assert heard == b"a" * 50_000 + b"\n" + b"b" * 50_000 + b"\n"
    line.driver.resumeProducing()
    assert line.heard() == b"c" * 50_000 + b"\n" + b"d" * 50_000 + b"\n"
    line.driver.resumeProducing()
    assert line.heard() == b"e" * 50_000 + b"\n"


def test_others_have_their_turn_however_much_a_peer_sends_at_once(line):
    taking_time = line.session.answer
    answered = []

    def answer(event):
        line.clock.rightNow += TURN_SECONDS / 4
        answered.append(event)
        return taking_time(event)

    line.session.answer = answer
    line.say(b"a\r\n" * 10)
    assert len(answered) == 4
    line.say(b"b\r\n")
    assert len(answered) == 4
    between = []
    line.clock.callLater(0, lambda: between.append(len(answered)))
    line.clock.advance(0)
    assert between == [8]
    assert answered == [b"a"] * 10 + [b"b"]
    assert line.clock.getDelayedCalls() == []


def take_a_turn(line, event):
    line.clock.rightNow += TURN_SECONDS
    return line.engine.send(event)


def test_a_peer_that_goes_between_two_turns_is_not_answered_any_more(line):
    line.session.answer = partial(take_a_turn, line)
    assert line.say(b"a\r\nb\r\n") == b"a\n"
    line.driver.connection_lost(connectionDone)
    assert line.clock.getDelayedCalls() == []
    assert line.heard() == b""
    assert line.session.gone == 1


def test_reading_stops_while_too_much_waits_for_the_next_turn():
    line = Line(input_limit_octets=100)
    line.session.answer = partial(take_a_turn, line)
    line.say(b"a\r\nb\r\n")
    line.say(b"x\r\n" * 60)
    assert line.transport.producerState == "paused"
    while line.clock.getDelayedCalls():
        line.clock.advance(0)
    assert line.transport.producerState == "producing"


def test_a_long_answer_lets_others_have_their_turn_though_the_peer_takes_it_at_once(line):
    slices = []

    async def answer(event):
        for number in range(6):
            line.clock.rightNow += TURN_SECONDS / 2
            slices.append(number)
            await line.driver.drained()
        return line.engine.send(event)

    line.session.answer = answer
    assert line.say(b"a\r\n") == b""
    between = []
    line.clock.callLater(0, lambda: between.append(len(slices)))
    line.clock.advance(0)
    assert between == [4]
    assert line.heard() == b"a\n"
    assert line.clock.getDelayedCalls() == []


def test_a_peer_that_goes_while_others_have_their_turn_ends_the_answer(line):
    async def answer(event):
        line.clock.rightNow += TURN_SECONDS
        await line.driver.drained()

    line.session.answer = answer
    line.say(b"a\r\n")
    line.driver.connection_lost(connectionDone)
    assert line.clock.getDelayedCalls() == []
    assert line.session.gone == 1


def test_the_engine_ends_the_connection(line):
    assert line.say(b"bye\r\nmore\r\n") == b"bye\n"
    assert line.transport.disconnecting
    line.driver.connection_lost(connectionDone)
    line.driver.connection_lost(connectionDone)
    assert line.session.gone == 1
    assert line.clock.getDelayedCalls() == []


def test_a_bug_is_logged_and_answered(line, logged_failures):
    assert line.say(b"raise\r\nb\r\n") == b"broke\nb\n"
    assert [failure.type for failure in logged_failures] == [RuntimeError]
    logged_failures.clear()


def test_a_bug_in_a_late_answer_is_logged_and_answered(line, logged_failures):
    line.say(b"late a\r\nb\r\n")
    line.session.late[0].errback(RuntimeError("bug"))
    assert line.heard() == b"broke\nb\n"
    logged_failures.clear()


def test_a_peer_that_leaves_while_an_answer_is_thought_of_leaves_nothing_behind(line):
    line.driver.set_timeout(60)
    line.say(b"late a\r\n")
    line.driver.connection_lost(connectionDone)
    assert line.heard() == b""
    assert line.clock.getDelayedCalls() == []
    assert line.session.gone == 1


def test_reading_stops_while_too_much_waits():
    line = Line(input_limit_octets=100)
    line.say(b"late a\r\n")
    line.say(b"x\r\n" * 30)
    assert line.transport.producerState == "producing"
    line.say(b"x\r\n" * 30)
    assert line.transport.producerState == "paused"
    line.session.late[0].callback(None)
    assert line.heard() == b"late a\n" + b"x\n" * 60
    assert line.transport.producerState == "producing"


def test_no_event_is_answered_while_the_peer_does_not_read(line):
    line.driver.pauseProducing()
    assert line.say(b"a\r\nb\r\n") == b""
    drained = line.driver.drained()
    assert not drained.called
    line.driver.resumeProducing()
    assert drained.called
    assert line.heard() == b"a\nb\n"


def test_nothing_is_read_while_the_peer_does_not_read(line):
    line.driver.pauseProducing()
    assert line.transport.producerState == "paused"
    line.driver.resumeProducing()
    assert line.transport.producerState == "producing"


def test_nothing_is_read_while_the_peer_does_not_read_and_an_answer_is_thought_of(line):
    line.say(b"late a\r\n")
    line.driver.pauseProducing()
    assert line.transport.producerState == "paused"
    line.driver.resumeProducing()
    assert line.transport.producerState == "producing"


def test_the_peers_end_is_read_though_it_does_not_read_ours(line):
    line.driver.pauseProducing()
    line.driver.close(b"bye")
    assert line.transport.producerState == "producing"


def test_a_peer_that_reads_nothing_is_cut_off():
    line = Line(write_stall_seconds=300)
    line.driver.pauseProducing()
    drained = line.driver.drained()
    failed = []
    drained.addErrback(failed.append)
    line.clock.advance(299)
    assert not line.transport.aborted
    line.clock.advance(1)
    assert line.transport.aborted
    line.driver.connection_lost(connectionDone)
    assert failed[0].check(ConnectionDone)


def test_a_silent_peer_is_told_and_closed(line):
    line.driver.set_timeout(60)
    line.clock.advance(59)
    line.say(b"a\r\n")
    line.clock.advance(59)
    assert not line.transport.disconnecting
    line.clock.advance(1)
    assert line.heard() == b"too long\n"
    assert line.transport.disconnecting


def test_time_does_not_run_while_we_are_the_one_who_thinks(line):
    line.driver.set_timeout(60)
    line.say(b"late a\r\n")
    for _ in range(5):
        line.clock.advance(50)
    line.session.late[0].callback(None)
    line.clock.advance(59)
    assert not line.transport.disconnecting
    line.clock.advance(60)
    assert line.transport.disconnecting


def test_a_peer_that_takes_nothing_is_silent_as_well(line):
    line.driver.set_timeout(60)
    line.driver.pauseProducing()
    line.clock.advance(59)
    assert not line.transport.disconnecting
    line.clock.advance(1)
    assert line.transport.disconnecting
    line.clock.advance(LAST_WORDS_SECONDS)
    assert line.transport.aborted


def test_a_peer_that_takes_what_was_written_has_its_time_anew(line):
    line.driver.set_timeout(60)
    line.driver.pauseProducing()
    line.clock.advance(59)
    line.driver.resumeProducing()
    line.clock.advance(59)
    assert not line.transport.disconnecting


def test_a_shorter_timeout_takes_the_place_of_a_longer_one(line):
    line.driver.set_timeout(600)
    line.driver.set_timeout(10)
    line.clock.advance(10)
    assert line.transport.disconnecting


def test_no_timeout_means_for_ever(line):
    line.driver.set_timeout(10)
    line.driver.set_timeout(None)
    line.clock.advance(1000)
    assert not line.transport.disconnecting


def test_finish_lets_an_answer_be_given_first(line):
    line.say(b"late a\r\nb\r\n")
    line.driver.finish(b"shutting down\n")
    assert not line.transport.disconnecting
    line.session.late[0].callback(None)
    assert line.heard() == b"late a\nshutting down\n"
    assert line.transport.disconnecting


def test_finish_closes_an_idle_connection_at_once(line):
    line.driver.finish(b"shutting down\n")
    assert line.heard() == b"shutting down\n"
    assert line.transport.disconnecting


def test_last_words_that_nobody_takes_do_not_keep_the_connection(line):
    line.driver.close(b"bye\n")
    line.clock.advance(LAST_WORDS_SECONDS)
    assert line.transport.aborted


def test_drained_fails_once_the_peer_has_gone(line):
    line.driver.connection_lost(connectionDone)
    failed = []
    line.driver.drained().addErrback(failed.append)
    assert isinstance(failed[0], Failure)
    line.driver.write(b"nothing")
    assert line.heard() == b""


def test_a_connection_that_is_gone_is_freed_without_the_collector(line):
    session = weakref.ref(line.session)
    gc.disable()
    try:
        line.say(b"a\r\n")
        line.driver.connection_lost(connectionDone)
        del line.session
        assert session() is None
    finally:
        gc.enable()


def test_a_bug_after_the_peer_has_gone_is_logged_and_asks_nobody_for_words(line, logged_failures):
    line.session.answer_late = lambda event: unfinished
    unfinished = Deferred(lambda _: unfinished.errback(RuntimeError("bug")))
    line.say(b"late a\r\n")
    line.driver.connection_lost(connectionDone)
    assert [failure.type for failure in logged_failures] == [RuntimeError]
    assert line.heard() == b""
    logged_failures.clear()
