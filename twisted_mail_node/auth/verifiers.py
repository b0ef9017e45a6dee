"""
SCRAM verifiers: made of passwords that are new or were shown, and what a client proves held against them.

Decides when a verifier is made, and nothing about the exchange (see `wire.sasl`). PBKDF2 is computed in the threads of
the password hashes. Neighbours: the directory keeps verifiers, and lets them go with the password they were made of.

Sources: RFC 5802, RFC 7677.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.credentials import IScramProof, IScramVerifiers, IVerifierKeeping
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.scram import SALT_OCTETS, ScramHash, ScramVerifier
from .kept import Kept
from .threads import Executor


class Verifiers:
    """Makes them, and reads them."""

    _log = Logger()

    def __init__(
        self,
        directory: IDirectory,
        keeping: IVerifierKeeping,
        executor: Executor,
        hashes: Sequence[ScramHash],
        iterations: int,
    ) -> None:
        """
        Args:
            directory: has the users.
            keeping: keeps the verifiers.
            executor: where they are computed.
            hashes: one verifier is kept for each.
            iterations: PBKDF2's, of a new verifier.
        """
        self.hashes = frozenset(hashes)
        self.iterations = iterations
        self._wanted = hashes
        self._keeping = keeping
        self._executor = executor
        self._kept = Kept(directory, keeping.verifiers)
        self._under_way: set[str] = set()

    @returns_deferred
    async def find(self, name: str, hash: ScramHash) -> ScramVerifier | None:
        """The user's verifier of that hash. Fails with: TemporaryFailure."""
        return next((verifier for verifier in await self._kept.get(name) if verifier.hash is hash), None)

    @returns_deferred
    async def make(self, name: str, password: str, password_hash: str) -> None:
        """
        Make the verifiers of a password whose hash has been stored. Nothing is kept if that is another by now.

        Fails with: TemporaryFailure, where too much waits already.
        """
        try:
            made = [await self._computed(password, hash) for hash in self._wanted]
        except ValueError as error:
            # RFC 4013 §2.3: other mechanisms take such a password all the same.
            self._log.info("no SCRAM verifier of the password of {account}: {reason}", account=name, reason=str(error))
            made = []
        await self._keeping.keep_verifiers(name, password_hash, made)

    def complete(self, name: str, password: str, password_hash: str) -> None:
        """Make them later, unless they are there as they should be. Nobody waits for it."""
        if name not in self._under_way:
            self._under_way.add(name)
            Deferred.fromCoroutine(self._completed(name, password, password_hash))

    async def _completed(self, name: str, password: str, password_hash: str) -> None:
        try:
            there = await self._kept.get(name)
            if not self._is_as_it_should_be(there):
                await self.make(name, password, password_hash)
        except CancelledError:
            raise
        except Exception as error:
            self._log.warn("no SCRAM verifier is made for {account}: {reason}", account=name, reason=str(error))
        finally:
            self._under_way.discard(name)

    def _is_as_it_should_be(self, verifiers: Sequence[ScramVerifier]) -> bool:
        return {each.hash for each in verifiers} == self.hashes and all(
            each.iterations == self.iterations for each in verifiers
        )

    def _computed(self, password: str, hash: ScramHash) -> Deferred[ScramVerifier]:
        salt = secrets.token_bytes(SALT_OCTETS)
        return self._executor.run(partial(ScramVerifier.from_password, password, hash, salt, self.iterations))


@implementer(ICredentialsChecker, IScramVerifiers)
class ScramChecker:
    """Checks what a SCRAM exchange has proved. The avatar's id is the account's name."""

    credentialInterfaces = (IScramProof,)

    def __init__(self, verifiers: Verifiers) -> None:
        self._verifiers = verifiers

    @property
    def hashes(self) -> frozenset[ScramHash]:
        """See IScramVerifiers."""
        return self._verifiers.hashes

    @property
    def iterations(self) -> int:
        """See IScramVerifiers."""
        return self._verifiers.iterations

    def verifier(self, name: str, hash: ScramHash) -> Deferred[ScramVerifier | None]:
        """See IScramVerifiers."""
        return self._verifiers.find(name, hash)

    @returns_deferred
    async def requestAvatarId(self, credentials: IScramProof) -> bytes | tuple[()]:
        """Fires with the account's name. Fails with: UnauthorizedLogin; TemporaryFailure."""
        verifier = await self._verifiers.find(credentials.username, credentials.hash)
        if not credentials.is_proven_by(verifier):
            raise UnauthorizedLogin("nothing was proved")
        return str(credentials.username).encode("utf-8")
