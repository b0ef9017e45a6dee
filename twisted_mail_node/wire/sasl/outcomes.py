"""
What a step of an exchange comes to. The protocols turn each into their own words.

Source: RFC 4422 §3. Neighbours: `server` gives these; `protocols.sasl` has checked what is claimed.
"""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass, field
from enum import Enum

from ...mail.scram import ScramHash


class RefusalReason(Enum):
    """Why an exchange ended without a login."""

    UNKNOWN_MECHANISM = "unknown or unavailable mechanism"
    """SMTP 504 5.5.4, IMAP NO, POP3 -ERR."""
    NEEDS_TLS = "not without TLS"
    """The mechanism is to be had under TLS. SMTP 538 5.7.11, IMAP NO [PRIVACYREQUIRED], POP3 -ERR."""
    MALFORMED = "malformed response"
    """Not base64, not the mechanism's syntax, not UTF-8, or too long. SMTP 501 5.5.2, IMAP BAD, POP3 -ERR."""
    CANCELLED = "cancelled by the client"
    """The client sent "*". SMTP 501 5.7.0, IMAP BAD, POP3 -ERR."""
    OTHER_IDENTITY = "cannot act for another identity"
    """The authorization identity is another's. SMTP 535 5.7.8, IMAP NO, POP3 -ERR [AUTH]."""
    BINDING = "the channel is not bound as it has to be"
    """Another binding than there is, none where one is due, or a sign that offers were tampered with. As above."""
    DENIED = "authentication failed"
    """What was claimed was checked, and is not so. As above."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this and wait for a line. `data` is raw; `wire` is its base64 form, without prefix and line end."""

    data: bytes = b""

    @property
    def wire(self) -> bytes:
        """The challenge in base64; empty for an empty one."""
        return b2a_base64(self.data, newline=False)


@dataclass(frozen=True, slots=True)
class VerifierNeeded:
    """
    Who it is about is known: go on with the verifier of this name, or with one that nothing matches.

    `identity` is the account that the client wants to be, "" where that is the one it names.
    """

    username: str
    hash: ScramHash
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Proposed:
    """This name and this password are to be checked. `identity` as in VerifierNeeded."""

    username: str
    password: str = field(repr=False)
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramProposed:
    """
    A proof is to be checked.

    `flaw` says what about the message does not belong to this exchange (then it proves nothing), else "". `signature`
    is what the client is told when it is believed.
    """

    username: str
    hash: ScramHash
    auth_message: bytes = field(repr=False)
    proof: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    flaw: str = ""


class TokenRefusal(Enum):
    """How a client is told about a refused token: each mechanism has its own words."""

    OAUTHBEARER = "RFC 7628 §3.2.2"
    XOAUTH2 = "Google's"


@dataclass(frozen=True, slots=True)
class TokenProposed:
    """A bearer token is to be checked, for this account; "" leaves it to the token."""

    username: str
    token: str = field(repr=False)
    refusal: TokenRefusal = TokenRefusal.OAUTHBEARER


@dataclass(frozen=True, slots=True)
class CertificateProposed:
    """What TLS knows of the client is to be checked, for this account; "" leaves it to the certificate."""

    username: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange is over, and the client is who it claims to be."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The exchange is over, and nobody has come in."""

    reason: RefusalReason


Claim = Proposed | ScramProposed | TokenProposed | CertificateProposed
"""What is to be checked; the exchange goes on with the result."""

Outcome = Challenge | VerifierNeeded | Claim | Accepted | Refused

MALFORMED = Refused(RefusalReason.MALFORMED)
WRONG_BINDING = Refused(RefusalReason.BINDING)
DENIED = Refused(RefusalReason.DENIED)
ACCEPTED = Accepted()
