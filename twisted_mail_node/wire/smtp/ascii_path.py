"""
Addresses as a client writes them into commands without SMTPUTF8: domains as A-labels (RFC 5891), the rest in ASCII.

Neighbours: `syntax` quotes; `client` writes the commands; `delivery` asks beforehand which addresses can be written.
"""

from __future__ import annotations

from functools import lru_cache

import idna

from ...mail.address import Address
from ..errors import MisuseError
from .syntax import render_path


def is_writable(address: Address | None) -> bool:
    """Whether the address can stand in a command without SMTPUTF8: ASCII but for the domain, no control character."""
    try:
        ascii_path(address)
    except MisuseError:
        return False
    return True


@lru_cache(maxsize=1024)  # each address is asked about before it is written
def ascii_path(address: Address | None) -> bytes:
    """The address in angle brackets; None is the null path. Raises: MisuseError: it cannot be written."""
    if address is not None and not address.domain.isascii():
        try:
            domain = idna.encode(address.domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise MisuseError(f"not a domain: {address.domain!r}") from None
        address = Address(address.local_part, domain)
    path = render_path(address)
    if not path.isascii() or not path.decode("ascii").isprintable():
        raise MisuseError("an address with characters that cannot be written")
    return path
