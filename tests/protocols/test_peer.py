"""Peers as transports tell them."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransport
from zope.interface import directlyProvides

from twisted_mail_node.mail.envelope import Peer
from twisted_mail_node.protocols.peer import peer_of


class Handle:
    def get_protocol_version_name(self):
        return "TLSv1.3"

    def get_cipher_name(self):
        return "TLS_AES_256_GCM_SHA384"


class Layer:
    def getHandle(self):  # noqa: N802
        return Handle()


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (IPv4Address("TCP", "192.0.2.1", 25), "192.0.2.1", 25),
        (IPv6Address("TCP", "2001:db8::1", 25), "2001:db8::1", 25),
        (IPv6Address("TCP", "::ffff:192.0.2.1", 25), "192.0.2.1", 25),
        (IPv6Address("TCP", "fe80::1%lo", 25), "fe80::1", 25),
        (IPv6Address("TCP", "not:an:address", 25), "not:an:address", 25),
        (UNIXAddress(b""), "", 0),
    ],
)
def test_address(address, host, port):
    assert peer_of(StringTransport(peerAddress=address), "s1") == Peer(host, port, session="s1")


def test_tls_is_told_with_version_and_cipher():
    transport = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 25))
    directlyProvides(transport, ISSLTransport)
    assert peer_of(transport) == Peer("192.0.2.1", 25, True)
    transport.protocol = Layer()
    assert peer_of(transport) == Peer("192.0.2.1", 25, True, "TLSv1.3", "TLS_AES_256_GCM_SHA384")
