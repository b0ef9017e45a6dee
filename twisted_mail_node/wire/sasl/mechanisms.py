"""
The mechanisms that there are, and what each needs to be offered.

What is left out is so for good: ANONYMOUS lets anybody in; CRAM-MD5 and DIGEST-MD5 want passwords kept in clear and
are historic or weak (RFC 6331, for the latter). Neighbours: `protocols.mechanisms` decides which of these are offered
to whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ...mail.scram import ScramHash


class Shows(Enum):
    """What a client shows, hence what has to be checked."""

    PASSWORD = auto()
    PROOF = auto()
    TOKEN = auto()
    CERTIFICATE = auto()


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism. `hash` and `binds` (to the TLS channel) are SCRAM's."""

    name: str
    shows: Shows
    hash: ScramHash | None = None
    binds: bool = False


MECHANISMS = {
    mechanism.name: mechanism
    for mechanism in (
        Mechanism("SCRAM-SHA-256-PLUS", Shows.PROOF, ScramHash.SHA_256, True),
        Mechanism("SCRAM-SHA-256", Shows.PROOF, ScramHash.SHA_256),
        Mechanism("SCRAM-SHA-1-PLUS", Shows.PROOF, ScramHash.SHA_1, True),
        Mechanism("SCRAM-SHA-1", Shows.PROOF, ScramHash.SHA_1),
        Mechanism("EXTERNAL", Shows.CERTIFICATE),
        Mechanism("OAUTHBEARER", Shows.TOKEN),
        Mechanism("XOAUTH2", Shows.TOKEN),
        Mechanism("PLAIN", Shows.PASSWORD),
        Mechanism("LOGIN", Shows.PASSWORD),
    )
}
"""By name, the strongest first."""

DEFAULT = tuple(name for name in MECHANISMS if not name.startswith("SCRAM-SHA-1"))
"""All but those on SHA-1, which old clients alone need."""
