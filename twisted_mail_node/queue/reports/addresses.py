"""
Addresses in the fields of a report: as `rfc822`, or as `utf-8` where they are beyond ASCII.

In a part that may hold UTF-8 they stand as they are, in any other with what is beyond ASCII embedded. Sources: RFC
3464 §2.3.1, §2.3.2, RFC 3461 §6.3, RFC 6533 §3, §4.1.
"""

from __future__ import annotations

from ...mail.address import Address
from ...mail.report import Told
from ...wire.smtp.original_recipient import in_ascii, original_recipient, read_original_recipient
from ...wire.smtp.paths import ascii_path, is_writable, needs_smtputf8
from .text import printable


def header_address(address: Address) -> str:
    """The address in a header field; a domain beyond ASCII as A-labels where that is enough."""
    if not needs_smtputf8(address):
        return ascii_path(address).decode("ascii")[1:-1]
    return str(address) if is_writable(address) else _escaped(str(address))


def final_recipient(told: Told, *, utf8: bool) -> str:
    """`type; address` of the recipient as the message went to it."""
    return _typed(original_recipient(told.recipient), utf8=utf8)


def first_recipient(told: Told, *, utf8: bool) -> str:
    """`type; address` of the recipient as the sender wrote it; "" where that is not known to be another one."""
    # RFC 3461 §6.3 (d) has no field where no ORCPT came, §5.2.1 (d) lets us add ORCPT for the next host, which tells of
    # it: the sender is to know the address again, whoever reports.
    value = told.options.original
    if value is None and told.written is not None and told.written != told.recipient:
        value = original_recipient(told.written)
    return "" if value is None else _typed(value, utf8=utf8)


def _typed(value: str, *, utf8: bool) -> str:
    kind, address = read_original_recipient(value)
    if not utf8 and not address.isascii():
        _, _, address = in_ascii(value).partition(";")
    return f"{_escaped(kind)}; {printable(address)}"


def _escaped(text: str) -> str:
    return printable(text).encode("ascii", "backslashreplace").decode("ascii")
