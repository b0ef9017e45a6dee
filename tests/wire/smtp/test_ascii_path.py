"""Which addresses can stand in a command without SMTPUTF8, and how."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.smtp.ascii_path import ascii_path, is_writable


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        (None, True),
        (Address("a", "b.test"), True),
        (Address("a b", "b.test"), True),
        (Address("ä", "b.test"), False),
        (Address("a", "例え.テスト"), True),
        (Address("a\r\nRCPT TO:<x>", "b.test"), False),
        (Address("a", "b.test>\r\nDATA"), False),
        (Address("a", "\u0378.test"), False),
    ],
)
def test_addresses_that_cannot_be_written_are_told(address, possible):
    assert is_writable(address) is possible
    if not possible:
        with pytest.raises(MisuseError):
            ascii_path(address)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (None, b"<>"),
        (Address("a", "b.test"), b"<a@b.test>"),
        (Address("a b", "b.test"), b'<"a b"@b.test>'),
        (Address("a", "bücher.test"), b"<a@xn--bcher-kva.test>"),
    ],
)
def test_an_address_is_written_in_angle_brackets(address, path):
    assert ascii_path(address) == path


def test_an_address_that_cannot_be_written_is_misuse():
    with pytest.raises(MisuseError, match="not a domain"):
        ascii_path(Address("a", "ü" * 70))
