"""Who comes too often waits outside."""

from __future__ import annotations

from ipaddress import ip_network

from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.policy import ISMTPPolicy
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Peer, Service
from twisted_mail_node.mail.verdict import Accept
from twisted_mail_node.policy import RateLimits, RateLimitSettings
from twisted_mail_node.testing.deferreds import result_of


def made(**settings):
    clock = Clock()
    limits = RateLimits(clock, RateLimitSettings(trusted=[ip_network("127.0.0.0/8")], **settings))
    assert verifyObject(ISMTPPolicy, limits)
    return limits, clock


def code(deferred):
    verdict = result_of(deferred)
    return 250 if isinstance(verdict, Accept) else verdict.code


def client(host):
    return Client(Peer(host), Service.SMTP)


def test_connections_beyond_the_limit_are_closed_until_the_span_is_over():
    limits, clock = made(connections=2)
    far = client("192.0.2.1")
    assert code(limits.sender(far, None, ())) == 250
    assert [code(limits.connected(far)) for _ in range(3)] == [250, 250, 421]
    assert code(limits.connected(client("192.0.2.2"))) == 250
    clock.advance(60)
    assert code(limits.connected(far)) == 250


def test_messages_beyond_the_limit_are_put_off():
    limits, _ = made(messages=1)
    far = client("192.0.2.1")
    assert code(limits.connected(far)) == 250
    assert [code(limits.sender(far, None, ())) for _ in range(2)] == [250, 450]
    assert code(limits.connected(far)) == 250


def test_trusted_networks_and_unix_sockets_are_exempt():
    limits, _ = made(connections=1, messages=1)
    for host in ("127.0.0.1", "", "not an address"):
        assert [code(limits.connected(client(host))) for _ in range(3)] == [250] * 3


def test_an_ipv6_network_counts_as_one():
    limits, _ = made(connections=1)
    assert code(limits.connected(client("2001:db8::1"))) == 250
    assert code(limits.connected(client("2001:db8::2"))) == 421
    assert code(limits.connected(client("2001:db8:0:1::1"))) == 250


def test_memory_is_bounded():
    limits, _ = made(connections=1, max_addresses=10)
    for number in range(100):
        limits.connected(client(f"192.0.2.{number}"))
    assert len(limits._connections) == 10


def test_without_limits_nothing_is_counted():
    limits, _ = made()
    limits.connected(client("192.0.2.1"))
    assert len(limits._connections) == 0
    assert code(limits.hello(client("192.0.2.1"))) == 250
    assert code(limits.recipient(client("192.0.2.1"), None, Address("a", "b"))) == 250
    assert code(limits.verify(client("192.0.2.1"), "")) == 250
    assert code(limits.expand(client("192.0.2.1"), "")) == 250
