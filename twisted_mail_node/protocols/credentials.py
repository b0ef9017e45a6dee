"""
What a client has shown, as the credentials that checkers of twisted.cred take.

Neighbours: `interfaces.credentials` says what each means; `login` makes them of what SASL has read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zope.interface import implementer

from ..interfaces.credentials import IBearerToken, IScramProof, IVerifiedCertificate
from ..mail.certificate import ClientCertificate
from ..mail.scram import ScramHash, ScramVerifier


@implementer(IScramProof)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScramProof:
    """See IScramProof. `flaw` says what about it does not belong to the exchange, else ""."""

    username: str
    hash: ScramHash
    auth_message: bytes = field(repr=False)
    proof: bytes = field(repr=False)
    flaw: str = ""

    def is_proven_by(self, verifier: ScramVerifier | None) -> bool:
        """See IScramProof."""
        if verifier is None or verifier.hash is not self.hash:
            return False
        return verifier.is_proven(self.auth_message, self.proof) and not self.flaw


@implementer(IBearerToken)
@dataclass(frozen=True, slots=True)
class BearerToken:
    """See IBearerToken."""

    username: str
    token: str = field(repr=False)


@implementer(IVerifiedCertificate)
@dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """See IVerifiedCertificate."""

    username: str
    certificate: ClientCertificate
