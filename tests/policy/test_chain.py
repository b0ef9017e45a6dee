"""Policies in a row."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.policy import ISMTPPolicy
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Peer, Recipient, Service, Target
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.verdict import Accept, Reject
from twisted_mail_node.policy import OpenPolicy, PolicyChain
from twisted_mail_node.testing.deferreds import result_of

CLIENT = Client(Peer("192.0.2.1"), Service.SMTP)
JOE = Address("joe", "a.test")
NO = Reject(EnhancedStatus(5, 7, 1), "no")
HERE = Accept(Recipient(JOE, (Target("joe@a.test"),)))
THERE = Accept(Recipient(JOE, (Target("ann@a.test"),)))


class Says(OpenPolicy):
    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def recipient(self, client, sender, recipient):
        self.asked += 1
        return self.answer if isinstance(self.answer, Deferred) else succeed(self.answer)


def asked(*answers):
    policies = [Says(answer) for answer in answers]
    chain = PolicyChain(policies)
    assert verifyObject(ISMTPPolicy, chain)
    return chain.recipient(CLIENT, None, JOE), policies


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ((), Accept()),
        ((Accept(), HERE), HERE),
        ((HERE, Accept()), HERE),
        ((HERE, THERE), HERE),
        ((HERE, NO), NO),
        ((NO, HERE), NO),
        ((Accept(),), Accept()),
    ],
)
def test_the_first_no_decides_else_the_first_recipient(answers, verdict):
    deferred, policies = asked(*answers)
    assert result_of(deferred) == verdict
    if verdict is NO:
        position = answers.index(NO)
        assert [policy.asked for policy in policies] == [1] * (position + 1) + [0] * (len(answers) - position - 1)


@pytest.mark.parametrize(("late", "verdict"), [(HERE, HERE), (NO, NO), (Accept(), THERE)])
def test_a_late_answer_is_waited_for(late, verdict):
    waiting = Deferred()
    deferred, policies = asked(Accept(), waiting, THERE)
    assert policies[2].asked == 0
    waiting.callback(late)
    assert result_of(deferred) == verdict


def test_a_failing_policy_is_not_passed_over():
    deferred, policies = asked(Accept(), fail(ZeroDivisionError()), HERE)
    with pytest.raises(ZeroDivisionError):
        result_of(deferred)
    assert policies[2].asked == 0


def test_every_stage_is_asked():
    chain = PolicyChain([OpenPolicy(), OpenPolicy()])
    for deferred in (
        chain.connected(CLIENT),
        chain.hello(CLIENT),
        chain.sender(CLIENT, None, ()),
        chain.verify(CLIENT, "joe"),
        chain.expand(CLIENT, "list"),
    ):
        assert result_of(deferred) == Accept()
