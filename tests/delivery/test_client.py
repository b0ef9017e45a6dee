"""The client's session on a fake transport and clock: time limits, backpressure, the end of connections."""

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from twisted_mail_node.delivery.client import PIECE_OCTETS, SMTPConnection, TimeLimits
from twisted_mail_node.mail.address import Address
from twisted_mail_node.wire.smtp.client_events import Addressed, Introduced, Message, SessionEnded, Step

MESSAGE = Message(Address("s", "a.test"), [Addressed(Address("r", "b.test"))], 10)


class Transport(StringTransport):
    aborted = False

    def abortConnection(self):  # noqa: N802
        self.aborted = True


class Body:
    def __init__(self, content):
        self.content, self.size, self.closed, self.read_up_to = content, len(content), False, 0

    def read(self, offset, length):
        self.read_up_to = offset + length
        return succeed(self.content[offset : offset + length])

    def close(self):
        self.closed = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def connection(clock):
    made = SMTPConnection("me.test", clock, TimeLimits())
    made.makeConnection(Transport())
    return made


def now(deferred):
    out = []
    deferred.addBoth(out.append)
    return getattr(out[0], "value", out[0]) if out else None


def ready(connection, *extensions):
    offered = b"".join(b"250-%s\r\n" % extension for extension in extensions)
    connection.dataReceived(b"220 hi\r\n250-mx\r\n" + offered + b"250 PIPELINING\r\n")
    assert now(connection.event()) == Introduced()
    connection.transport.clear()


def sending(connection, content=b"x\r\n", *answers):
    body = Body(content)
    ended = Deferred.fromCoroutine(connection.send(MESSAGE, lambda: succeed(body)))
    for answer in answers:
        connection.dataReceived(answer)
    return body, ended


GO = b"250 ok\r\n250 ok\r\n354 go\r\n"


@pytest.mark.parametrize(
    ("answers", "step", "seconds"),
    [
        ([], Step.GREETING, 300),
        ([b"220 hi\r\n"], Step.HELLO, 300),
    ],
)
def test_each_step_of_the_introduction_has_its_time(clock, connection, answers, step, seconds):
    event = connection.event()
    for answer in answers:
        clock.advance(200)
        connection.dataReceived(answer)
    clock.advance(seconds - 1)
    assert not event.called
    clock.advance(1)
    ended = now(event)
    assert isinstance(ended, SessionEnded)
    assert (ended.step, str(ended.reply.status)) == (step, "4.4.2")
    assert connection.transport.aborted


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([], 300),
        ([b"250 ok\r\n"], 300),
        ([b"250 ok\r\n", b"250 ok\r\n"], 120),
        ([GO], 600),
    ],
)
def test_each_step_of_a_transaction_has_its_time(clock, connection, answers, seconds):
    ready(connection)
    _, ended = sending(connection)
    for answer in answers:
        clock.advance(100)
        connection.dataReceived(answer)
    clock.advance(seconds - 1)
    assert not ended.called
    clock.advance(1)
    (reply,) = now(ended).results
    assert str(reply.status) == "4.4.2"
    assert f"{seconds} seconds" in reply.lines[0]


def test_octets_without_a_reply_do_not_buy_time(clock, connection):
    event = connection.event()
    for _ in range(30):
        clock.advance(10)
        connection.dataReceived(b"220-more\r\n")
    assert event.called


def test_an_idle_connection_has_no_time_limit_of_its_own(clock, connection):
    ready(connection)
    clock.advance(10_000)
    assert not connection.transport.aborted


def test_no_timer_is_left_when_the_connection_is_gone(clock, connection):
    event = connection.event()
    connection.connectionLost(Failure(ConnectionDone()))
    assert isinstance(now(event), SessionEnded)
    assert not clock.getDelayedCalls()


def test_a_lost_connection_tells_at_which_step_and_says_nothing_in_the_servers_name(connection):
    event = connection.event()
    connection.connectionLost(Failure(ConnectionLost()))
    assert str(now(event).reply) == "connection lost (waiting for greeting)"


def test_a_lost_connection_tells_why(connection):
    event = connection.event()
    connection.connectionLost(Failure(ConnectionLost("reset")))
    assert "reset" in now(event).reply.lines[0]


def test_content_waits_for_the_transport(clock, connection):
    ready(connection)
    body, ended = sending(connection, b"0123456789abcde\n" * 20_000)
    connection.transport.clear()
    # As real transports do: pause the producer as soon as something is written.
    write = connection.transport.write
    connection.transport.write = lambda data: (write(data), connection.pauseProducing())
    connection.dataReceived(GO)
    assert body.read_up_to == PIECE_OCTETS
    connection.resumeProducing()
    assert body.read_up_to == 2 * PIECE_OCTETS
    clock.advance(179)
    connection.resumeProducing()
    clock.advance(179)
    assert not connection.transport.aborted
    clock.advance(1)
    assert connection.transport.aborted
    connection.connectionLost(Failure(ConnectionDone()))
    (reply,) = now(ended).results
    assert "180 seconds" in reply.lines[0]
    assert body.closed


