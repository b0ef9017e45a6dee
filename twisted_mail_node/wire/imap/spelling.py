"""
How names and strings are spelled on a connection: in seven bits, or in UTF-8 once the client has enabled that.

Before: names in modified UTF-7, and a string that has eight bits as a literal. After ENABLE IMAP4rev2 or
UTF8=ACCEPT: UTF-8 in quotes, and `&` in a name is no more than that. UTF-8 of the client is understood always.
Sources: RFC 3501 §5.1.3; RFC 9051 §5.1, §A, §A.1; RFC 9755 §3. Neighbours: `mailbox_name` is modified UTF-7,
`strings` what needs no quotes; which names may exist is the store's affair.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from ..mime.strings import string, string_utf8
from . import mailbox_name
from .enabled import Extension
from .refusal import Impossible
from .response_codes import CANNOT
from .strings import astring


class Spelling(Enum):
    """One of the two ways; `spelling_of` tells which holds."""

    SEVEN_BITS = "seven bits"
    UTF8 = "UTF-8"

    # -- what the server writes -----------------------------------------------------------------------------------

    def mailbox(self, name: str) -> bytes:
        """A mailbox name, bare or quoted."""
        return self._astring(self._octets(name))

    def text(self, text: str) -> bytes:
        """Any text as an astring, in UTF-8."""
        return self._astring(text.encode("utf-8", "replace"))

    def prefix(self, name: str) -> bytes:
        """The same as a string, never bare: for NAMESPACE."""
        return self.string(self._octets(name))

    def string(self, octets: bytes) -> bytes:
        """A string: quoted where that can be, else a literal."""
        return string(octets) if self is Spelling.SEVEN_BITS else string_utf8(octets)

    def _astring(self, octets: bytes) -> bytes:
        return astring(octets) if octets.isascii() else self.string(octets)

    def _octets(self, name: str) -> bytes:
        if self is Spelling.SEVEN_BITS:
            return mailbox_name.encode(name)
        return name.encode("utf-8", "replace")  # half a surrogate pair, which UTF-8 has no form for, is `?`

    # -- what the client writes -----------------------------------------------------------------------------------

    def name_of(self, octets: bytes) -> str:
        """
        The name that these octets mean; `inbox` in any case is INBOX.

        Raises: Impossible: octets that encode no name, or not in the one way the standard allows.
        """
        name = self.text_of(octets)
        if name is None:
            raise Impossible("mailbox name is neither UTF-8 nor modified UTF-7", CANNOT)
        return "INBOX" if name.upper() == "INBOX" else name

    def text_of(self, octets: bytes) -> str | None:
        """Octets of a name or a pattern as text, or None."""
        if self is Spelling.SEVEN_BITS and octets.isascii():
            return mailbox_name.decode_text(octets)
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def lenient_text_of(self, octets: bytes) -> str:
        """The same; what is no name's spelling is left as it is, and can be the name of nothing."""
        text = self.text_of(octets)
        return octets.decode("latin-1") if text is None else text


def spelling_of(enabled: Collection[Extension]) -> Spelling:
    """How names and strings are spelled where this is enabled."""
    if Extension.UTF8_ACCEPT in enabled or Extension.IMAP4REV2 in enabled:
        return Spelling.UTF8
    return Spelling.SEVEN_BITS
