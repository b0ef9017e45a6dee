"""XCLIENT and XFORWARD: what is told of another client comes into policy, trace and log, from those who are trusted."""

from __future__ import annotations

import pytest
from twisted.internet.defer import succeed

from twisted_mail_node.mail.envelope import Forwarded, Service
from twisted_mail_node.mail.host import is_loopback
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.verdict import Defer, Reject
from twisted_mail_node.policy import OpenPolicy, PolicyChain

EHLO = b"EHLO proxy.test\r\n"
MAIL = b"MAIL FROM:<s@c.test>\r\n"
MESSAGE = MAIL + b"RCPT TO:<alice@a.test>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"
TRUSTED = {"trusted_for_xclient": is_loopback, "trusted_for_xforward": is_loopback}


def codes(output: bytes) -> list[int]:
    return [int(line[:3]) for line in output.splitlines() if line[3:4] == b" "]


class Watching(OpenPolicy):
    """Keeps the clients that it was asked about; does not want connections from 192.0.2.66 and .67."""

    def __init__(self):
        self.clients = []

    def connected(self, client):
        self.clients.append(client)
        if client.peer.host == "192.0.2.66":
            return succeed(Reject(EnhancedStatus(5, 7, 1), "not you"))
        if client.peer.host == "192.0.2.67":
            return succeed(Defer(EnhancedStatus(4, 7, 1), "not now"))
        return super().connected(client)

    def sender(self, client, sender, parameters):
        self.clients.append(client)
        return super().sender(client, sender, parameters)


@pytest.fixture
def watching(site):
    policy = Watching()
    connection = site.connections(policy=PolicyChain([policy, site.policy]), **TRUSTED)()
    connection.feed(EHLO)
    connection.take()
    policy.clients.clear()
    return policy, connection


def test_the_client_told_of_is_the_client_for_policy_and_trace(site, watching):
    policy, connection = watching
    connection.feed(b"XCLIENT NAME=mx.far.test ADDR=192.0.2.9 PORT=4711 PROTO=SMTP HELO=first.test\r\n")
    [told] = policy.clients
    assert (told.peer.host, told.peer.port, told.peer.name) == ("192.0.2.9", 4711, "mx.far.test")
    assert (told.hello, told.esmtp, told.account) == ("first.test", False, None)
    connection.feed(b"EHLO mx.far.test\r\n" + MESSAGE)
    assert codes(connection.take()) == [220, 250, 250, 250, 354, 250]
    sending = policy.clients[-1]
    assert (sending.peer, sending.hello, sending.esmtp) == (told.peer, "mx.far.test", True)
    [content] = site.messages("alice@a.test")
    assert b"Received: from mx.far.test (mx.far.test [192.0.2.9])\r\n\tby mx.a.test with ESMTP id" in content


def test_what_is_told_adds_up(watching):
    policy, connection = watching
    connection.feed(b"XCLIENT ADDR=192.0.2.9 PORT=1\r\n" + EHLO + b"XCLIENT NAME=x.test\r\n" + EHLO)
    connection.feed(b"XCLIENT ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]\r\n")
    peers = [(client.peer.host, client.peer.port, client.peer.name) for client in policy.clients]
    assert peers == [("192.0.2.9", 1, ""), ("192.0.2.9", 1, "x.test"), ("unknown", 0, "")]


@pytest.mark.parametrize(("address", "code"), [(b"192.0.2.66", 554), (b"192.0.2.67", 421)])
def test_a_client_that_is_not_wanted_ends_the_session(watching, address, code):
    _, connection = watching
    connection.feed(b"XCLIENT ADDR=" + address + b"\r\n" + EHLO + MESSAGE)
    assert codes(connection.take()) == [code]
    assert connection.closed


def test_nobody_becomes_trusted_by_what_is_told(site):
    connection = site.connections(trusted_for_xclient=lambda host: host == "192.0.2.9")()
    connection.feed(EHLO + b"XCLIENT ADDR=192.0.2.9\r\n")
    assert codes(connection.take())[-1] == 550


