"""Asking servers that do not answer as they should, on real sockets."""

import socket

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.logger import globalLogPublisher
from twisted.names import dns

from twisted_mail_node.dns.servers import Servers, _answer_to, system_servers
from twisted_mail_node.mail.errors import TemporaryFailure


def answer_to(data, **changes):
    """A right answer to a question, or one changed in some respect."""
    asked = dns.Message()
    asked.fromStr(data)
    told = dns.Message(id=changes.get("id", asked.id), answer=changes.get("answer", 1), rCode=changes.get("rcode", 0))
    told.queries = [dns.Query(changes.get("name", asked.queries[0].name.name), asked.queries[0].type, dns.IN)]
    told.trunc = changes.get("trunc", 0)
    told.answers = [dns.RRHeader(b"a.test", dns.A, dns.IN, 60, dns.Record_A("192.0.2.1"))]
    if "authority" in changes:
        told.answers, told.authority = [], [changes["authority"]]
    return told.toStr()


class Odd(DatagramProtocol):
    noisy = False

    def __init__(self, answers):
        self.answers = answers

    def datagramReceived(self, data, addr):  # noqa: N802
        for answer in self.answers(data):
            self.transport.write(answer, addr)


class OddStream(Protocol):
    def __init__(self, answer):
        self.answer, self.got = answer, b""

    def dataReceived(self, data):
        self.got += data
        if len(self.got) > 2:
            for octet in self.answer(self.got[2:]):
                self.transport.write(bytes([octet]))
            self.transport.loseConnection()


def sockets_of_one_number():
    """For datagrams and for streams: what is free for one may be taken for the other."""
    while True:
        streams = socket.create_server(("127.0.0.1", 0))
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for one in (streams, datagrams):
            one.setblocking(False)
        try:
            datagrams.bind(streams.getsockname())
        except OSError:
            streams.close()
            datagrams.close()
        else:
            return datagrams, streams


@pytest.fixture
def ask():
    ports, made = [], []

    def asking(answers, stream=None, rounds=(10.0,)):
        datagrams, streams = sockets_of_one_number()
        with datagrams, streams:
            ports.append(reactor.adoptDatagramPort(datagrams.fileno(), socket.AF_INET, Odd(answers)))
            if stream is not None:
                factory = Factory.forProtocol(lambda: OddStream(stream))
                factory.noisy = False
                ports.append(reactor.adoptStreamPort(streams.fileno(), socket.AF_INET, factory))
        address = ("127.0.0.1", ports[0].getHost().port)
        made.append(Servers(reactor, lambda: [address], lambda: 4711, rounds_seconds=rounds, tcp_seconds=10.0))
        return made[-1].ask("a.test", dns.A)

    yield asking
    for one in made:
        pytest_twisted.blockon(one.stop())
    for port in ports:
        pytest_twisted.blockon(port.stopListening())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda data: b"",
        lambda data: b"garbage",
        lambda data: data,  # our own question back
        lambda data: answer_to(data, id=4712),
        lambda data: answer_to(data, name=b"b.test"),
        lambda data: answer_to(data)[:30],
        lambda data: data[:12] + b"\xc0\x0c" * 50,  # a name that points at itself
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_answer_to_the_question_is_disregarded(ask, wrong):
    message = await ask(lambda data: [wrong(data), answer_to(data)])
    assert message.answers[0].payload.dottedQuad() == "192.0.2.1"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"rcode": dns.ESERVER}, "failure 2"),
        ({"rcode": dns.EREFUSED}, "failure 5"),
        ({"authority": dns.RRHeader(b"test", dns.NS, dns.IN, 60, dns.Record_NS("ns.test"))}, "look further"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_know_gives_no_word_and_is_not_asked_twice(ask, changes, word):
    asked = []
    with pytest.raises(TemporaryFailure, match=word) as caught:
        await ask(lambda data: asked.append(data) or [answer_to(data, **changes)], rounds=(10.0, 10.0))
    assert str(caught.value.status) == "4.4.3"
    assert len(asked) == 1


@pytest_twisted.ensureDeferred
async def test_an_answer_that_was_cut_is_asked_for_over_tcp(ask):
    def stream(data):
        told = answer_to(data)
        return len(told).to_bytes(2, "big") + told

    message = await ask(lambda data: [answer_to(data, trunc=1)], stream)
    assert len(message.answers) == 1


@pytest.mark.parametrize("told", [b"", b"\x00", b"\xff\xffabc", b"\x00\x03abc"])
@pytest_twisted.ensureDeferred
async def test_a_stream_that_says_nothing_of_use_is_a_temporary_failure(ask, told):
    with pytest.raises(TemporaryFailure):
        await ask(lambda data: [answer_to(data, trunc=1)], lambda data: told)


@pytest_twisted.ensureDeferred
async def test_no_tcp_at_all_is_a_temporary_failure(ask):
    with pytest.raises(TemporaryFailure, match="TCP"):
        await ask(lambda data: [answer_to(data, trunc=1)])


@pytest_twisted.ensureDeferred
async def test_no_server_at_all_is_a_temporary_failure():
    with pytest.raises(TemporaryFailure, match="no server"):
        await Servers(reactor, lambda: [], lambda: 1).ask("a.test", dns.A)


@given(st.binary(max_size=600), st.binary(max_size=60))
def test_no_octets_whatever_break_the_reading_of_an_answer(data, tail):
    question = dns.Message(id=4711)
    question.queries = [dns.Query(b"a.test", dns.A, dns.IN)]
    wire = question.toStr()
    for octets in (data, wire[:12] + data, wire[:2] + b"\x80" + wire[3:] + tail):
        told = _answer_to(question, octets)
        assert told is None or told.id == 4711


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nameserver 192.0.2.1\n# x\nnameserver ::1\noptions x\nnameserver\n", [("192.0.2.1", 53), ("::1", 53)]),
        ("search x\n", [("127.0.0.1", 53)]),
        (None, [("127.0.0.1", 53)]),
    ],
)
def test_the_systems_servers(tmp_path, text, expected):
    path = tmp_path / "resolv.conf"
    if text is not None:
        path.write_text(text)
    assert system_servers(path) == expected


@pytest_twisted.ensureDeferred
async def test_a_question_writes_nothing_into_the_log(ask):
    events = []
    globalLogPublisher.addObserver(events.append)
    try:
        await ask(lambda data: [answer_to(data)])
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert not [event for event in events if "_Datagrams" in str(event) or "UDP" in str(event)]
