"""An IMAP factory over a memory store, on transports of strings."""

from __future__ import annotations

import re

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
from twisted_mail_node.protocols.imap import IMAPFactory, IMAPSettings
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.backend import SteeredReactor

JOE = "joe@example.test"
NOW = 1_700_000_000
MAILBOXES = (("Drafts", "\\Drafts"), ("Sent", "\\Sent"))


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
    """Knows TLS by name, how it was closed, and a peer that reads nothing (more than `full_at` octets)."""

    aborted = False
    full_at = None

    def startTLS(self, context):  # noqa: N802
        directlyProvides(self, ISSLTransport)

    def abortConnection(self):  # noqa: N802
        self.aborted = self.disconnecting = True

    def write(self, data):
        super().write(data)
        if self.full_at is not None and len(self.value()) >= self.full_at and self.producer is not None:
            self.producer.pauseProducing()


class Line:
    """One client's connection, as transcripts and tests see it."""

    def __init__(self, server, host):
        self.server = server
        self.transport = Transport(peerAddress=IPv4Address("TCP", host, 50000))
        self.protocol = server.factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        self.lost = False
        self.tags = 0

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
        """Send octets; what came at once, without waiting for later turns."""
        self.feed(data)
        return self.take()

    def ask(self, command, literal=None):
        """One command with its tagged OK: the untagged answers."""
        status, untagged = self.try_(command, literal)
        assert status.startswith(b"OK"), status
        return untagged

    def try_(self, command, literal=None):
        """One command: how it ended, and the untagged answers."""
        self.tags += 1
        tag = b"t%d" % self.tags
        if isinstance(command, str):
            command = command.encode()
        if literal is not None:
            command += b" {%d+}\r\n" % len(literal) + literal
        heard = self.say(tag + b" " + command + b"\r\n")
        for _ in range(200):
            if re.search(rb"(?:^|\n)" + tag + rb" [A-Z]+ [^\n]*\r\n\Z", heard):
                break
            self.server.advance(0)
            heard += self.take()
        untagged, end, status = heard.rpartition(tag + b" ")
        assert end, heard
        return status, untagged

    def drop(self):
        self.lose(Failure(ConnectionLost()))

    def start_tls(self):
        assert ISSLTransport.providedBy(self.transport)

    def lose(self, reason=connectionDone):
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(reason)


class Server:
    """What the tests connect to: on a memory store, or on SQLite in this file."""

    def __init__(self, sqlite_path=None, **settings):
        if sqlite_path is None:
            self.clock = Clock()
            self.clock.advance(NOW)
            self.result_of = result_of
            self.store = MemoryStore(self.clock)
        else:
            self.clock = SteeredReactor()
            self.result_of = self.clock.wait_for
            self.store = SQLiteStore(sqlite_path, reactor=self.clock)
        self.on_threads = sqlite_path is not None
        self.result_of(self.store.start())
        self.result_of(self.store.create_account(JOE, MAILBOXES))
        checker = InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"secret"})
        portal = Portal(Realm(self.store), [checker])
        authenticator = Authenticator(portal, UncountedAttempts(), self.clock, default_domain="example.test")
        given = IMAPSettings(**{"hostname": "mx.example.test", **settings})
        self.factory = IMAPFactory(self.store, given, self.clock, authenticator, tls_context=object())
        self.delivered = 0
        self.host = "127.0.0.1"

    def __call__(self, name):
        return Line(self, self.host)

    def stop(self):
        self.result_of(self.store.stop())

    def advance(self, seconds):
        self.clock.advance(seconds)
        if self.on_threads:
            self.clock.wait_for(self.clock.turn())

    def deliver(self, *contents, mailbox="INBOX"):
        for content in contents:
            self.delivered += 1
            header, end, _ = content.partition(b"\r\n\r\n")
            body = Body(len(content), len(header + end), content)
            placement = Placement(JOE, mailbox, 0, InternalDate(NOW))
            self.result_of(self.store.deliver(Transaction(f"t{self.delivered}", float(NOW), (body,), (placement,))))

    def mailbox(self, name="INBOX"):
        return self.result_of(self.result_of(self.store.account(JOE)).mailbox(name))

    def logged_in(self):
        line = self("1")
        line.take()
        line.ask("LOGIN joe secret")
        return line

    def selected(self, mailbox="INBOX"):
        line = self.logged_in()
        line.ask(f"SELECT {mailbox}")
        return line


@pytest.fixture
def server():
    return Server()


@pytest.fixture(scope="session")
def server_of():
    """A server with settings of its own."""
    return Server


@pytest.fixture(scope="session")
def resolved():
    return result_of
