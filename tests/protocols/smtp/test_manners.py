"""Delays, limits and times of a session, as a client meets them."""

from __future__ import annotations

import gc
import weakref
from functools import partial

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.logger import formatEvent

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.testing.connections import MemoryTransport

STRANGER = IPv4Address("TCP", "192.0.2.9", 40000)
HELLO = b"EHLO c.test\r\n"
MAIL = b"MAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\nDATA\r\n"
MESSAGE = b"Subject: x\r\n\r\ntext\r\n"


def stranger(site, **settings):
    return site.connections(transport=lambda name: MemoryTransport(STRANGER), **settings)()


def greeted(site, **settings):
    connection = stranger(site, **settings)
    connection.say(HELLO)
    return connection


def codes(output):
    return [int(line[:3]) for line in output.splitlines() if line[3:4] != b"-"]


def waits(site, connection, seconds):
    """Nothing is said before so many seconds have passed; gives what is said then."""
    site.clock.advance(seconds - 0.01)
    assert connection.take() == b""
    site.clock.advance(0.02)
    return connection.take()


# -- the greeting -----------------------------------------------------------------------------------------------------


def test_a_stranger_waits_for_the_greeting(site):
    connection = stranger(site, greeting_delay_seconds=2.0)
    assert waits(site, connection, 2.0) == b"220 mx.a.test ESMTP ready\r\n"
    assert codes(connection.say(HELLO)) == [250]


def test_who_is_trusted_does_not(site):
    assert site.connections(greeting_delay_seconds=2.0)().take().startswith(b"220 ")


@pytest.mark.parametrize("piece", [b"E", HELLO, HELLO + MAIL])
def test_who_speaks_before_the_greeting_is_refused_and_may_leave(site, piece, logged):
    connection = stranger(site, greeting_delay_seconds=2.0)
    site.clock.advance(1)
    connection.feed(piece)
    assert waits(site, connection, 1.0).startswith(b"554 5.5.1 you spoke before the greeting\r\n")
    [event] = [event for event in logged if event.get("stage") == "connection"]
    assert (event["peer"], event["reply"].code) == ("192.0.2.9", 554)
    connection.say(b"\r\n")
    assert codes(connection.say(MAIL)) == [503, 503, 503]
    assert codes(connection.say(b"QUIT\r\n")) == [221]
    assert connection.closed


def test_what_is_said_before_the_greeting_is_not_gathered_without_end(site):
    connection = stranger(site, greeting_delay_seconds=2.0)
    for _ in range(3):
        connection.feed(b"x" * 40_000)
    assert connection.transport.producerState == "paused"
    connection.drop()


def test_who_leaves_before_the_greeting_leaves_nothing_behind(site):
    stranger(site, greeting_delay_seconds=2.0).drop()
    assert site.clock.getDelayedCalls() == []


# -- mistakes ---------------------------------------------------------------------------------------------------------


def test_mistakes_are_answered_later_and_later_and_the_last_one_ends_the_session(site):
    connection = greeted(site, max_errors=5, errors_before_delay=2)
    assert codes(connection.say(b"WHAT\r\n" * 3)) == [500, 500]
    assert codes(waits(site, connection, 1)) == [500]
    connection.feed(b"WHAT\r\nWHAT\r\n")
    assert codes(waits(site, connection, 2)) == [500, 421]
    assert connection.closed
    assert site.clock.getDelayedCalls() == []


def test_a_refused_sender_counts_as_a_mistake_and_waits(site):
    connection = greeted(site, errors_before_delay=0, max_message_size=1000)
    connection.feed(b"MAIL FROM:<s@c.test> SIZE=2000\r\n")
    assert codes(waits(site, connection, 1)) == [552]
    connection.drop()


def test_others_are_answered_while_one_waits(site):
    waiting = greeted(site, errors_before_delay=0)
    assert waiting.say(b"WHAT\r\nNOOP\r\n") == b""
    other = greeted(site)
    assert codes(other.say(b"NOOP\r\n")) == [250]
    site.clock.advance(1)
    assert codes(waiting.take()) == [500, 250]


