"""An IMAP factory over a memory store, on transports of strings."""

from __future__ import annotations

import re

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.transaction import Body, Placement, Transaction
from twisted_mail_node.protocols.imap import IMAPFactory, IMAPSettings
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.testing.deferreds import result_of

JOE = "joe@example.test"
NOW = 1_700_000_000
MAILBOXES = (("Drafts", "\\Drafts"), ("Sent", "\\Sent"))


class Line(MemoryConnection):
    """One client's connection, with IMAP's way of asking."""

    def __init__(self, server, host):
        super().__init__(server.factory.buildProtocol(None), MemoryTransport(IPv4Address("TCP", host, 50000)))
        self.server = server
        self.tags = 0

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


class Server:
    """
    What the tests connect to: on a memory store, or on the one that `store_with` makes with a reactor.

    `turns` are how many of the reactor's make one nudge: more, where an answer goes through many threads.
    """

    def __init__(self, store_with=None, turns=1, **settings):
        self.turns = turns
        if store_with is None:
            self.clock = Clock()
            self.clock.advance(NOW)
            self.result_of = result_of
            self.store = MemoryStore(self.clock)
        else:
            self.clock = SteeredReactor()
            self.result_of = self.clock.wait_for
            self.store = store_with(self.clock)
        self.on_threads = store_with is not None
        self.result_of(self.store.start())
        self.result_of(self.store.create_account(JOE, MAILBOXES))
        checker = self.checker = InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"secret"})
        portal = Portal(MailRealm(self.store, self.store), [checker])
        authenticator = Authenticator(portal, UncountedAttempts(), self.clock, default_domain="example.test")
        given = IMAPSettings(**{"hostname": "mx.example.test", **settings})
        self.factory = IMAPFactory(self.store, given, self.clock, authenticator, tls_context=object())
        self.delivered = 0
        self.host = "127.0.0.1"

    def add(self, *names):
        """More users, each with a password as joe's."""
        for name in names:
            self.result_of(self.store.create_account(f"{name}@example.test", MAILBOXES))
            self.checker.addUser(f"{name}@example.test".encode(), b"secret")

    def __call__(self, name):
        return Line(self, self.host)

    def stop(self):
        self.result_of(self.store.stop())

    def advance(self, seconds):
        self.clock.advance(seconds)
        if self.on_threads:
            for _ in range(self.turns):
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
