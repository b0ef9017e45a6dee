"""
What the IP address of a host says: whether it is within a network, cannot leave this machine, and what it counts as.

A host is text, as sockets and proxies tell it; "" is who came by a unix socket. An IPv4 address mapped into IPv6
(RFC 4291 §2.5.5.2) is that IPv4 address everywhere, and a zone makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address, or None for what is none."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_within(host: str, networks: Iterable[Network]) -> bool:
    """Whether the address lies in one of the networks."""
    address = address_of(host)
    return address is not None and any(address in network for network in networks)


def is_loopback(host: str) -> bool:
    """Whether who is there cannot be on another machine: 127.0.0.0/8, ::1, or a unix socket."""
    address = address_of(host)
    return not host or (address is not None and address.is_loopback)


def host_key(host: str, trusted: Iterable[Network] = ()) -> str | None:
    """
    What a host is counted as: its IPv4 address or IPv6 /64, the smallest part that one subscriber gets; None for who is
    not counted, within a trusted network or by a unix socket.
    """
    address = address_of(host)
    if address is None:
        return host or None
    if any(address in network for network in trusted):
        return None
    return str(IPv6Network((int(address), 64), strict=False) if isinstance(address, IPv6Address) else address)
