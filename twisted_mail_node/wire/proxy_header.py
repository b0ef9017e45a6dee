"""
The header that a proxy puts in front of a client's connection: from where to where the client connected.

Source: "The PROXY protocol" of HAProxy as of 2020-03-05, versions 1 (§2.1, a line of text) and 2 (§2.2, binary).
Whether a proxy is believed is not decided here. Of what a header of version 2 may say beside the addresses, the
checksum is verified and nothing else heeded: that a client came by TLS (PP2_TYPE_SSL), or under which name, is the
proxy's word and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from .crc32c import crc32c
from .errors import ProtocolViolation

LINE_OCTETS = 107
"""The longest header of version 1, CRLF included (§2.1). One of version 2 tells its length, 65,551 at most (§2.2)."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED_OCTETS = 16
# Version and command.
_LOCAL, _PROXY = 0x20, 0x21
# Family and transport: unspecified, IPv4, IPv6, unix; unspecified, stream, datagram. Others are invalid.
_LAST_FAMILY, _LAST_TRANSPORT = 3, 2
_TCP = (0x11, 0x21)
_ADDRESSES_OCTETS = {0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216}
_CRC32C = 0x03
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
    # A zone is none of the canonical form; leading zeros are not permitted (§2.1).
    is_canonical = b"%" not in host and port.isdigit() and port == b"%d" % int(port[:6])
    if type(address) is not _KINDS[family] or not is_canonical or int(port) > 65535:
        raise ProtocolViolation("the PROXY header has an address that is none")
    return str(address), int(port)


def _binary(received: bytes) -> ProxyHeader | None:
    if len(received) < _FIXED_OCTETS:
        return None
    command, family = received[12], received[13]
    size = _FIXED_OCTETS + int.from_bytes(received[14:16], "big")
    if command not in (_LOCAL, _PROXY):
        raise ProtocolViolation("the PROXY header is of an unknown version or command")
    if command == _PROXY and (family >> 4 > _LAST_FAMILY or family & 0xF > _LAST_TRANSPORT):
        raise ProtocolViolation("the PROXY header is of an unknown family or transport")
    if len(received) < size:
        return None
    # What a proxy says for itself is skipped as a whole, and so is what has no addresses.
    octets = _ADDRESSES_OCTETS.get(family)
    if command == _LOCAL or octets is None:
        return ProxyHeader(size)
    header = received[:size]
    if size < _FIXED_OCTETS + octets:
        raise ProtocolViolation("the PROXY header ends within its addresses")
    _verify_checksum(header, _FIXED_OCTETS + octets)
    if family not in _TCP:
        return ProxyHeader(size)
    return _with_addresses(header, octets)


def _with_addresses(header: bytes, octets: int) -> ProxyHeader:
    """Two addresses, then two ports."""
    middle, ports, end = (_FIXED_OCTETS + part for part in ((octets - 4) // 2, octets - 4, octets))
    source, destination = ip_address(header[_FIXED_OCTETS:middle]), ip_address(header[middle:ports])
    source_port = int.from_bytes(header[ports : ports + 2], "big")
    destination_port = int.from_bytes(header[ports + 2 : end], "big")
    return ProxyHeader(len(header), (str(source), source_port), (str(destination), destination_port))


def _verify_checksum(header: bytes, start: int) -> None:
    """Raises: ProtocolViolation: a checksum is there and wrong (§2.2.3), or the vectors do not fill the header."""
    while start < len(header):
        value = start + 3
        end = value + int.from_bytes(header[start + 1 : value], "big")
        if end > len(header):
            raise ProtocolViolation("the PROXY header ends within a vector")
        if header[start] == _CRC32C:
            told = header[value:end]
            zeroed = header[:value] + bytes(len(told)) + header[end:]
            if told != crc32c(zeroed).to_bytes(4, "big"):
                raise ProtocolViolation("the PROXY header's checksum is wrong")
        start = end