def test_a_connection_lost_in_the_midst_of_content_ends_the_sending(connection):
    ready(connection)
    body, ended = sending(connection, b"0123456789abcde\n" * 20_000)
    write = connection.transport.write
    connection.transport.write = lambda data: (write(data), connection.pauseProducing())
    connection.dataReceived(GO)
    connection.connectionLost(Failure(ConnectionDone()))
    assert str(now(ended).results[0].status) == "4.4.2"
    assert not now(ended)
    assert body.closed


def test_chunks_wait_for_the_transport_and_not_for_their_answers(connection):
    ready(connection, b"CHUNKING")
    body, ended = sending(connection, b"0123456789abcd\r\n" * 10_000)
    connection.transport.clear()
    write = connection.transport.write
    connection.transport.write = lambda data: (write(data), connection.pauseProducing())
    connection.dataReceived(b"250 ok\r\n250 ok\r\n")
    assert body.read_up_to == PIECE_OCTETS
    connection.dataReceived(b"250 one\r\n")
    assert body.read_up_to == PIECE_OCTETS
    for _ in range(2):
        connection.resumeProducing()
    assert b"BDAT 28928 LAST\r\n" in connection.transport.value()
    connection.dataReceived(b"250 two\r\n250 taken\r\n")
    (reply,) = now(ended).results
    assert reply.lines == ("taken",)
    assert body.closed


def test_an_answer_to_a_chunk_that_comes_while_the_next_is_read_is_not_taken_for_the_end(clock):
    connection = SMTPConnection("me.test", clock, TimeLimits())
    connection.makeConnection(Transport())
    connection.dataReceived(b"220 hi\r\n250-mx\r\n250 CHUNKING\r\n")
    assert now(connection.event()) == Introduced()
    body = Body(b"0123456789abcd\r\n" * 10_000)
    ended = Deferred.fromCoroutine(connection.send(MESSAGE, lambda: succeed(body)))
    reading, read = [], body.read
    body.read = lambda *where: read(*where) if not where[0] else reading.append((Deferred(), where)) or reading[-1][0]
    connection.dataReceived(b"250 ok\r\n")
    connection.dataReceived(b"250 ok\r\n")
    for answer in (b"250 one\r\n", b"250 two\r\n"):
        connection.dataReceived(answer)
        deferred, where = reading.pop()
        deferred.callback(now(read(*where)))
        assert not ended.called
    connection.dataReceived(b"250 taken\r\n")
    (reply,) = now(ended).results
    assert reply.lines == ("taken",)


def test_a_message_that_the_server_cannot_have_is_refused_without_waiting(clock, connection):
    ready(connection, b"SIZE 5")
    _, ended = sending(connection)
    (reply,) = now(ended).results
    assert (reply.code, str(reply.status)) == (552, "5.3.4")
    assert connection.transport.value() == b""
    assert connection.engine.step is Step.IDLE


def test_a_connection_lost_while_the_body_is_opened_sends_nothing(connection):
    ready(connection)
    opening, body = Deferred(), Body(b"x\r\n")
    ended = Deferred.fromCoroutine(connection.send(MESSAGE, lambda: opening))
    connection.dataReceived(GO)
    connection.transport.clear()
    connection.connectionLost(Failure(ConnectionDone()))
    opening.callback(body)
    assert str(now(ended).results[0].status) == "4.4.2"
    assert body.closed
    assert connection.transport.value() == b""


def test_giving_up_drops_the_connection(connection):
    ready(connection)
    _, ended = sending(connection)
    ended.cancel()
    assert isinstance(now(ended), CancelledError)
    assert connection.transport.aborted
    connection.connectionLost(Failure(ConnectionDone()))


def test_an_idle_session_that_the_server_ends_is_closed(connection):
    ready(connection)
    connection.dataReceived(b"421 4.3.2 bye\r\n")
    assert connection.engine.step is Step.OVER
    assert connection.transport.aborted


def test_close_says_quit_and_waits_a_little_for_the_answer(clock, connection):
    ready(connection)
    closed = connection.close()
    assert connection.transport.value() == b"QUIT\r\n"
    connection.dataReceived(b"221 bye\r\n")
    assert connection.transport.disconnecting
    assert not closed.called
    connection.connectionLost(Failure(ConnectionDone()))
    assert closed.called
    assert connection.close().called


def test_close_does_not_wait_for_a_server_that_says_nothing(clock, connection):
    ready(connection)
    connection.close()
    clock.advance(5)
    assert connection.transport.aborted


def test_close_in_the_midst_of_something_is_abrupt(connection):
    connection.close()
    assert connection.transport.aborted
