"""The control socket: requests and answers, and whom it is for."""

import json
import os
import socket
import stat

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from twisted_mail_node.node.control.client import NodeConnection, NodeUnreachable
from twisted_mail_node.node.control.operations import Refusal
from twisted_mail_node.node.control.server import MAX_OCTETS, ControlSocket
from twisted_mail_node.node.errors import CannotStart


class Desk:
    """Performs "echo" and "refuse"; breaks at anything else."""

    def perform(self, name, arguments):
        if name == "echo":
            return succeed(arguments)
        if name == "refuse":
            failed = Deferred()
            failed.errback(Refusal("not today"))
            return failed
        raise ZeroDivisionError


class OctetDesk:
    """Gives back what it gets; "mail.slow" when it is told to."""

    def __init__(self):
        self.slow = []
        self.closed = 0

    def knows(self, name):
        return name.startswith("mail.")

    async def perform(self, name, arguments, octets):
        if name == "mail.slow":
            self.slow.append(Deferred())
            await self.slow[-1]
        return arguments, octets[::-1]

    def close(self):
        self.closed += 1


@pytest.fixture
def octets():
    """The desk that answers operations with octets."""
    return OctetDesk()


@pytest_twisted.async_yield_fixture
async def path(tmp_path, octets):
    """Where a control socket listens."""
    control = ControlSocket(reactor, tmp_path / "control.sock")
    control.open(Desk(), lambda: octets)
    yield tmp_path / "control.sock"
    await control.close()
    assert not (tmp_path / "control.sock").exists()


@pytest_twisted.ensureDeferred
async def test_operations_are_performed_over_the_socket(path):
    def talk():
        node = NodeConnection(path)
        assert node.perform("echo", {"a": ["é", 1]}) == {"a": ["é", 1]}
        with pytest.raises(Refusal, match="not today"):
            node.perform("refuse", {})
        assert node.perform("echo", {}) == {}
        node.close()

    await deferToThread(talk)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest_twisted.ensureDeferred
async def test_octets_go_both_ways_in_order(path, octets):
    def talk():
        node = NodeConnection(path)
        data = bytes(range(256)) * 8000
        begun = [node.begin("mail.echo", {"number": number}, data[number:]) for number in range(2)]
        begun.append(node.begin("echo", {"number": 2}))
        begun.append(node.begin("mail.echo", {"number": 3}, b"\n{}\n"))
        for number, waiting in reversed(list(enumerate(begun))):
            told, answer = waiting.wait()
            assert told == {"number": number}
            assert answer == (data[number:][::-1], data[number:][::-1], b"", b"\n}{\n")[number]
        node.close()

    await deferToThread(talk)
    while not octets.closed:
        await deferLater(reactor, 0.01)
    assert octets.closed == 1


@pytest_twisted.ensureDeferred
async def test_what_comes_while_much_waits_is_not_read_yet(path, octets):
    request = json.dumps({"operation": "mail.slow", "octets": 1_000_000}).encode() + b"\n" + b"x" * 1_000_000

    def talk():
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.5)
            client.connect(str(path))
            sent = 0
            try:
                for start in range(0, 6 * len(request), 50_000):
                    piece = (request * 2)[start % len(request) :][:50_000]
                    client.sendall(piece)
                    sent += len(piece)
            except TimeoutError:
                return sent
            raise AssertionError("all of it was read")

    assert await deferToThread(talk) < 3.5 * len(request)
    while not octets.slow:
        await deferLater(reactor, 0.01)
    octets.slow[0].callback(None)
    while len(octets.slow) < 2:
        await deferLater(reactor, 0.01)
    octets.slow[1].callback(None)
    while not octets.closed:
        await deferLater(reactor, 0.01)


@pytest_twisted.ensureDeferred
async def test_too_many_octets_end_the_connection(path):
    def talk():
        for size in (MAX_OCTETS + 1, -1):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(20)
                client.connect(str(path))
                client.sendall(json.dumps({"operation": "mail.echo", "octets": size}).encode() + b"\n")
                assert client.recv(1) == b""

    await deferToThread(talk)


@pytest_twisted.ensureDeferred
async def test_an_operation_that_breaks_is_logged_and_told(path, logged_failures):
    def talk():
        node = NodeConnection(path)
        with pytest.raises(Refusal, match="its log says why"):
            node.perform("break", {})
        node.close()

    await deferToThread(talk)
    assert logged_failures.pop().check(ZeroDivisionError)


@pytest_twisted.ensureDeferred
async def test_what_is_no_request_is_told_so(path):
    def talk():
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            deep = b"[" * 100_000
            client.sendall(b'nonsense\n[]\n{"arguments": {}}\n' + deep + b'\n{"operation": "echo"}\n')
            with client.makefile("rb") as answers:
                return [json.loads(answers.readline()) for _ in range(5)]

    answers = await deferToThread(talk)
    assert answers[:4] == [{"refused": "not a request"}] * 4
    assert answers[4] == {"result": {}}


def test_where_no_node_listens_is_told(tmp_path):
    with pytest.raises(NodeUnreachable, match="no node answers at"):
        NodeConnection(tmp_path / "control.sock")


def test_a_node_that_goes_away_is_told(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        node = NodeConnection(path)
        accepted, _ = listener.accept()
        accepted.shutdown(socket.SHUT_WR)
        with pytest.raises(NodeUnreachable):
            node.perform("echo", {})
        accepted.close()
        node.close()


def test_a_path_that_is_too_long_is_told(tmp_path):
    with pytest.raises(CannotStart, match="the path is longer than 107 octets"):
        ControlSocket(reactor, tmp_path / ("x" * 120)).check()
