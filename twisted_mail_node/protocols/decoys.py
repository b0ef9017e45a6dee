"""
Decoys: SCRAM verifiers for names that have none, so that nobody learns by asking which names have one.

The same name gets the same salt each time, as a real one does, for as long as the key stays the same.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cache

from ..mail.scram import SALT_OCTETS, ScramHash, ScramVerifier


class Decoys:
    """Makes verifiers of names, by a key that nobody else knows."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        """`key` is asked once, when the first decoy is needed."""
        self._key = cache(key)

    def verifier(self, name: str, hash: ScramHash, iterations: int) -> ScramVerifier:
        """A verifier that no password matches."""

        def made(what: str, octets: int) -> bytes:
            return hmac.digest(self._key(), f"{what} {hash.value} {name}".encode("utf-8", "surrogatepass"), "sha512")[
                :octets
            ]

        return ScramVerifier(
            hash=hash,
            salt=made("salt", SALT_OCTETS),
            iterations=iterations,
            stored_key=made("client", hash.octets),
            server_key=made("server", hash.octets),
        )
