"""Trace lines. Sources: RFC 5321 §4.4, RFC 3848."""

from __future__ import annotations

import pytest

from twisted_mail_node.intake.trace import date_time, protocol_name, received, recipient_prefix
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Envelope, Peer, Recipient, Service, Target

ALICE, BOB = Address("alice", "a.test"), Address("bob", "a.test")
NOW = 1_700_000_000.9


def envelope(client: Client, *recipients: Address) -> Envelope:
    leading = tuple(Recipient(address, (Target(address.key),)) for address in recipients)
    return Envelope(client, Address("s", "c.test"), leading)


@pytest.mark.parametrize(
    ("service", "esmtp", "tls", "account", "name"),
    [
        (Service.SMTP, False, False, None, "SMTP"),
        (Service.SMTP, False, True, None, "SMTP"),
        (Service.SMTP, True, False, None, "ESMTP"),
        (Service.SMTP, True, True, None, "ESMTPS"),
        (Service.SMTP, True, False, "a@x", "ESMTPA"),
        (Service.SUBMISSION, True, True, "a@x", "ESMTPSA"),
        (Service.LMTP, True, False, None, "LMTP"),
        (Service.LMTP, True, True, "a@x", "LMTPSA"),
    ],
)
def test_the_protocol_is_named_as_registered(service, esmtp, tls, account, name):
    assert protocol_name(Client(Peer("192.0.2.1", tls=tls), service, "c", esmtp, account)) == name


def test_received_tells_where_from_by_whom_and_for_whom():
    client = Client(Peer("192.0.2.1"), Service.SMTP, "mx.c.test", True)
    assert received(envelope(client, ALICE), "mx.a.test", "0abc", NOW) == (
        b"Received: from mx.c.test ([192.0.2.1])\r\n"
        b"\tby mx.a.test with ESMTP id 0abc\r\n"
        b"\tfor <alice@a.test>;\r\n"
        b"\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
    )


def test_several_recipients_are_not_told_of_each_other():
    client = Client(Peer("192.0.2.1"), Service.SMTP, "mx.c.test", True)
    line = received(envelope(client, ALICE, BOB), "mx.a.test", "0abc", NOW)
    assert b"for" not in line
    assert b"alice" not in line


def test_tls_ipv6_and_unix_sockets_are_told():
    client = Client(Peer("2001:db8::1", 1, True, "TLSv1.3", "TLS_AES_256_GCM_SHA384"), Service.SMTP, "c", True)
    line = received(envelope(client, ALICE), "mx.a.test", "0abc", NOW)
    assert b"from c ([IPv6:2001:db8::1])\r\n\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n" in line
    client = Client(Peer(""), Service.LMTP, "c", True)
    assert b"from c (local socket)\r\n" in received(envelope(client, ALICE), "mx.a.test", "0abc", NOW)


def test_a_name_given_in_hello_can_not_break_the_line():
    client = Client(Peer("192.0.2.1"), Service.SMTP, "x(y)\r\nX-Evil:;<z>", True)
    line = received(envelope(client, ALICE), "mx.a.test", "0abc", NOW)
    assert line.startswith(b"Received: from x?y???X-Evil:??z? ([192.0.2.1])\r\n")
    client = Client(Peer("192.0.2.1"), Service.SMTP, "", False)
    assert b"from unknown ([192.0.2.1])" in received(envelope(client, ALICE), "mx.a.test", "0abc", NOW)


def test_dates_are_in_utc_and_in_english():
    assert date_time(0) == "Thu, 1 Jan 1970 00:00:00 +0000"


def test_each_recipients_copy_has_its_own_lines():
    assert recipient_prefix(None, ALICE, "alice@a.test") == b"Return-Path: <>\r\nDelivered-To: alice@a.test\r\n"
    assert recipient_prefix(Address("a b", "c"), Address("list", "a.test"), "bob@a.test") == (
        b'Return-Path: <"a b"@c>\r\nDelivered-To: bob@a.test\r\nX-Original-To: list@a.test\r\n'
    )
