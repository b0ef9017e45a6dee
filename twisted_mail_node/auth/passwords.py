"""
Password hashes: argon2id, computed in threads, and verified ones remembered for a while. Those of other systems are
verified as well (`old_hashes`).

Decides the cost of a hash and for how long a verified password is believed. What is remembered is a keyed hash
over name, password and the stored hash, with a key that this process alone has: it is worth nothing in a core
file of another, and ends by itself when the stored hash changes. Neighbours: `threads` computes, `directory` asks.

Source: RFC 9106 (argon2); the default cost is OWASP's smallest for argon2id.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from base64 import b64encode
from collections import OrderedDict
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..mail.errors import TemporaryFailure
from .old_hashes import is_old_hash, verify_old
from .threads import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one argon2id hash costs."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Verified:
    """
    What a verification found.

    `stale` says that the stored hash was made at another cost, and should be made anew from this password.
    """

    correct: bool
    stale: bool = False


_WRONG = Verified(False)
_CORRECT = Verified(True)


class _Question:
    """A verification under way, and those who wait for it."""

    def __init__(self) -> None:
        self.computed: Deferred[Verified] | None = None
        self._waiting: list[Deferred[Verified]] = []

    def ask(self) -> Deferred[Verified]:
        """Wait for the answer as well."""
        waiting: Deferred[Verified] = Deferred(self._give_up)
        self._waiting.append(waiting)
        return waiting

    def answer(self, result: Verified | Failure) -> None:
        """Tell all who wait. One of them is enough to make a stale hash anew."""
        while self._waiting:
            self._waiting.pop(0).callback(result)
            if isinstance(result, Verified):
                result = Verified(result.correct)

    def _give_up(self, waiting: Deferred[Verified]) -> None:
        self._waiting.remove(waiting)
        if not self._waiting and self.computed is not None:
            self.computed.cancel()


class Passwords:
    """Makes and verifies password hashes. Passwords are composed by NFC, so that keyboards agree."""

    _log = Logger()

    def __init__(
        self,
        executor: Executor,
        clock: IReactorTime,
        cost: Cost | None = None,
        *,
        remember_seconds: float = 300.0,
        remember_at_most: int = 10_000,
    ) -> None:
        """
        Args:
            executor: where hashes are computed.
            clock: for forgetting.
            cost: of new hashes; older ones are verified at their own.
            remember_seconds: for how long a verified password is believed; 0 for never.
            remember_at_most: how many are remembered; the least recently used one is forgotten first.
        """
        cost = cost or Cost()
        self._executor = executor
        self._clock = clock
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._remember_seconds = remember_seconds
        self._remember_at_most = remember_at_most
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, float] = OrderedDict()
        self._under_way: dict[bytes, _Question] = {}
        self._nobodys_hash = _hash_that_nothing_matches(cost)

    def hash(self, password: str) -> Deferred[str]:
        """Make a hash with a new salt. Fails with: TemporaryFailure, where too much waits already."""
        octets = _octets(password)
        return self._executor.run(lambda: self._hasher.hash(octets))

    def verify(self, name: str, password: str, stored_hash: str | None) -> Deferred[Verified]:
        """
        Whether the password is the one of the stored hash.

        None for no such user, and a stored hash that cannot be read, take the time of a wrong password. The same
        question asked again while it is being answered is not computed twice. Fails with: TemporaryFailure,
        where too much waits already, or argon2 gets no memory. Cancelling gives the answer up, and the work
        with it when nobody else has asked.
        """
        digest = self._digest(name, password, stored_hash or "")
        if self._remembers(digest):
            return succeed(_CORRECT)
        question = self._under_way.get(digest)
        if question is None:
            question = self._under_way[digest] = _Question()
            octets = _octets(password)
            known = stored_hash is not None
            verified_against = stored_hash if stored_hash is not None else self._nobodys_hash
            waiting = question.ask()
            computed = self._executor.run(lambda: self._compare(verified_against, octets, known))
            question.computed = computed
            computed.addBoth(self._answer, digest, question)
            return waiting
        return question.ask()

    def forget_all(self) -> None:
        """Believe nothing that was verified before."""
        self._remembered.clear()

    # -- in a thread ----------------------------------------------------------------------------------------------

    def _compare(self, stored_hash: str, password: bytes, known: bool) -> Verified:
        if is_old_hash(stored_hash):
            return Verified(verify_old(stored_hash, password), stale=True)
        try:
            self._hasher.verify(stored_hash, password)
        except VerifyMismatchError:
            return _WRONG
        except (InvalidHashError, VerificationError) as error:
            # Not a hash that can be read; or argon2 has no memory, which the second attempt shows.
            if not known:
                raise TemporaryFailure("passwords cannot be verified now") from error
            return self._compare(self._nobodys_hash, password, False)
        return Verified(known, known and self._hasher.check_needs_rehash(stored_hash))

    # -- in the reactor's thread ------------------------------------------------------------------------------------

    def _answer(self, result: Verified | Failure, digest: bytes, question: _Question) -> None:
        del self._under_way[digest]
        if isinstance(result, Verified) and result.correct:
            self._remember(digest)
        question.answer(result)

    def _remembers(self, digest: bytes) -> bool:
        until = self._remembered.get(digest)
        if until is None:
            return False
        if until <= self._clock.seconds():
            del self._remembered[digest]
            return False
        self._remembered.move_to_end(digest)
        return True

    def _remember(self, digest: bytes) -> None:
        if self._remember_seconds <= 0:
            return
        self._remembered[digest] = self._clock.seconds() + self._remember_seconds
        if len(self._remembered) > self._remember_at_most:
            self._remembered.popitem(last=False)

    def _digest(self, name: str, password: str, stored_hash: str) -> bytes:
        keyed = hashlib.blake2b(key=self._key, digest_size=32)
        for part in (name, password, stored_hash):
            octets = part.encode("utf-8", "surrogatepass")
            keyed.update(b"%d:" % len(octets))
            keyed.update(octets)
        return keyed.digest()


def _octets(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _hash_that_nothing_matches(cost: Cost) -> str:
    # Chance made it, no password did; checking one against it takes as long as against any other of this cost.
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode("ascii") for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${digest}"
