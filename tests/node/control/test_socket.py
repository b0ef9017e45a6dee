"""The control socket: requests and answers, and whom it is for."""

import json
import os
import socket
import stat

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThread

from twisted_mail_node.node.control.client import NodeConnection, NodeUnreachable
from twisted_mail_node.node.control.mail import MailDesk
from twisted_mail_node.node.control.operations import Refusal
from twisted_mail_node.node.control.server import ControlSocket
from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.store.memory import MemoryStore


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


@pytest_twisted.async_yield_fixture
async def path(tmp_path):
    """Where a control socket listens."""
    control = ControlSocket(reactor, tmp_path / "control.sock")
    control.open(Desk(), lambda: MailDesk(MemoryStore(reactor)))
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
            client.sendall(b'nonsense\n[]\n{"arguments": {}}\n{"operation": "echo"}\n')
            with client.makefile("rb") as answers:
                return [json.loads(answers.readline()) for _ in range(4)]

    answers = await deferToThread(talk)
    assert answers[:3] == [{"refused": "not a request"}] * 3
    assert answers[3] == {"result": {}}


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
