"""What the grammar raises when a command cannot be: wrong syntax (BAD), or well-formed and impossible (NO)."""

from __future__ import annotations

from ..errors import ProtocolViolation


class BadSyntax(ProtocolViolation):
    """The command is not what the grammar allows: answered BAD with `code`, if any, and counted as a mistake."""

    code: bytes = b""


class UIDRequired(BadSyntax):
    """A message sequence number, or a command that has only such, from a client that has given them up."""

    code = b"UIDREQUIRED"  # RFC 9586 §3


class Impossible(ProtocolViolation):
    """
    The command is well-formed, but asks for what cannot be known here: answered NO with a response code.

    `code` is the code without its brackets, `BADCHARSET (US-ASCII)` or `CANNOT`.
    """

    def __init__(self, text: str, code: bytes) -> None:
        super().__init__(text)
        self.code = code
