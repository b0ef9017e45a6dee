"""The PROXY protocol's header, in both versions (§2.1, §2.2)."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.crc32c import crc32c
from twisted_mail_node.wire.errors import ProtocolViolation
from twisted_mail_node.wire.proxy_header import LINE_OCTETS, ProxyHeader, read_proxy_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def binary(command, family, content):
    return SIGNATURE + struct.pack("!BBH", command, family, len(content)) + content


def vector(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def checked(command, family, content, behind=b""):
    """A header with a checksum between the two parts."""
    header = binary(command, family, content + vector(3, bytes(4)) + behind)
    start = 16 + len(content) + 3
    return header[:start] + crc32c(header).to_bytes(4, "big") + header[start + 4 :]


def addresses(source, destination, source_port, destination_port):
    packed = ip_address(source).packed + ip_address(destination).packed
    return packed + struct.pack("!HH", source_port, destination_port)


V4 = addresses("192.0.2.9", "192.0.2.1", 1234, 25)
V6 = addresses("2001:db8::9", "2001:db8::1", 1234, 25)
FOUR = (("192.0.2.9", 1234), ("192.0.2.1", 25))
SIX = (("2001:db8::9", 1234), ("2001:db8::1", 25))

HEADERS = [
    (b"PROXY TCP4 192.0.2.9 192.0.2.1 1234 25\r\n", FOUR),
    (b"PROXY TCP6 2001:db8::9 2001:db8::1 1234 25\r\n", SIX),
    (b"PROXY UNKNOWN\r\n", (None, None)),
    (b"PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n", (None, None)),
    (binary(0x21, 0x11, V4), FOUR),
    (binary(0x21, 0x11, V4 + b"\x04\x00\x01x"), FOUR),
    (binary(0x21, 0x21, V6), SIX),
    (binary(0x20, 0x00, b""), (None, None)),
    (binary(0x20, 0x11, V4), (None, None)),
    (binary(0x21, 0x00, b""), (None, None)),
    (binary(0x21, 0x31, bytes(216)), (None, None)),
    (binary(0x21, 0x32, bytes(216)), (None, None)),
    (binary(0x21, 0x12, V4), (None, None)),
    (binary(0x21, 0x22, V6), (None, None)),
    (binary(0x21, 0x01, b"whatever"), (None, None)),
    (binary(0x21, 0x10, b"whatever"), (None, None)),
    (binary(0x20, 0xFF, b"\x03\x00\x04\xff\xff\xff\xff"), (None, None)),
    (checked(0x21, 0x11, V4), FOUR),
    (checked(0x21, 0x21, V6 + vector(4, b"xyz") + vector(0x20, b"\x01\x00\x00\x00\x00"), vector(5, b"id")), SIX),
    (checked(0x21, 0x31, bytes(216)), (None, None)),
]


@pytest.mark.parametrize(("header", "places"), HEADERS)
def test_a_header_tells_both_ends(header, places):
    assert read_proxy_header(header) == ProxyHeader(len(header), *places)
    assert read_proxy_header(header + b"EHLO x\r\n") == ProxyHeader(len(header), *places)


@pytest.mark.parametrize("header", [header for header, _ in HEADERS])
def test_a_part_of_a_header_asks_for_more(header):
    assert [read_proxy_header(header[:end]) for end in range(len(header))] == [None] * len(header)


@pytest.mark.parametrize(
    "received",
    [
        b"EHLO x\r\n",
        b"\x16\x03\x01",
        b"PROXY\r\n",
        b"PROXY \r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 1234\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 1234 25 26\r\n",
        b"PROXY TCP4 2001:db8::9 192.0.2.1 1234 25\r\n",
        b"PROXY TCP6 192.0.2.9 2001:db8::1 1234 25\r\n",
        b"PROXY TCP4 mx.example 192.0.2.1 1234 25\r\n",
        b"PROXY TCP4 192.0.2.\xff 192.0.2.1 1234 25\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 65536 25\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 000000 25\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 -1 25\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 0025 25\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 25 00\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 \xb2 25\r\n",
        b"PROXY TCP4 192.0.2.09 192.0.2.1 25 25\r\n",
        b"PROXY TCP6 fe80::1%1 2001:db8::1 25 25\r\n",
        b"PROXY  TCP4 192.0.2.9 192.0.2.1 25 25\r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 25 25 \r\n",
        b"PROXY TCP4 192.0.2.9 192.0.2.1 25 25\nEHLO x\r\n",
        b"proxy TCP4 192.0.2.9 192.0.2.1 25 25\r\n",
        b"PROXY UDP4 192.0.2.9 192.0.2.1 1234 25\r\n",
        b"PROXY TCP4 " + b"1" * LINE_OCTETS,
        b"PROXY UNKNOWN " + b"1" * LINE_OCTETS + b"\r\n",
        binary(0x22, 0x11, V4),
        binary(0x11, 0x11, V4),
        binary(0x21, 0x11, V4[:-1]),
        binary(0x21, 0x21, V6[:-1]),
        binary(0x21, 0x31, bytes(215)),
        binary(0x21, 0x41, V4),
        binary(0x21, 0x13, V4),
        binary(0x21, 0x11, V4 + b"\x04"),
        binary(0x21, 0x11, V4 + b"\x04\x00\x02x"),
        binary(0x21, 0x11, V4 + vector(3, b"\x00\x00\x00\x00")),
        binary(0x21, 0x11, V4 + vector(3, b"")),
        binary(0x21, 0x11, V4 + vector(3, b"12345")),
        checked(0x21, 0x11, V4).replace(b"\x04\xd2", b"\x04\xd3"),
    ],
)
def test_what_is_no_header_is_refused(received):
    with pytest.raises(ProtocolViolation):
        read_proxy_header(received)


@given(st.one_of(st.binary(), st.binary().map(lambda tail: SIGNATURE + tail), st.binary().map(b"PROXY ".__add__)))
def test_whatever_comes_is_a_header_or_none_or_refused(received):
    try:
        header = read_proxy_header(received)
    except ProtocolViolation:
        return
    assert header is None or header.size <= len(received)