def test_who_leaves_while_it_waits_leaves_nothing_behind(site):
    connection = greeted(site, errors_before_delay=0)
    connection.feed(b"WHAT\r\n")
    connection.drop()
    assert site.clock.getDelayedCalls() == []


def test_a_node_that_stops_gives_the_answer_that_waits_and_then_says_so(site):
    connection = greeted(site, errors_before_delay=0)
    connection.feed(b"WHAT\r\n")
    connection.protocol._session.end()
    assert codes(connection.take()) == [500, 421]
    assert connection.closed


def test_a_node_that_stops_greets_nobody_for_long(site):
    connection = stranger(site, greeting_delay_seconds=2.0)
    connection.protocol._session.end()
    assert codes(connection.take()) == [421]
    assert connection.closed


def test_recipients_refused_without_end_end_the_session(site):
    connection = greeted(site, max_refused_recipients=3)
    connection.feed(b"MAIL FROM:<>\r\n" + b"RCPT TO:<x@a.test>\r\n" * 5)
    assert codes(connection.take()) == [250, 550, 550, 550, 421]
    assert connection.closed


# -- commands and messages --------------------------------------------------------------------------------------------


def test_commands_that_lead_to_no_message_end_the_session(site, logged):
    for settings in ({"max_idle_commands": 5}, {"max_commands": 6}):
        connection = greeted(site, **settings)
        assert codes(connection.say(b"NOOP\r\nRSET\r\n" * 3)) == [250, 250, 250, 250, 421]
        assert connection.closed
        assert "too many commands" in formatEvent(logged[-1])


def test_pieces_of_content_are_no_commands(site):
    connection = greeted(site, max_commands=6)
    connection.feed(MAIL)
    for _ in range(10):
        connection.feed(MESSAGE)
    assert codes(connection.say(b".\r\n"))[-1] == 250
    connection.drop()


def test_a_large_message_may_come_in_any_number_of_chunks_that_bring_it_nearer(site):
    chunk = b"x" * 1022 + b"\r\n"
    message = (b"BDAT 1024\r\n" + chunk) * 20 + b"BDAT 0 LAST\r\n"
    connection = greeted(site, max_commands=6)
    assert codes(connection.say(b"MAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\n" + message)) == [250] * 23
    connection.drop()


def test_chunks_of_next_to_nothing_are_commands_like_any_other(site):
    for size in (0, 1, 1023):
        connection = greeted(site, max_commands=6)
        chunks = (b"BDAT %d\r\n" % size + b"x" * size) * 4
        answers = codes(connection.say(b"MAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\n" + chunks))
        assert answers == [250] * 4 + [421]
        assert connection.closed


def test_so_many_messages_and_no_more_come_in_one_connection(site):
    connection = greeted(site, max_messages=2)
    whole = MAIL + MESSAGE + b".\r\n"
    assert codes(connection.say(whole * 2)) == [250, 250, 354, 250] * 2
    assert connection.say(whole) == b"421 4.7.0 too many messages in one connection, begin another\r\n"
    assert connection.closed
    assert len(site.messages("alice@a.test")) == 2


# -- time -------------------------------------------------------------------------------------------------------------


def test_who_does_not_say_hello_is_left(site):
    connection = stranger(site, hello_timeout_seconds=60)
    connection.take()
    site.clock.advance(40)
    connection.feed(b"NOOP\r\n")
    assert codes(connection.take()) == [250]
    site.clock.advance(59)
    assert not connection.closed
    site.clock.advance(1)
    assert connection.take() == b"421 4.4.2 waited too long\r\n"
    assert connection.closed


