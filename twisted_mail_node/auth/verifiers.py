"""
SCRAM verifiers in the directory: made of passwords that are new or were shown.

Decides when a verifier is made, and nothing about what is proved by it (see `scram`). PBKDF2 is computed in the threads
of the password hashes. Neighbour: the directory lets verifiers go with the password that they were made of.

Sources: RFC 5802, RFC 7677.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.credentials import IScramVerifiers, IVerifierKeeping
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.scram import SALT_OCTETS, ScramHash, ScramVerifier
from .kept import Kept
from .threads import Executor


@implementer(IScramVerifiers)
class Verifiers:
    """Those that the directory keeps; makes new ones."""

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
    async def verifier(self, name: str, hash: ScramHash) -> ScramVerifier | None:
        """See IScramVerifiers."""
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
            return
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
