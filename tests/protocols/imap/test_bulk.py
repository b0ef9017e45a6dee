"""
A large mailbox, with holes all over, is told in slices: no turn of the reactor does much of it. RFC 7162 §3.1.4, §3.2.5

What a turn has worked is told by the thread's own time, which other processes on the machine do not lengthen.
"""

from __future__ import annotations

import re
import time

import pytest
import pytest_twisted
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.task import deferLater

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.mail.flags import NO_FLAGS, FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.imap import IMAPFactory, IMAPSettings
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.testing.samples import DATE, body, flags, message

JOE = "joe@example.test"
MESSAGES = 100_000
MOST_SECONDS = 0.010


class Turns:
    """Asks one command after the other, turn by turn."""

    def __init__(self, factory):
        self.connection = MemoryConnection(factory.buildProtocol(None), MemoryTransport())
        self.longest = 0.0

    async def ask(self, command):
        """The answer; `longest` is what the turn that worked most has worked."""
        heard = []
        self.longest = 0.0
        begun = time.thread_time()
        self.connection.feed(b"x " + command.encode() + b"\r\n")
        while True:
            self.longest = max(self.longest, time.thread_time() - begun)
            heard.append(self.connection.take())
            tail = b"".join(heard[-3:])
            if re.match(rb"x (OK|NO|BAD) ", tail[tail.rfind(b"\n", 0, -2) + 1 :][:6]):
                return b"".join(heard)
            begun = time.thread_time()
            await deferLater(reactor, 0)


async def filled(store):
    """An inbox in which every second message was changed, and every fourth went, since the modseq that is returned."""
    await store.create_account(JOE)
    inbox = await (await store.account(JOE)).mailbox("INBOX")
    content = body(message("x"))
    for _ in range(0, MESSAGES, 2000):
        await inbox.append([(content, NO_FLAGS, DATE)] * 2000)
    status = await inbox.status()
    await inbox.store_flags(UIDSet.of(range(1, MESSAGES, 2)), FlagChange.ADD, flags("\\Seen"))
    await inbox.expunge(UIDSet.of(range(2, MESSAGES, 4)), only_deleted=False)
    return status


@pytest.mark.alone
@pytest_twisted.ensureDeferred
async def test_no_turn_does_much_of_a_large_mailbox(tmp_path):
    store = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor)
    await store.start()
    status = await filled(store)
    portal = Portal(MailRealm(store, store), [InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"secret"})])
    authenticator = Authenticator(portal, UncountedAttempts(), reactor, default_domain="example.test")
    turns = Turns(IMAPFactory(store, IMAPSettings(hostname="mx.example.test"), reactor, authenticator))
    await turns.ask("LOGIN joe secret")
    await turns.ask("ENABLE QRESYNC")
    known = f"{status.uid_validity} {status.highest_modseq}"
    took = {}
    changed, gone, left = MESSAGES // 2, MESSAGES // 4, MESSAGES * 3 // 4
    for command, rows, vanished in (
        (f"SELECT INBOX (QRESYNC ({known}))", changed, gone),
        # numbers that match no more, all through the mailbox
        (f"SELECT INBOX (QRESYNC ({known} 1:{MESSAGES} (2:{MESSAGES} 2:{MESSAGES})))", changed, gone),
        ("FETCH 1:* (FLAGS MODSEQ)", left, 0),
        (f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {status.highest_modseq} VANISHED)", changed, gone),
    ):
        told = await turns.ask(command)
        assert told.count(b" FETCH (") == rows
        lines = [line for line in told.split(b"\r\n") if line.startswith(b"* VANISHED (EARLIER) ")]
        assert sum(line.count(b",") + 1 for line in lines) == vanished
        took[command] = turns.longest
    turns.connection.drop()
    await store.stop()
    assert max(took.values()) < MOST_SECONDS, took
