"""What one account may send."""

from __future__ import annotations

from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.policy import ISMTPPolicy
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Peer, Service
from twisted_mail_node.mail.verdict import Accept
from twisted_mail_node.policy import AccountLimits, AccountLimitSettings
from twisted_mail_node.testing.deferreds import result_of

BOB = Address("bob", "b.test")


def made(**settings):
    clock = Clock()
    limits = AccountLimits(clock, AccountLimitSettings(**settings))
    assert verifyObject(ISMTPPolicy, limits)
    return limits, clock


def client(account, host="127.0.0.1"):
    return Client(Peer(host), Service.SUBMISSION, account=account)


def code(deferred):
    verdict = result_of(deferred)
    return 250 if isinstance(verdict, Accept) else verdict.code


def test_messages_beyond_the_limit_are_put_off_wherever_the_account_comes_from():
    limits, clock = made(messages=2)
    told = [code(limits.sender(client("ann@a.test", host), None, ())) for host in ("127.0.0.1", "192.0.2.1", "")]
    assert told == [250, 250, 450]
    assert code(limits.sender(client("joe@a.test"), None, ())) == 250
    clock.advance(86400)
    assert code(limits.sender(client("ann@a.test"), None, ())) == 250


def test_recipients_beyond_the_limit_are_put_off():
    limits, _ = made(recipients=2)
    assert [code(limits.recipient(client("ann@a.test"), None, BOB)) for _ in range(3)] == [250, 250, 450]
    assert code(limits.sender(client("ann@a.test"), None, ())) == 250


def test_some_accounts_and_who_has_not_logged_in_have_no_limit():
    limits, _ = made(messages=1, recipients=1, exempt=["list@a.test"])
    for account in ("list@a.test", None):
        assert [code(limits.sender(client(account), None, ())) for _ in range(3)] == [250] * 3
        assert [code(limits.recipient(client(account), None, BOB)) for _ in range(3)] == [250] * 3


def test_the_other_stages_are_not_counted():
    limits, _ = made(messages=1, recipients=1)
    ann = client("ann@a.test")
    for _ in range(3):
        assert {
            code(limits.connected(ann)),
            code(limits.hello(ann)),
            code(limits.verify(ann, "")),
            code(limits.expand(ann, "")),
        } == {250}
    assert code(limits.sender(ann, None, ())) == 250
