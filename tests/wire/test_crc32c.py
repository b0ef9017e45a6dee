"""The checksum CRC32c, by the values that RFC 3720 appendix B.4 gives."""

import pytest

from twisted_mail_node.wire.crc32c import crc32c


@pytest.mark.parametrize(
    ("octets", "checksum"),
    [
        (b"", 0),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_known_values(octets, checksum):
    assert crc32c(octets) == checksum
