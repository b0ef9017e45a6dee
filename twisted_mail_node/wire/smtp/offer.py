"""What can be had on a connection now. Grammar and EHLO go by it; the session makes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Extension(Enum):
    """Extensions that a server may have or lack; those that it always has are no matter of choice."""

    SMTPUTF8 = "SMTPUTF8"
    """RFC 6531."""
    CHUNKING = "CHUNKING"
    """RFC 3030 §2."""
    BINARY_MIME = "BINARYMIME"
    """RFC 3030 §3; needs CHUNKING."""
    DSN = "DSN"
    """RFC 3461."""
    REQUIRE_TLS = "REQUIRETLS"
    """RFC 8689; only where TLS is active."""
    FUTURE_RELEASE = "FUTURERELEASE"
    """RFC 4865."""
    DELIVER_BY = "DELIVERBY"
    """RFC 2852."""
    MT_PRIORITY = "MT-PRIORITY"
    """RFC 6710."""


NO_EXTENSIONS: frozenset[Extension] = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """
    What can be had on this connection now.

    `max_size` is the largest message in octets, 0 for no fixed limit. `starttls`: a TLS context is there and TLS
    is not active. `tls`: TLS is active. `mechanisms` may be begun now; `auth_needs_tls` says that there would be
    some under TLS. `limits` are name and value of each limit that is told (RFC 9422). `future_release` is how many
    seconds, and until when (as RFC 3339 has it), a message may be held.
    `expand`: EXPN is answered. `xclient`, `xforward`: what the client tells by these is believed.
    """

    max_size: int = 0
    starttls: bool = False
    tls: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_needs_tls: bool = False
    extensions: frozenset[Extension] = NO_EXTENSIONS
    limits: tuple[tuple[str, int], ...] = ()
    future_release: tuple[int, str] = (0, "")
    expand: bool = False
    xclient: bool = False
    xforward: bool = False

    @property
    def has_auth(self) -> bool:
        """Whether a client may log in here, now or under TLS."""
        return bool(self.mechanisms) or self.auth_needs_tls

    def has(self, extension: Extension) -> bool:
        """Whether the extension can be had now, with what it needs."""
        if extension not in self.extensions:
            return False
        if extension is Extension.BINARY_MIME:
            return Extension.CHUNKING in self.extensions
        return self.tls or extension is not Extension.REQUIRE_TLS
