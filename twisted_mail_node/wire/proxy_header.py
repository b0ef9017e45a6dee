"""
The header that a proxy puts in front of a client's connection: from where to where the client connected.

Source: "The PROXY protocol" of HAProxy, versions 1 (§2.1, a line of text) and 2 (§2.2, binary). Whether a proxy is
believed is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from .errors import ProtocolViolation

LINE_OCTETS = 107
"""The longest header of version 1, CRLF included (§2.1). One of version 2 tells its length, 65,551 at most (§2.2)."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED_OCTETS = 16
# Version and command; then the family with STREAM, and the octets of an address.
_LOCAL, _PROXY = 0x20, 0x21
_ADDRESS_OCTETS = {0x11: 4, 0x21: 16}
_KINDS: dict[bytes, type[object]] = {b"TCP4": IPv4Address, b"TCP6": IPv6Address}

Place = tuple[str, int]
"""IP address and port."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """
    A header of `size` octets.

    `source` and `destination` are the client's; None where the proxy speaks for itself (its health check), or does
    not know.
    """

    size: int
    source: Place | None = None
    destination: Place | None = None


def read_proxy_header(received: bytes) -> ProxyHeader | None:
    """
    The header at the beginning of what was received; None while it is not there as a whole.

    Raises: ProtocolViolation: there is none.
    """
    if received.startswith(_SIGNATURE):
        return _binary(received)
    if received.startswith(b"PROXY "):
        return _text(received)
    if _SIGNATURE.startswith(received) or b"PROXY ".startswith(received):
        return None
    raise ProtocolViolation("no PROXY header")


def _text(received: bytes) -> ProxyHeader | None:
    line, crlf, _ = received[:LINE_OCTETS].partition(b"\r\n")
    if not crlf:
        if len(received) >= LINE_OCTETS:
            raise ProtocolViolation("the PROXY header is too long")
        return None
    size = len(line) + len(crlf)
    match line.split(b" "):
        case [_, b"UNKNOWN", *_]:
            return ProxyHeader(size)
        case [_, (b"TCP4" | b"TCP6") as family, source, destination, source_port, destination_port]:
            return ProxyHeader(size, _place(family, source, source_port), _place(family, destination, destination_port))
    raise ProtocolViolation("the PROXY header is not understood")


def _place(family: bytes, host: bytes, port: bytes) -> Place:
    try:
        address = ip_address(host.decode("ascii"))
    except ValueError:
        raise ProtocolViolation("the PROXY header has an address that is none") from None
    if type(address) is not _KINDS[family] or not port.isdigit() or len(port) > 5 or int(port) > 65535:
        raise ProtocolViolation("the PROXY header has an address that is none")
    return str(address), int(port)


def _binary(received: bytes) -> ProxyHeader | None:
    if len(received) < _FIXED_OCTETS:
        return None
    command, family = received[12], received[13]
    size = _FIXED_OCTETS + int.from_bytes(received[14:16], "big")
    if command not in (_LOCAL, _PROXY):
        raise ProtocolViolation("the PROXY header is of an unknown version or command")
    if len(received) < size:
        return None
    octets = _ADDRESS_OCTETS.get(family)
    # What it does not know, a receiver takes as "not told" (§2.2); what follows the addresses, it passes over.
    if command == _LOCAL or octets is None:
        return ProxyHeader(size)
    end = _FIXED_OCTETS + 2 * octets
    if size < end + 4:
        raise ProtocolViolation("the PROXY header ends within its addresses")
    source = str(ip_address(received[_FIXED_OCTETS : _FIXED_OCTETS + octets]))
    destination = str(ip_address(received[_FIXED_OCTETS + octets : end]))
    source_port, destination_port = received[end : end + 2], received[end + 2 : end + 4]
    return ProxyHeader(
        size,
        (source, int.from_bytes(source_port, "big")),
        (destination, int.from_bytes(destination_port, "big")),
    )
