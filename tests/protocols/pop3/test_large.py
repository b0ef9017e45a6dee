"""Maildrops of 100,000 messages, and readers that take their time: what it costs the node meanwhile."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import apsw
import pytest
import pytest_twisted
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.interfaces.auth import ILogin
from twisted_mail_node.mail.changes import MailboxStatus
from twisted_mail_node.mail.columns import Columns, FetchItem
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.testing.samples import DATE, body, flags, message

JOE = "joe@example.test"
MESSAGES = 100_000
# What a peer leaves unread before the node stops writing to it.
FULL_OCTETS = 64 * 1024
# One slice of rows, in all the forms that it takes on its way; all rows at once would take ten times as much.
CLAIMED_OCTETS = 3 * 1024 * 1024


class LargeMailbox:
    """Messages that are nowhere: 7 octets each, their guids made of their UIDs."""

    account, mailbox_id = JOE, 1

    def status(self):
        counters = dict.fromkeys(MailboxStatus.__dataclass_fields__, 0)
        return succeed(MailboxStatus(**counters | {"uid_validity": 1, "uid_next": MESSAGES + 1, "messages": MESSAGES}))

    def uids(self):
        return succeed(UIDSet.span(1, MESSAGES))

    def fetch(self, uids, items):
        asked = list(uids)
        if items is FetchItem.SIZE:
            return succeed(Columns(asked, sizes=[7] * len(asked)))
        assert items is FetchItem.GUID
        return succeed(Columns(asked, guids=[f"{uid:032x}" for uid in asked]))


@implementer(ILogin)
class Login:
    name = JOE

    def account(self):
        return succeed(SimpleNamespace(mailbox=lambda _: succeed(LargeMailbox())))


def portal_of(store):
    return Portal(MailRealm(store, store), [InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"secret"})])


def connection_to(store, portal, clock):
    authenticator = Authenticator(portal, UncountedAttempts(), clock)
    factory = POP3Factory(store, POP3Settings(), clock, authenticator)
    line = MemoryConnection(factory.buildProtocol(None), MemoryTransport())
    line.factory = factory
    line.feed(b"USER joe@example.test\r\nPASS secret\r\n")
    return line


@pytest.fixture
def large():
    """A session on the large mailbox whose peer reads nothing on its own."""
    clock = Clock()
    store = MemoryStore(clock)
    result_of(store.start())
    portal = portal_of(store)
    portal.realm.requestAvatar = lambda name, mind, *interfaces: succeed((interfaces[0], Login(), lambda: None))
    line = connection_to(store, portal, clock)
    line.clock = clock
    assert line.take().endswith(b"+OK %d messages (%d octets)\r\n" % (MESSAGES, MESSAGES * 7))
    line.transport.full_at = FULL_OCTETS
    return line


NUMBERS = sum(len(str(number)) for number in range(1, MESSAGES + 1))
SIZES = b"+OK 100000 messages (700000 octets)\r\n"


@pytest.mark.parametrize(
    ("command", "first", "row"),
    [(b"LIST", SIZES, b" 7\r\n"), (b"UIDL", b"+OK unique ids follow\r\n", b" %032x\r\n" % 1)],
    ids=["sizes", "unique ids"],
)
def test_listing_of_a_large_maildrop_streams_and_takes_no_memory(large, command, first, row):
    tracemalloc.start()
    try:
        large.feed(command + b"\r\n")
        heard, last = 0, b""
        for _ in range(1000):
            waiting = len(large.transport.value())
            assert waiting < 8 * FULL_OCTETS
            heard += waiting
            last = (last + large.take())[-5:]
            large.protocol._session.driver.resumeProducing()
            large.clock.advance(0)
            if last == b"\r\n.\r\n":
                break
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last == b"\r\n.\r\n"
    assert heard == len(first) + NUMBERS + MESSAGES * len(row) + len(b".\r\n")
    assert most < CLAIMED_OCTETS


def test_marks_on_a_large_maildrop_take_an_octet_a_message(large):
    tracemalloc.start()
    try:
        for number in range(1, MESSAGES + 1, 100):
            assert large.say(b"DELE %d\r\n" % number) == b"+OK marked\r\n"
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert large.say(b"STAT\r\n") == b"+OK %d %d\r\n" % (MESSAGES * 0.99, MESSAGES * 0.99 * 7)
    assert most < CLAIMED_OCTETS


@pytest.mark.parametrize("command", [b"RETR 1", b"TOP 1 0", b"TOP 1 9"])
def test_a_message_that_is_all_header_streams(server, command):
    server.deliver_large(b"Subject: none\r\n" * 300_000 + b"\r\n")
    line = server.logged_in()
    line.transport.full_at = FULL_OCTETS
    tracemalloc.start()
    try:
        line.feed(command + b"\r\n")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert FULL_OCTETS <= len(line.transport.value()) < 8 * FULL_OCTETS
    assert most < CLAIMED_OCTETS


async def turns(condition):
    """The reactor's turns, until it is so."""
    for _ in range(10_000):
        if condition():
            return
        turn = Deferred()
        reactor.callLater(0.001, turn.callback, None)
        await turn
    raise AssertionError("it did not come to that")


@pytest_twisted.ensureDeferred
async def test_slow_reader_holds_no_transaction(tmp_path):
    store = SQLiteStore(tmp_path / "mail.db", reactor=reactor)
    await store.start()
    await store.create_account(JOE)
    writer = store.stage_body()
    content = b"Subject: large\r\n\r\n" + b"a line of a large message\r\n" * 60_000
    await writer.write(content)
    large = await writer.finish(18, False)
    inbox = await (await store.account(JOE)).mailbox("INBOX")
    await inbox.append([(large, flags(), DATE)])
    line = connection_to(store, portal_of(store), reactor)
    await turns(lambda: b" messages (" in line.transport.value())
    line.take()
    line.transport.full_at = FULL_OCTETS
    line.feed(b"RETR 1\r\n")
    await turns(lambda: line.protocol._session.driver._write_paused)
    assert line.protocol._session._parts.is_streaming
    await inbox.append([(body(message("x" * 10_000)), flags(), DATE)])
    # Somebody who still read in an older state of the database would be in the way of this.
    other = apsw.Connection(str(tmp_path / "mail.db"))
    busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    other.close()
    assert busy == 0
    line.drop()
    await store.stop()
