"""
Addresses as a client writes them into commands: in ASCII, domains as A-labels (RFC 5891), or in UTF-8 (RFC 6531 §3.3).

Neighbours: `syntax` quotes; `client_commands` writes the commands; `delivery` asks beforehand which can be written.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ...mail.address import Address
from ...mail.domain_name import ascii_domain
from ..errors import MisuseError
from .syntax import render_path

# RFC 6531 §3.3 adds all beyond ASCII to what a path may hold. C1 controls are as bad as those of ASCII, and lone
# surrogates have no octets.
_has_unwritable = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search


def is_writable(address: Address | None) -> bool:
    """Whether the address can stand in a command at all, with SMTPUTF8 or without."""
    return address is None or not _has_unwritable(f"{address.local_part}{address.domain}")


def needs_smtputf8(address: Address | None) -> bool:
    """Whether SMTPUTF8 is needed to write the address; it is not where only the domain is beyond ASCII."""
    try:
        ascii_path(address)
    except MisuseError:
        return True
    return False


@lru_cache(maxsize=1024)  # each address is asked about before it is written
def ascii_path(address: Address | None) -> bytes:
    """The address in angle brackets; None is the null path. Raises: MisuseError: it cannot be written in ASCII."""
    if address is not None and not address.domain.isascii():
        try:
            address = Address(address.local_part, ascii_domain(address.domain))
        except ValueError as error:
            raise MisuseError(str(error)) from None
    path = utf8_path(address)
    if not path.isascii():
        raise MisuseError("an address that cannot be written without SMTPUTF8")
    return path


def utf8_path(address: Address | None) -> bytes:
    """The address in angle brackets as it is, for a server with SMTPUTF8. Raises: MisuseError: it cannot be written."""
    if not is_writable(address):
        raise MisuseError("an address with characters that cannot be written")
    return render_path(address)
