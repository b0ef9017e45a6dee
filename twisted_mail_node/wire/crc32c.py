"""The checksum CRC32c (Castagnoli). Source: RFC 9260 appendix A."""

from __future__ import annotations

# The polynomial, its bits in reverse: the checksum takes the lowest bit of each octet first.
_POLYNOMIAL = 0x82F63B78


def _remainder(octet: int) -> int:
    for _ in range(8):
        octet = (octet >> 1) ^ (_POLYNOMIAL if octet & 1 else 0)
    return octet


_TABLE = tuple(map(_remainder, range(256)))


def crc32c(octets: bytes) -> int:
    """The checksum of the octets."""
    rest = 0xFFFFFFFF
    for octet in octets:
        rest = (rest >> 8) ^ _TABLE[(rest ^ octet) & 0xFF]
    return rest ^ 0xFFFFFFFF
