"""A POP3 factory over a memory store, on transports of strings."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet.address import IPv4Address
from twisted.internet.defer import succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from twisted_mail_node.interfaces.auth import ILogin
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.transaction import Body, Placement, Transaction
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.store.memory import MemoryStore

JOE = "joe@example.test"


def result_of(deferred):
    seen = []
    deferred.addBoth(seen.append)
    assert seen, "has not fired"
    if isinstance(seen[0], Failure):
        seen[0].raiseException()
    return seen[0]


@implementer(ILogin)
class Login:
    def __init__(self, name, store):
        self.name, self.store = name, store

    def account(self):
        return self.store.account(self.name)

    def may_send_as(self, sender):
        return succeed(False)


@implementer(IRealm)
class Realm:
    def __init__(self, store):
        self.store = store

    def requestAvatar(self, avatarId, mind, *interfaces):  # noqa: N803
        return succeed((ILogin, Login(avatarId.decode(), self.store), lambda: None))


class Transport(StringTransport):
    """Knows TLS by name, how it was closed, and a peer that reads nothing."""

    aborted = False
    full_at = None

    def startTLS(self, context):  # noqa: N802
        directlyProvides(self, ISSLTransport)
        self.context = context

    def abortConnection(self):  # noqa: N802
        self.aborted = True
        self.disconnecting = True

    def write(self, data):
        super().write(data)
        if self.full_at is not None and len(self.value()) >= self.full_at:
            self.producer.pauseProducing()


class Line:
    """One client's connection, as transcripts and tests see it."""

    def __init__(self, factory, host, tls=False):
        self.transport = Transport(peerAddress=IPv4Address("TCP", host, 50000))
        if tls:
            self.transport.startTLS(None)
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        self.lost = False

    @property
    def closed(self):
        if self.transport.disconnecting:
            self.lose()
        return self.lost

    def feed(self, data):
        if not self.lost:
            self.protocol.dataReceived(data)

    def take(self):
        data = self.transport.value()
        self.transport.clear()
        return data

    def say(self, data):
        self.feed(data)
        return self.take()

    def drop(self):
        self.lose(Failure(ConnectionLost()))

    def start_tls(self):
        assert ISSLTransport.providedBy(self.transport)

    def lose(self, reason=connectionDone):
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(reason)


class Server:
    """What the tests connect to."""

    def __init__(self, tls_context=None):
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.store = MemoryStore(self.clock)
        result_of(self.store.start())
        result_of(self.store.create_account(JOE))
        checker = InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"secret", "gone@example.test": b"secret"})
        portal = Portal(Realm(self.store), [checker])
        authenticator = Authenticator(portal, UncountedAttempts(), self.clock, default_domain="example.test")
        settings = POP3Settings(hostname="mx.example.test")
        self.factory = POP3Factory(self.store, settings, self.clock, authenticator, tls_context)
        self.delivered = 0
        self.host = "127.0.0.1"

    def __call__(self, name):
        return Line(self.factory, self.host)

    def advance(self, seconds):
        self.clock.advance(seconds)

    def deliver(self, *contents):
        for content in contents:
            self.delivered += 1
            if isinstance(content, Body):
                body = content
            else:
                header, end, _ = content.partition(b"\r\n\r\n")
                body = Body(len(content), len(header + end), content)
            placement = Placement(JOE, "INBOX", 0, InternalDate(1_700_000_000))
            result_of(self.store.deliver(Transaction(f"t{self.delivered}", 1_700_000_000.0, (body,), (placement,))))

    def deliver_large(self, content):
        writer = self.store.stage_body()
        for start in range(0, len(content), 100_000):
            result_of(writer.write(content[start : start + 100_000]))
        self.deliver(result_of(writer.finish(content.index(b"\r\n\r\n") + 4, False)))

    @property
    def inbox(self):
        return result_of(result_of(self.store.account(JOE)).mailbox("INBOX"))

    def expunge(self, *uids):
        result_of(self.inbox.expunge(UIDSet.of(uids), only_deleted=False))

    def uids(self):
        return list(result_of(self.inbox.uids()))

    def logged_in(self):
        line = self("1")
        line.say(b"USER joe\r\nPASS secret\r\n")
        return line


@pytest.fixture
def server():
    return Server()


@pytest.fixture(scope="session")
def server_of():
    """A server with settings of its own."""
    return Server


@pytest.fixture
def resolved():
    return result_of
