"""Never an open relay. Source: RFC 5321 §3.6.2, §7.9."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.policy import ISMTPPolicy
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Peer, Service
from twisted_mail_node.mail.verdict import Accept
from twisted_mail_node.policy import OpenPolicy, Recipients, RecipientSettings, RelayPolicy, RelaySettings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE, FAR = Address("joe", "a.test"), Address("x", "c.test")


def made(**settings):
    store = MemoryStore(Clock())
    result_of(store.start())
    result_of(store.add_user("joe@a.test", "hash"))
    result_of(store.set_alias("sales@a.test", [JOE, FAR]))
    policy = RelayPolicy(Recipients(store, RecipientSettings(domains=("a.test",))), RelaySettings(**settings))
    assert verifyObject(ISMTPPolicy, policy)
    return policy


def client(service, account=None):
    return Client(Peer("192.0.2.1"), service, "c", True, account)


@pytest.mark.parametrize(
    ("service", "account", "recipient", "code"),
    [
        (Service.SMTP, None, JOE, 250),
        (Service.SMTP, None, FAR, 550),
        (Service.SMTP, "joe@a.test", FAR, 250),
        (Service.SMTP, None, Address("joe", "[127.0.0.1]"), 550),
        (Service.SMTP, None, Address("joe%c.test", "a.test"), 550),
        (Service.SMTP, None, Address("x@c.test", "a.test"), 550),
        (Service.SMTP, None, Address("c.test!x", "a.test"), 550),
        (Service.SUBMISSION, None, FAR, 550),
        (Service.SUBMISSION, "joe@a.test", FAR, 250),
        (Service.SUBMISSION, "joe@a.test", Address("no", "a.test"), 550),
        (Service.LMTP, None, JOE, 250),
        (Service.LMTP, None, FAR, 550),
        (Service.LMTP, "joe@a.test", FAR, 550),
    ],
)
def test_who_may_send_where(service, account, recipient, code):
    verdict = result_of(made().recipient(client(service, account), FAR, recipient))
    assert (250 if isinstance(verdict, Accept) else verdict.code) == code
    if isinstance(verdict, Accept) and recipient == FAR:
        assert verdict.recipient.forwards == (FAR,)
        assert verdict.recipient.targets == ()


@pytest.mark.parametrize(
    ("accept", "service", "account", "sender", "fine"),
    [
        (True, Service.SMTP, None, JOE, True),
        (False, Service.SMTP, None, JOE, False),
        (False, Service.SMTP, "joe@a.test", JOE, True),
        (False, Service.SMTP, None, FAR, True),
        (False, Service.SMTP, None, None, True),
        (False, Service.LMTP, None, JOE, True),
    ],
)
def test_senders_of_our_own_may_be_asked_to_log_in(accept, service, account, sender, fine):
    verdict = result_of(made(accept_own_senders=accept).sender(client(service, account), sender, ()))
    assert isinstance(verdict, Accept) is fine


@pytest.mark.parametrize("policy", [made(), OpenPolicy()])
def test_other_stages_are_open_to_all(policy):
    anyone = client(Service.SMTP)
    assert verifyObject(ISMTPPolicy, policy)
    for asked in (policy.connected(anyone), policy.hello(anyone), policy.verify(anyone, "joe")):
        assert result_of(asked) == Accept()


def test_the_skeleton_says_yes():
    anyone = client(Service.SMTP)
    assert result_of(OpenPolicy().sender(anyone, None, ())) == Accept()
    assert result_of(OpenPolicy().recipient(anyone, None, JOE)) == Accept()


@pytest.mark.parametrize("question", ["verify", "expand"])
@pytest.mark.parametrize(
    ("audience", "account", "is_told"),
    [
        ("nobody", "joe@a.test", False),
        ("accounts", None, False),
        ("accounts", "joe@a.test", True),
        ("everyone", None, True),
    ],
)
def test_who_is_told_of_addresses(question, audience, account, is_told):
    """RFC 5321 §7.3."""
    policy = made(**{question: audience})
    verdict = result_of(getattr(policy, question)(client(Service.SMTP, account), "sales"))
    assert isinstance(verdict, Accept)
    assert (verdict.recipient is not None) is is_told
    other = {"verify": policy.expand, "expand": policy.verify}[question]
    assert result_of(other(client(Service.SMTP, account), "sales")).recipient is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("joe", 250), ("<Joe@A.test>", 250), ("postmaster", 550), ("eve@c.test", 550), ("a b", 501), ("@", 501)],
)
def test_what_is_said_of_an_address(text, code):
    policy = made(verify="everyone", expand="everyone")
    verdict = result_of(policy.verify(client(Service.SMTP), text))
    assert (250 if isinstance(verdict, Accept) else verdict.code) == code
    verdict = result_of(policy.expand(client(Service.SMTP), text))
    # Who has a mailbox of that name leads nowhere else.
    assert verdict.code == (550 if code == 250 else code)


def test_a_list_is_expanded_to_where_it_leads():
    verdict = result_of(made(expand="everyone").expand(client(Service.SMTP), "sales@a.test"))
    assert [target.account for target in verdict.recipient.targets] == ["joe@a.test"]
    assert verdict.recipient.forwards == (FAR,)
