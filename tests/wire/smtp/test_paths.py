"""Which addresses can stand in a command, and how, with SMTPUTF8 (RFC 6531 §3.3) and without."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.smtp.paths import ascii_path, is_writable, needs_smtputf8, utf8_path


@pytest.mark.parametrize(
    ("address", "writable", "needs"),
    [
        (None, True, False),
        (Address("a", "b.test"), True, False),
        (Address("a b", "b.test"), True, False),
        (Address("ä", "b.test"), True, True),
        (Address("a", "例え.テスト"), True, False),
        (Address("a\r\nRCPT TO:<x>", "b.test"), False, True),
        (Address("a\x85", "b.test"), False, True),
        (Address("a\ud800", "b.test"), False, True),
        (Address("a", "b.test>\r\nDATA"), False, True),
        (Address("a", "\u0378.test"), True, True),
    ],
)
def test_addresses_that_cannot_be_written_are_told(address, writable, needs):
    assert is_writable(address) is writable
    assert needs_smtputf8(address) is needs
    if needs:
        with pytest.raises(MisuseError):
            ascii_path(address)
    if not writable:
        with pytest.raises(MisuseError):
            utf8_path(address)


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


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (None, "<>"),
        (Address("jürgen", "bücher.test"), "<jürgen@bücher.test>"),
        (Address("नेहा\u200d", "b.test"), "<नेहा\u200d@b.test>"),
        (Address("ü b", "b.test"), '<"ü b"@b.test>'),
    ],
)
def test_with_smtputf8_an_address_is_written_as_it_is(address, path):
    assert utf8_path(address) == path.encode()
