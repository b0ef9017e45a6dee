"""
The server's side of a SASL exchange: which mechanisms there are, and one exchange from its start to its outcome.

Decides syntax only; whether a name and a password belong together is for twisted.cred. Neighbours: `encoding` for
base64, a module per mechanism, and the engines of SMTP, IMAP and POP3, which carry the lines.

Source: RFC 4422.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .encoding import decode_initial, decode_response
from .login import Login
from .outcomes import Challenge, Outcome, Proposed, RefusalReason, Refused
from .plain import Plain

__all__ = ["Challenge", "Outcome", "Proposed", "RefusalReason", "Refused", "SASLServer", "mechanisms"]


class Mechanism(Protocol):
    """One exchange of one mechanism, on decoded octets."""

    def start(self, initial: bytes | None) -> Outcome:
        """Begin, with the initial response if there was one."""

    def step(self, response: bytes) -> Outcome:
        """Take the answer to the challenge given last."""


# In the order in which they are offered.
_MECHANISMS: dict[str, Callable[[], Mechanism]] = {"PLAIN": Plain, "LOGIN": Login}
_PLAINTEXT = frozenset(("PLAIN", "LOGIN"))


def mechanisms(tls: bool, plaintext_allowed: bool) -> tuple[str, ...]:
    """
    The names to advertise.

    Those that show the password to the line need `tls`, or that the setting allows them without
    (RFC 4616 §5, RFC 4954 §4).
    """
    return tuple(name for name in _MECHANISMS if tls or plaintext_allowed or name not in _PLAINTEXT)


class SASLServer:
    """
    One exchange at a time: `start` begins it anew, `step` goes on while the outcome is a Challenge.

    `start` and `step` take decoded octets; `start_line` and `step_line` take what stood on the line, in base64.
    """

    def __init__(self, offered: tuple[str, ...]) -> None:
        """`offered` are the mechanisms that may be begun, see `mechanisms`."""
        self._offered = offered
        self._exchange: Mechanism | None = None

    @property
    def is_under_way(self) -> bool:
        """True after a Challenge, until the exchange ends."""
        return self._exchange is not None

    def start(self, mechanism: str, initial: bytes | None = None) -> Outcome:
        """Begin an exchange, mechanism names in any case. None is no initial response, b"" an empty one."""
        name = mechanism.upper()
        if name not in self._offered or name not in _MECHANISMS:
            self._exchange = None
            return Refused(RefusalReason.UNKNOWN_MECHANISM)
        exchange = _MECHANISMS[name]()
        return self._concluded(exchange, exchange.start(initial))

    def step(self, response: bytes) -> Outcome:
        """Go on with the client's response. Without an exchange under way it is MALFORMED."""
        if self._exchange is None:
            return Refused(RefusalReason.MALFORMED)
        return self._concluded(self._exchange, self._exchange.step(response))

    def start_line(self, mechanism: str, argument: bytes | None = None) -> Outcome:
        """Begin with the base64 argument of the AUTH command, None where there was none."""
        initial = None if argument is None else decode_initial(argument)
        if isinstance(initial, Refused):
            self._exchange = None
            known = mechanism.upper() in self._offered
            return initial if known else Refused(RefusalReason.UNKNOWN_MECHANISM)
        return self.start(mechanism, initial)

    def step_line(self, line: bytes) -> Outcome:
        """Go on with a line of the client, its CRLF taken off."""
        response = decode_response(line)
        if isinstance(response, Refused):
            self._exchange = None
            return response
        return self.step(response)

    def _concluded(self, exchange: Mechanism, outcome: Outcome) -> Outcome:
        self._exchange = exchange if isinstance(outcome, Challenge) else None
        return outcome
