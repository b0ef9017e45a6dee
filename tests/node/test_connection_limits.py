"""How many clients may be connected at a time."""

import gc
import ipaddress
import weakref

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.node.connection_limits import EBB, ConnectionLimits
from twisted_mail_node.testing.connections import MemoryTransport


class Client(Protocol):
    def connectionLost(self, reason):
        self.is_lost = True


def limited(in_all=100, per_address=2, service=Service.SMTP):
    limits = ConnectionLimits(in_all, per_address, [ipaddress.ip_network("127.0.0.0/8")])
    factory = limits.limited(Factory.forProtocol(Client), service)
    return limits, lambda host: connect(factory, host)


def connect(factory, host):
    if not host:
        address = UNIXAddress(b"")
    else:
        address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, 1)
    protocol, transport = factory.buildProtocol(address), StringTransport()
    protocol.makeConnection(transport)
    return protocol, transport


def test_one_address_gets_so_many_connections_and_no_more():
    limits, come = limited()
    first, _ = come("192.0.2.1")
    come("192.0.2.1")
    refused, transport = come("192.0.2.1")
    assert not isinstance(refused, Client)
    assert transport.value() == b"421 4.7.0 too many connections, try again later\r\n"
    assert transport.disconnecting
    assert isinstance(come("192.0.2.2")[0], Client)
    first.connectionLost(None)
    assert first.is_lost
    assert isinstance(come("192.0.2.1")[0], Client)
    assert len(limits) == 3


def test_each_protocol_refuses_in_its_own_words():
    said = {service: limited(0, 1, service)[1]("192.0.2.1")[1].value().split()[0] for service in Service}
    assert said == {
        Service.SMTP: b"421",
        Service.SUBMISSION: b"421",
        Service.LMTP: b"421",
        Service.POP3: b"-ERR",
        Service.IMAP: b"*",
    }


def test_who_is_one_too_many_under_tls_is_cut_off_before_the_handshake():
    limits = ConnectionLimits(0, 1, [])
    protocol, transport = (
        limits.limited(Factory.forProtocol(Client), Service.SUBMISSION).buildProtocol(
            IPv4Address("TCP", "192.0.2.1", 1)
        ),
        MemoryTransport(tls=True),
    )
    protocol.makeConnection(transport)
    assert transport.aborted
    assert transport.take() == b""


def test_an_ipv6_subscriber_is_one_address():
    _, come = limited(per_address=1)
    assert isinstance(come("2001:db8:0:1::1")[0], Client)
    assert not isinstance(come("2001:db8:0:1::2")[0], Client)
    assert isinstance(come("2001:db8:0:2::1")[0], Client)


def test_trusted_networks_and_unix_sockets_count_for_the_whole_only():
    limits, come = limited(in_all=5, per_address=1)
    for host in ("127.0.0.1", "127.0.0.1", "", ""):
        assert isinstance(come(host)[0], Client)
    assert len(limits) == 4
    assert isinstance(come("127.0.0.1")[0], Client)
    assert not isinstance(come("127.0.0.1")[0], Client)


def test_a_factory_that_wants_nobody_counts_nobody():
    limits = ConnectionLimits(10, 10, ())
    nobody = Factory()
    nobody.buildProtocol = lambda addr: None
    factory = limits.limited(nobody, Service.SMTP)
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)) is None
    assert len(limits) == 0


def test_all_clients_can_be_cut_off():
    limits, come = limited()
    _, transport = come("192.0.2.1")
    limits.abort_all()
    assert transport.disconnected


def test_a_client_that_is_gone_is_not_kept_alive_by_a_circle():
    gc.disable()
    try:
        _, come = limited()
        protocol, _ = come("192.0.2.1")
        gone = weakref.ref(protocol)
        protocol.connectionLost(None)
        del protocol, _
        assert gone() is None
    finally:
        gc.enable()


def test_memory_is_given_back_each_time_that_many_have_left():
    ebbs = []
    limits = ConnectionLimits(10_000, 10_000, [], lambda: ebbs.append(len(limits)))
    keys = [limits.enter("192.0.2.1") for _ in range(3 * EBB)]
    for _ in range(10 * EBB):  # those who come and go one by one are no ebb
        limits.leave(limits.enter("192.0.2.2"))
    assert ebbs == []
    for key in keys[: 2 * EBB + 10]:
        limits.leave(key)
    assert ebbs == [2 * EBB + 1, EBB + 1]
