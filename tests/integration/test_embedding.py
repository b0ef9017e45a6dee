"""Nodes inside an application: the lines of the README, several at a time, factories on one's own endpoints."""

import imaplib
import poplib
import re
import smtplib
import subprocess
import sys
import time
from pathlib import Path

import pytest
import pytest_twisted
from twisted.application.service import MultiService
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.internet.threads import deferToThread
from zope.interface import implementer

import twisted_mail_node
from twisted_mail_node import (
    CannotStart,
    IMAPFactory,
    MailRealm,
    MemoryStore,
    POP3Factory,
    Service,
    SMTPFactory,
    SMTPSettings,
    assemble,
)
from twisted_mail_node.interfaces.store import IDirectory, IMailStore
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.testing.node import RunningNode
from twisted_mail_node.testing.process import process_environment

README = Path(__file__).parents[2] / "README.md"
ALICE = "alice@example.test"


def test_the_lines_of_the_readme_run(tmp_path):
    (lines,) = re.findall(r"```python\n(# app\.tac.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "app.tac").write_text(lines)
    output = tmp_path / "output.txt"
    command = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-ny", "app.tac", "--pidfile="]
    with open(output, "wb") as written:
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=written, stderr=subprocess.STDOUT, env=process_environment()
        )
    try:
        until = time.monotonic() + 30
        found = None
        while found is None and process.poll() is None and time.monotonic() < until:
            found = re.search(r"smtp on 127\.0\.0\.1:(\d+)", output.read_text())
        assert found is not None, output.read_text()
        with smtplib.SMTP("127.0.0.1", int(found[1]), timeout=20) as client:
            assert client.ehlo()[1].startswith(b"mx.example.org")
            assert client.sendmail("a@far.test", ["postmaster@example.org"], "Subject: hi\r\n\r\n") == {}
    finally:
        process.terminate()
        process.wait(15)


def test_everything_public_can_be_imported():
    for name in twisted_mail_node.__all__:
        assert getattr(twisted_mail_node, name) is not None
        assert name in dir(twisted_mail_node)
    with pytest.raises(AttributeError):
        _ = twisted_mail_node.nothing


def test_importing_the_package_imports_no_room():
    code = "import sys, twisted_mail_node; print([m for m in sys.modules if m.startswith(('twisted.', 'pydantic'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=process_environment())
    assert done.stdout == "[]\n"


@pytest_twisted.ensureDeferred
async def test_several_nodes_live_in_one_process_and_leave_nothing(tmp_path):
    before = set(reactor.getReaders()), len(reactor.getDelayedCalls())
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    nodes = [await RunningNode.start(reactor, folder, {"store": {"kind": "sqlite"}}) for folder in folders]
    for node in nodes:
        await node.add_user(ALICE)

    def send(node):
        with smtplib.SMTP("localhost", node.port("smtp"), timeout=20) as client:
            client.sendmail("x@far.test", [ALICE], "Subject: hi\r\n\r\nyou\r\n")

    await deferToThread(send, nodes[0])
    assert (await nodes[0].wait_for_message(ALICE)).endswith(b"you\r\n")
    assert await nodes[1].messages(ALICE) == []
    for node in nodes:
        await node.stop()
    assert (set(reactor.getReaders()), len(reactor.getDelayedCalls())) == before


@pytest_twisted.ensureDeferred
async def test_a_node_that_cannot_start_in_a_running_reactor_says_so(tmp_path, logged_failures):
    state = tmp_path / "state"
    state.mkdir(0o700)
    (state / "mail.sqlite").write_bytes(b"no database at all, whatever its name" * 200)
    listen = [{"service": "smtp", "endpoint": "tcp:0:interface=127.0.0.1"}]
    node = assemble(parse_config({"state_dir": "state", "listen": listen}, base=tmp_path), reactor=reactor)
    parent = MultiService()
    parent.startService()
    node.setServiceParent(parent)
    with pytest.raises(CannotStart, match="is not an SQLite database"):
        await node.when_serving()
    assert node.listeners == ()
    await parent.stopService()


@pytest_twisted.ensureDeferred
async def test_the_factories_serve_an_applications_own_endpoints():
    store = MemoryStore(reactor)
    await store.start()
    await store.add_user(ALICE, "!")
    checker = InMemoryUsernamePasswordDatabaseDontUse(**{ALICE: b"secret"})
    portal = Portal(MailRealm(store, store), [checker])
    settings = SMTPSettings(hostname="mx.example.test", service=Service.SUBMISSION, auth="required")
    factories = [
        SMTPFactory(portal, store, settings, reactor=reactor, domains=["example.test"]),
        POP3Factory(portal, store, reactor=reactor, default_domain="example.test"),
        IMAPFactory(portal, store, reactor=reactor, default_domain="example.test"),
    ]
    ports = [await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory) for factory in factories]

    def session():
        with smtplib.SMTP("127.0.0.1", ports[0].getHost().port, timeout=20) as client:
            client.login("alice", "secret")
            client.sendmail(ALICE, [ALICE], "Subject: hi\r\n\r\nme\r\n")
        mailbox = poplib.POP3("127.0.0.1", ports[1].getHost().port, timeout=20)
        mailbox.user("alice")
        mailbox.pass_("secret")
        assert mailbox.stat()[0] == 1
        mailbox.quit()
        imap = imaplib.IMAP4("127.0.0.1", ports[2].getHost().port, timeout=20)
        imap.login("alice", "secret")
        assert imap.select() == ("OK", [b"1"])
        imap.logout()

    await deferToThread(session)
    for port, factory in zip(ports, factories, strict=True):
        await port.stopListening()
        await factory.close_all()
    await store.stop()


def test_an_smtp_factory_needs_to_know_whose_mail_it_takes():
    store = MemoryStore(reactor)
    with pytest.raises(ValueError, match="domains and a directory"):
        SMTPFactory(Portal(MailRealm(store, store)), store, SMTPSettings(hostname="a.test"), reactor=reactor)


@implementer(IMailStore, IDirectory)
class Queueless:
    """A store of mailboxes alone."""

    def __init__(self):
        self._store = MemoryStore(reactor)

    def __getattr__(self, name):
        return getattr(self._store, name)


@pytest.mark.parametrize("has_queue", [True, False])
def test_dsn_is_offered_where_there_is_a_queue_for_reports(has_queue):
    store = MemoryStore(reactor) if has_queue else Queueless()
    factory = SMTPFactory(
        Portal(MailRealm(store, store)), store, SMTPSettings(hostname="a.test"), reactor=reactor, domains=["a.test"]
    )
    assert (b"250-DSN" in said_to_ehlo(factory)) is has_queue


def said_to_ehlo(factory):
    protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 2525))
    transport = StringTransportWithDisconnection()
    transport.protocol = protocol
    protocol.makeConnection(transport)
    protocol.dataReceived(b"EHLO me.test\r\n")
    transport.loseConnection()
    return transport.value()
