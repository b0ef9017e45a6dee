"""Mail for several, one of whom has no room: nobody else loses by it. RFC 5321 §6.1, RFC 3463 §3.3"""

from __future__ import annotations

import pytest
from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from twisted_mail_node.intake.identity import TransactionIds
from twisted_mail_node.intake.sink import Intake, IntakeSettings
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Envelope, Peer, Recipient, Service, Target
from twisted_mail_node.mail.quota import QuotaLimits
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

ANN, BOB, JOE = "ann@a.test", "bob@a.test", "joe@a.test"


@pytest.fixture
def store():
    store = MemoryStore(Clock())
    result_of(store.start())
    for name in (ANN, BOB, JOE):
        result_of(store.create_account(name))
    result_of(store.set_quota(BOB, QuotaLimits(0, None)))
    return store


@pytest.fixture
def send(store):
    clock = Clock()
    intake = Intake(
        store,
        clock,
        TransactionIds(clock, bytes),
        lambda *told: Body(2, 2, b"\r\n"),
        IntakeSettings(hostname="mx.a.test"),
        resolve=lambda sender: succeed(Recipient(sender, (Target(str(sender)),))),
    )

    def send(service=Service.SMTP):
        to = tuple(Recipient(Address.parse(name), (Target(name),)) for name in (BOB, JOE))
        sink = intake.begin(Envelope(Client(Peer("192.0.2.1"), service, "c.test"), Address.parse(ANN), to))
        sink.write(b"Subject: x\r\n\r\n")
        return [reply.code for reply in result_of(sink.finish())]

    return send


@pytest.fixture
def held(store):
    return lambda: [result_of(store.quota(name)).messages for name in (ANN, BOB, JOE)]


def test_the_others_get_it_and_the_sender_is_told(send, held):
    assert send() == [250]
    assert held() == [1, 0, 1]


def test_the_others_get_it_where_the_sender_is_full_too(store, send, held):
    result_of(store.set_quota(ANN, QuotaLimits(0, None)))
    assert send() == [250]
    assert held() == [0, 0, 1]


def test_lmtp_answers_each(send, held):
    assert send(Service.LMTP) == [452, 250]
    assert held() == [0, 0, 1]
