"""What the grammar raises when a command cannot be: wrong syntax (BAD), or well-formed and impossible (NO)."""

from __future__ import annotations

from ..errors import ProtocolViolation


class BadSyntax(ProtocolViolation):
    """The command is not what the grammar allows: answered BAD, and counted as a mistake."""


class Impossible(ProtocolViolation):
    """
    The command is well-formed, but asks for what cannot be known here: answered NO with a response code.

    `code` is the code without its brackets, `BADCHARSET (US-ASCII)` or `CANNOT`.
    """

    def __init__(self, text: str, code: bytes) -> None:
        super().__init__(text)
        self.code = code
