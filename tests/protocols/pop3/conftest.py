"""A POP3 factory over a memory store, on transports of strings."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.transaction import Body, Placement, Transaction
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.postgres import PostgresStore
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.testing.deferreds import result_of

from ...store.postgres import database

JOE, MROSE, JUERGEN = "joe@example.test", "mrose@example.test", "jürgen@example.test"
ACCOUNTS = (JOE, MROSE, JUERGEN)
SECRETS = {JOE: "secret", "gone@example.test": "secret", MROSE: "tanstaaf", JUERGEN: "größer"}


class Server:
    """What the tests connect to."""

    def __init__(self, tls_context=None, nonce=b"nonce", store=None, reactor=None, **settings):
        """`reactor` is the one that steers a store whose answers come from threads."""
        self.clock = reactor or Clock()
        self.clock.advance(1_700_000_000)
        self.wait = result_of if reactor is None else reactor.wait_for
        self.store = store or self._new_store()
        checker = InMemoryUsernamePasswordDatabaseDontUse()
        for name, secret in SECRETS.items():
            checker.addUser(name.encode(), secret.encode())
        portal = Portal(MailRealm(self.store, self.store), [checker])
        authenticator = Authenticator(
            portal, UncountedAttempts(), self.clock, default_domain="example.test", new_nonce=lambda: nonce
        )
        settings = POP3Settings(**{"hostname": "mx.example.test"} | settings)
        self.factory = POP3Factory(self.store, settings, self.clock, authenticator, tls_context)
        self.delivered = 0
        self.host = "127.0.0.1"

    def _new_store(self):
        store = MemoryStore(self.clock)
        result_of(store.start())
        for name in ACCOUNTS:
            result_of(store.create_account(name))
        return store

    def __call__(self, name):
        transport = MemoryTransport(IPv4Address("TCP", self.host, 50000))
        return MemoryConnection(self.factory.buildProtocol(None), transport)

    def advance(self, seconds):
        self.clock.advance(seconds)
        turns = 0 if self.wait is result_of else 4000
        # While threads think of an answer, they are given some milliseconds for each turn.
        while turns and any(session.driver.is_answering for session in self.factory._open_sessions._sessions):
            self.wait(self.clock.turn())
            turns -= 1

    def deliver(self, *contents):
        for content in contents:
            self.delivered += 1
            if isinstance(content, Body):
                body = content
            else:
                header, end, _ = content.partition(b"\r\n\r\n")
                body = Body(len(content), len(header + end), content)
            placement = Placement(JOE, "INBOX", 0, InternalDate(1_700_000_000))
            self.wait(self.store.deliver(Transaction(f"t{self.delivered}", 1_700_000_000.0, (body,), (placement,))))

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


@pytest.fixture(params=["sqlite", "maildir", pytest.param("postgres", marks=pytest.mark.postgres)])
def lasting(request, tmp_path):
    """A store that lasts, with the accounts, as arguments for a server."""
    reactor = SteeredReactor()
    if request.param == "postgres":
        store = PostgresStore(database(request.getfixturevalue("postgres_databases")).dsn, reactor=reactor)
    else:
        tree = Tree(tmp_path / "maildir") if request.param == "maildir" else None
        store = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor, tree=tree)
    reactor.wait_for(store.start())
    for name in ACCOUNTS:
        reactor.wait_for(store.create_account(name))
    yield {"store": store, "reactor": reactor}
    reactor.wait_for(store.stop())


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
