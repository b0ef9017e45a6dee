"""
The checker of twisted.cred for SCRAM, over whatever keeps verifiers.

The verifier is asked for again when the proof has come: a password that was changed in between ends the exchange.
"""

from __future__ import annotations

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..interfaces.credentials import IScramProof, IScramVerifiers
from ..interfaces.deferred import returns_deferred
from ..mail.scram import ScramHash, ScramVerifier


@implementer(ICredentialsChecker, IScramVerifiers)
class ScramChecker:
    """Checks proofs. The avatar's id is the account's name."""

    credentialInterfaces = (IScramProof,)

    def __init__(self, verifiers: IScramVerifiers) -> None:
        self._verifiers = verifiers

    @property
    def hashes(self) -> frozenset[ScramHash]:
        """See IScramVerifiers."""
        hashes: frozenset[ScramHash] = self._verifiers.hashes
        return hashes

    @property
    def iterations(self) -> int:
        """See IScramVerifiers."""
        return int(self._verifiers.iterations)

    def verifier(self, name: str, hash: ScramHash) -> Deferred[ScramVerifier | None]:
        """See IScramVerifiers."""
        return self._verifiers.verifier(name, hash)

    @returns_deferred
    async def requestAvatarId(self, credentials: IScramProof) -> bytes | tuple[()]:
        """Fires with the account's name. Fails with: UnauthorizedLogin; TemporaryFailure."""
        if not credentials.is_proven_by(await self._verifiers.verifier(credentials.username, credentials.hash)):
            raise UnauthorizedLogin("wrong proof or no such verifier")
        name: str = credentials.username
        return name.encode("utf-8")
