"""
Whether content that was announced as binary is: some clients announce all of theirs so, and it could not be sent to
hosts without BINARYMIME then. Sources: RFC 3030 §3; RFC 2045 §2.7 to §2.9 (what 7bit, 8bit and binary data are).
"""

from __future__ import annotations

from ..mail.envelope import BodyType
from ..mail.transaction import Body
from ..wire.smtp.data import has_bare_newline


class BinaryWatch:
    """Looks at content as it comes. Long lines make nothing binary here: they are sent as they came (see ADR 0011)."""

    __slots__ = ("_held", "_is_binary", "_is_ended")

    def __init__(self) -> None:
        self._held = b""
        self._is_binary = False
        self._is_ended = True

    def look(self, data: bytes) -> None:
        """Look at a piece."""
        if self._is_binary or not data:
            return
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        whole = data[:-1] if self._held else data
        self._is_ended = whole.endswith(b"\r\n")
        self._is_binary = bool(whole) and (b"\0" in whole or has_bare_newline(whole))

    def body_type(self, body: Body) -> BodyType:
        """What the whole of it is."""
        if self._is_binary or self._held or not self._is_ended:
            return BodyType.BINARY_MIME
        return BodyType.EIGHT_BIT_MIME if body.eight_bit else BodyType.SEVEN_BIT
