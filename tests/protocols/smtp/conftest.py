"""A node's receiving half over the memory store: policy, intake, logins, factories."""

from __future__ import annotations

import itertools

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.intake import Intake, IntakeSettings, TransactionIds
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.envelope import Recipient
from twisted_mail_node.mail.host import is_loopback
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.policy import Recipients, RecipientSettings, RelayPolicy, RelaySettings
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.smtp import SMTPFactory, SMTPSettings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.connections import MemoryConnections, built_by
from twisted_mail_node.testing.deferreds import result_of


class Site:
    """alice, bob and grüße at a.test; list@ leads to both and to c.test; sales+ details; everything late if asked."""

    def __init__(self):
        self.clock = Clock()
        self.store = MemoryStore(self.clock)
        result_of(self.store.start())
        for name in ("alice@a.test", "bob@a.test", "grüße@a.test", "postmaster@a.test"):
            result_of(self.store.add_user(name, "hash"))
        result_of(
            self.store.set_alias(
                "list@a.test",
                [Address("alice", "a.test"), Address("bob", "a.test"), Address("carol", "c.test")],
            )
        )
        result_of(self.store.set_alias("ally@a.test", [Address("alice", "a.test")]))
        result_of(self.store.set_alias("greetings@a.test", [Address("grüße", "a.test")]))
        checker = InMemoryUsernamePasswordDatabaseDontUse(**{"alice@a.test": b"secret", "bob@a.test": b"b"})
        self.portal = Portal(MailRealm(self.store, self.store), [checker])
        self.recipients = Recipients(self.store, RecipientSettings(domains=["a.test"]))
        self.policy = RelayPolicy(self.recipients)
        self.reports = []
        numbers = itertools.count(1)
        self.intake = Intake(
            self.store,
            self.clock,
            TransactionIds(self.clock, lambda count: next(numbers).to_bytes(count, "big")),
            self.make_report,
            IntakeSettings(hostname="mx.a.test", max_size=1_000_000),
            resolve=lambda sender: succeed(Recipient(sender, (), (sender,))),
        )

    def make_report(self, reported, told, now):
        self.reports.append((reported, tuple(told)))
        content = b"Subject: report\r\n\r\n"
        return Body(len(content), len(content), content)

    def telling_policy(self):
        """One that tells everyone who exists, and who is on the lists."""
        return RelayPolicy(self.recipients, RelaySettings(verify="everyone", expand="everyone"))

    def factory(self, *, policy=None, intake=None, portal=None, tls_context=None, **settings):
        defaults = {"hostname": "mx.a.test", "max_message_size": 1_000_000, "trusted": is_loopback}
        made = SMTPSettings(**defaults | settings)
        authenticator = Authenticator(portal or self.portal, UncountedAttempts(), self.clock, "loopback", "a.test")
        return SMTPFactory(policy or self.policy, intake or self.intake, made, self.clock, authenticator, tls_context)

    def connections(self, transport=None, **settings):
        build = built_by(self.factory(**settings))
        if transport is None:
            return MemoryConnections(build, self.clock)
        return MemoryConnections(build, self.clock, transport)

    def messages(self, account, mailbox="INBOX"):
        door = result_of(result_of(self.store.account(account)).mailbox(mailbox))
        uids = result_of(door.uids())
        return list(result_of(door.fetch(uids, FetchItem.BODY)).bodies)

    def queued(self):
        return list(result_of(self.store.items()))


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def logged():
    """The events that were logged."""
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)