def test_a_command_that_comes_octet_by_octet_has_no_more_time_than_any(site):
    connection = greeted(site, command_timeout_seconds=300)
    for octet in b"NOOP, but slowly":
        connection.feed(bytes([octet]))
        site.clock.advance(20)
    assert codes(connection.take()) == [421]
    assert connection.closed


def test_a_command_that_is_complete_starts_the_time_anew(site):
    connection = greeted(site, command_timeout_seconds=300)
    for _ in range(5):
        site.clock.advance(299)
        assert codes(connection.say(b"NOOP\r\nNO")) == [250]
        connection.feed(b"OP\r\n")
        connection.take()
    connection.drop()


def test_content_has_a_time_of_its_own_between_its_pieces(site):
    connection = greeted(site, content_timeout_seconds=30, min_content_rate=0)
    connection.say(MAIL)
    for _ in range(100):
        site.clock.advance(29)
        connection.feed(b"x")
    site.clock.advance(30)
    assert codes(connection.take()) == [421]
    assert connection.closed


def test_content_that_drips_is_given_up(site, logged):
    connection = greeted(site, content_timeout_seconds=60, min_content_rate=10)
    connection.say(MAIL)
    for _ in range(6):
        site.clock.advance(20)
        connection.feed(b"x" * 150)  # 7.5 octets a second
    assert not connection.closed
    site.clock.advance(59)
    connection.feed(b"x" * 10)
    assert connection.take() == b"421 4.4.2 the message comes too slowly\r\n"
    assert connection.closed
    [event] = [event for event in logged if "outcome" in event]
    assert (event["outcome"], event["size"]) == ("timed out", 910)


def test_content_that_is_slow_but_fast_enough_is_taken(site):
    connection = greeted(site, content_timeout_seconds=60, min_content_rate=10)
    connection.say(MAIL + b"Subject: x\r\n\r\n")
    for _ in range(100):
        site.clock.advance(20)
        connection.feed(b"x" * 200 + b"\r\n")
    assert codes(connection.say(b".\r\n")) == [250]
    connection.drop()


def test_the_time_that_we_take_with_content_is_not_the_clients(site):
    full: list[Deferred[None]] = []
    begin = site.intake.begin

    def slow_sink(envelope):
        sink = begin(envelope)
        return Slow(sink, full)

    site.intake.begin = slow_sink
    connection = greeted(site, content_timeout_seconds=60, min_content_rate=10)
    connection.say(MAIL + b"Subject: x\r\n\r\n")
    for _ in range(5):
        site.clock.advance(1000)
        full.pop().callback(None)
        connection.feed(b"text\r\n")
    full.pop().callback(None)
    connection.feed(b".\r\n")
    full.pop().callback(None)
    assert codes(connection.take()) == [250]
    connection.drop()


class Slow:
    """A sink that is always busy."""

    def __init__(self, sink, full):
        self.id, self.finish, self.abort = sink.id, sink.finish, sink.abort
        self._write, self._full = sink.write, full

    def write(self, data):
        self._write(data)
        self._full.append(Deferred())
        return self._full[-1]


def test_lmtp_knows_none_of_these_delays(site):
    connection = stranger(site, service=Service.LMTP, greeting_delay_seconds=2, errors_before_delay=0, max_messages=1)
    assert codes(connection.take()) == [220]
    assert codes(connection.say(b"LHLO c\r\nWHAT\r\n")) == [250, 500]
    say = partial(connection.say, MAIL + MESSAGE + b".\r\n")
    assert [codes(say())[-1] for _ in range(3)] == [250, 250, 250]
    connection.drop()


# -- when it is over --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", HELLO + MAIL + MESSAGE, HELLO + MAIL + MESSAGE + b".\r\n", HELLO + b"WHAT\r\n"])
def test_a_session_that_is_over_is_freed_without_the_collector(site, said):
    connection = stranger(site)
    connection.say(said)
    session = weakref.ref(connection.protocol._session)
    gc.disable()
    try:
        connection.drop()
        del connection
        assert session() is None
    finally:
        gc.enable()
