from ipaddress import ip_network

import pytest

from twisted_mail_node.mail.host import host_key, is_loopback, is_within

NETWORKS = tuple(map(ip_network, ("192.0.2.0/24", "2001:db8::/32")))


@pytest.mark.parametrize(
    ("host", "within"),
    [
        ("192.0.2.9", True),
        ("192.0.3.9", False),
        ("::ffff:192.0.2.9", True),
        ("2001:db8:5::1", True),
        ("2001:db8:5::1%eth0", True),
        ("2001:db9::1", False),
        ("not an address", False),
        ("", False),
    ],
)
def test_within_a_network(host, within):
    assert is_within(host, NETWORKS) is within
    if within:
        assert host_key(host, NETWORKS) is None


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
        ("", None),
    ],
)
def test_host_is_counted_as(host, key):
    assert host_key(host) == key


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.1", False),
        ("x", False),
        ("", True),
    ],
)
def test_loopback(host, loopback):
    assert is_loopback(host) is loopback
