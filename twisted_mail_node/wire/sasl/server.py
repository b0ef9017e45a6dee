"""
The server's side of a SASL exchange, one from its start to its outcome.

Decides syntax only; whether what a client shows proves anything is for twisted.cred. Neighbours: `encoding` for
base64, a module per mechanism, `protocols.sasl`, which asks whoever knows and tells the result.

Source: RFC 4422.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...mail.scram import ScramHash, ScramVerifier
from ..errors import MisuseError
from .bearer import refusal_words
from .encoding import decode_initial, decode_response
from .external import External
from .login import Login
from .mechanisms import MECHANISMS
from .oauthbearer import OAuthBearer
from .outcomes import (
    ACCEPTED,
    DENIED,
    MALFORMED,
    Challenge,
    Claim,
    Outcome,
    RefusalReason,
    Refused,
    ScramProposed,
    TokenProposed,
)
from .plain import Plain
from .scram import Scram
from .xoauth2 import XOAuth2


class Exchanging(Protocol):
    """One exchange of one mechanism, on decoded octets."""

    def start(self, initial: bytes | None) -> Outcome:
        """Begin, with the initial response if there was one."""

    def step(self, response: bytes) -> Outcome:
        """Take the answer to the challenge given last."""


class SASLServer:
    """
    One exchange: `start` begins it, `step` goes on while the outcome is a Challenge.

    A VerifierNeeded is answered by `go_on_with`, a claim by `accept` or `refuse`. `start` and `step` take decoded
    octets; `start_line` and `step_line` take what stood on the line, in base64.
    """

    def __init__(
        self, offered: tuple[str, ...], *, bindings: Mapping[str, bytes] | None = None, nonce: bytes = b""
    ) -> None:
        """
        Args:
            offered: the mechanisms that may be begun.
            bindings: what the channel gives to bind to, by type.
            nonce: for SCRAM, see there.
        """
        self._offered = offered
        self._bindings = bindings or {}
        self._nonce = nonce
        self._exchange: Exchanging | None = None
        self._claim: Claim | None = None
        # What the answer to the challenge that closes the exchange comes to: RFC 4422 §3.1, additional data.
        self._ending: Outcome | None = None

    @property
    def is_under_way(self) -> bool:
        """True from the start until the exchange ends."""
        return self._exchange is not None

    def start(self, mechanism: str, initial: bytes | None = None) -> Outcome:
        """Begin an exchange, mechanism names in any case. None is no initial response, b"" an empty one."""
        name = mechanism.upper()
        if name not in self._offered:
            return self._concluded(Refused(RefusalReason.UNKNOWN_MECHANISM))
        self._claim = self._ending = None
        self._exchange = self._begun(name)
        return self._concluded(self._exchange.start(initial))

    def step(self, response: bytes) -> Outcome:
        """Go on with the client's response. Without an exchange under way it is MALFORMED."""
        if self._ending is not None:
            accepted = self._ending is ACCEPTED and not response
            return self._concluded(self._ending if accepted or self._ending is DENIED else MALFORMED)
        if self._exchange is None or self._claim is not None:
            return self._concluded(MALFORMED)
        return self._concluded(self._exchange.step(response))

    def go_on_with(self, verifier: ScramVerifier) -> Outcome:
        """Go on with the verifier that was needed. Raises: MisuseError: none was."""
        if not isinstance(self._exchange, Scram):
            raise MisuseError("no verifier is needed")
        return self._concluded(self._exchange.go_on_with(verifier))

    def accept(self) -> Outcome:
        """What was claimed is so: Accepted, or a last Challenge before. Raises: MisuseError: nothing was."""
        claim = self._take_claim()
        # RFC 4954 §4, RFC 5034 §4, RFC 3501 §6.2.2: none of the protocols has a place for data beside success.
        if isinstance(claim, ScramProposed):
            self._ending = ACCEPTED
            return Challenge(claim.signature)
        return self._concluded(ACCEPTED)

    def refuse(self, scope: str = "", configuration_url: str = "") -> Outcome:
        """
        What was claimed is not so: Refused, or a last Challenge before.

        Args: what a client is told whose token was refused, see `bearer`. Raises: MisuseError: nothing was claimed.
        """
        claim = self._take_claim()
        if isinstance(claim, TokenProposed):
            self._ending = DENIED
            return Challenge(refusal_words(claim.refusal, scope, configuration_url))
        return self._concluded(DENIED)

    def start_line(self, mechanism: str, argument: bytes | None = None) -> Outcome:
        """Begin with the base64 argument of the AUTH command, None where there was none."""
        initial = None if argument is None else decode_initial(argument)
        if isinstance(initial, Refused):
            known = mechanism.upper() in self._offered
            return self._concluded(initial if known else Refused(RefusalReason.UNKNOWN_MECHANISM))
        return self.start(mechanism, initial)

    def step_line(self, line: bytes) -> Outcome:
        """Go on with a line of the client, its CRLF taken off."""
        response = decode_response(line)
        return self._concluded(response) if isinstance(response, Refused) else self.step(response)

    def _begun(self, name: str) -> Exchanging:
        mechanism = MECHANISMS[name]
        if mechanism.hash is None:
            return _SIMPLE[name]()
        could = _plus(mechanism.hash) in self._offered
        return Scram(mechanism.hash, self._bindings, self._nonce, plus=mechanism.binds, could=could)

    def _take_claim(self) -> Claim:
        claim, self._claim = self._claim, None
        if claim is None:
            raise MisuseError("nothing was claimed")
        return claim

    def _concluded(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Claim):
            self._claim = outcome
        elif outcome is ACCEPTED or isinstance(outcome, Refused):
            self._exchange = self._claim = self._ending = None
        return outcome


_SIMPLE: dict[str, type[External | OAuthBearer | XOAuth2 | Plain | Login]] = {
    "EXTERNAL": External,
    "OAUTHBEARER": OAuthBearer,
    "XOAUTH2": XOAuth2,
    "PLAIN": Plain,
    "LOGIN": Login,
}


def _plus(hash: ScramHash) -> str:
    return f"SCRAM-{hash.value}-PLUS"
