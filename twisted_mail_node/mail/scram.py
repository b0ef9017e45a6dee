"""
SCRAM's verifier: what is kept of a password so that a client can prove it has it, and never shows it.

Who steals a verifier may try passwords against it offline, as against any hash, and PBKDF2 costs them less memory than
argon2 does. Who steals it does not have the password. Neighbours: `wire.sasl.scram` speaks the exchange; checkers of
`interfaces.credentials.IScramProof` keep verifiers.

Sources: RFC 5802 §3 (the keys), RFC 5803 (the form as text), RFC 7677 (SHA-256).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from enum import Enum

from .saslprep import prepared

SALT_OCTETS = 16
"""Of a new salt. The same for all, so that a made-up one looks like any other."""

LEAST_ITERATIONS = 4096
"""RFC 7677 §4 asks for at least as many."""

MOST_ITERATIONS = 10_000_000
"""Bound of what is read: a client would compute for seconds, and most refuse."""

_TEXT = re.compile(r"SCRAM-(SHA-1|SHA-256)\$([1-9][0-9]{0,7}):([^$:]+)\$([^$:]+):([^$:]+)")


class ScramHash(Enum):
    """The hash of a SCRAM mechanism; the value is its part of the mechanism's name."""

    SHA_1 = "SHA-1"
    SHA_256 = "SHA-256"

    @property
    def algorithm(self) -> str:
        """Its name in hashlib."""
        return self.value.replace("-", "").lower()

    @property
    def octets(self) -> int:
        """The size of a digest."""
        return hashlib.new(self.algorithm, usedforsecurity=False).digest_size


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramVerifier:
    """What RFC 5802 §3 calls StoredKey and ServerKey, with what they were made with."""

    hash: ScramHash
    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def from_password(cls, password: str, hash: ScramHash, salt: bytes, iterations: int) -> ScramVerifier:
        """
        The verifier of a password, prepared by SASLprep. Takes its time: to be called in a thread.

        Raises: ValueError: SASLprep prohibits the password.
        """
        octets = prepared(password).encode("utf-8")
        salted = hashlib.pbkdf2_hmac(hash.algorithm, octets, salt, iterations)
        stored_key = hashlib.new(hash.algorithm, hmac.digest(salted, b"Client Key", hash.algorithm)).digest()
        server_key = hmac.digest(salted, b"Server Key", hash.algorithm)
        return cls(hash=hash, salt=salt, iterations=iterations, stored_key=stored_key, server_key=server_key)

    @classmethod
    def parse(cls, text: str) -> ScramVerifier:
        """Read what `str` gives, a form that others keep as well. Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("not a SCRAM verifier")
        hash, iterations = ScramHash(match[1]), int(match[2])
        salt, stored_key, server_key = (b64decode(part, validate=True) for part in match.group(3, 4, 5))
        if iterations > MOST_ITERATIONS or not len(stored_key) == len(server_key) == hash.octets:
            raise ValueError("not a SCRAM verifier")
        return cls(hash=hash, salt=salt, iterations=iterations, stored_key=stored_key, server_key=server_key)

    def __str__(self) -> str:
        salt, stored_key, server_key = (
            b64encode(part).decode("ascii") for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"SCRAM-{self.hash.value}${self.iterations}:{salt}${stored_key}:{server_key}"

    def is_proven(self, auth_message: bytes, proof: bytes) -> bool:
        """Whether the proof was made with the password, for this very exchange. Source: RFC 5802 §3."""
        algorithm = self.hash.algorithm
        signature = hmac.digest(self.stored_key, auth_message, algorithm)
        if len(proof) != len(signature):
            return False
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.new(algorithm, client_key).digest(), self.stored_key)

    def signature(self, auth_message: bytes) -> bytes:
        """What the server shows to prove that it has the verifier: RFC 5802's ServerSignature."""
        return hmac.digest(self.server_key, auth_message, self.hash.algorithm)