def test_who_is_trusted_may_tell_again_whatever_was_told(watching):
    _, connection = watching
    connection.feed(b"XCLIENT ADDR=192.0.2.9\r\n" + EHLO + b"XCLIENT ADDR=192.0.2.10\r\n")
    assert codes(connection.take()) == [220, 250, 220]


def test_the_limits_are_those_of_the_client_told_of(site):
    connection = site.connections(max_messages=1, **TRUSTED)()
    connection.feed(EHLO + b"XCLIENT ADDR=192.0.2.9\r\n" + EHLO)
    assert b"250-LIMITS MAILMAX=1 " in connection.take()
    connection.feed(MAIL + b"RSET\r\n" + MAIL)
    assert codes(connection.take()) == [250, 250, 421]


def test_passwords_in_clear_are_for_loopback_whoever_stands_in_front(site):
    connection = site.connections(service=Service.SUBMISSION, auth="required", **TRUSTED)()
    connection.feed(EHLO)
    assert b"250-AUTH PLAIN" in connection.take()
    for address in (b"192.0.2.9", b"[UNAVAILABLE]"):
        connection.feed(b"XCLIENT ADDR=" + address + b"\r\n" + EHLO)
        assert b"250-AUTH" not in connection.take()


def test_a_login_told_of_is_a_login_and_one_before_is_none_any_more(site):
    connection = site.connections(service=Service.SUBMISSION, auth="required", **TRUSTED)()
    connection.feed(EHLO + b"AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\nXCLIENT ADDR=127.0.0.1\r\n" + EHLO + MAIL)
    assert codes(connection.take())[-3:] == [220, 250, 530]
    connection.feed(
        b"XCLIENT LOGIN=Alice@A.test\r\n" + EHLO + b"AUTH PLAIN AA==\r\n" + MESSAGE.replace(b"s@c", b"alice@a")
    )
    assert codes(connection.take())[1:] == [250, 503, 250, 250, 354, 250]
    [content] = site.messages("alice@a.test")
    assert b"with ESMTPA id" in content


def test_a_forwarded_client_is_in_trace_and_log_of_one_message(site, logged):
    connection = site.connections(**TRUSTED)()
    connection.feed(EHLO + b"XFORWARD NAME=mx.far.test ADDR=192.0.2.9\r\n")
    connection.feed(b"XFORWARD HELO=hi PORT=25 IDENT=AB SOURCE=LOCAL\r\n")
    connection.feed(b"XFORWARD PROTO=ESMTP PORT=[UNAVAILABLE]\r\n" + MESSAGE + MESSAGE)
    told, untold = site.messages("alice@a.test")
    assert b"\r\n\t(forwarded for helo=hi mx.far.test [192.0.2.9])\r\n\tby mx.a.test" in told
    assert b"forwarded" not in untold
    events = [event for event in logged if "outcome" in event]
    forwarded = Forwarded("mx.far.test", "192.0.2.9", "", "ESMTP", "hi", "AB", "LOCAL")
    assert [event["forwarded"] for event in events] == [forwarded, None]
    assert [event["peer"] for event in events] == ["127.0.0.1"] * 2


@pytest.mark.parametrize("ending", [b"RSET\r\n", MAIL + b"RSET\r\n", EHLO])
def test_what_was_forwarded_is_forgotten_with_its_transaction(site, ending):
    connection = site.connections(**TRUSTED)()
    connection.feed(EHLO + b"XFORWARD NAME=[UNAVAILABLE]\r\n" + ending + MESSAGE)
    [content] = site.messages("alice@a.test")
    assert b"forwarded" not in content
    connection.feed(b"XFORWARD NAME=[UNAVAILABLE]\r\n" + MESSAGE)
    assert b"\t(forwarded for somebody unknown)\r\n" in site.messages("alice@a.test")[1]
