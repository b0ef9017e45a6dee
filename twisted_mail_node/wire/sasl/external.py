"""EXTERNAL: who the client is, TLS knows; it may say as whom it comes. Source: RFC 4422 appendix A."""

from __future__ import annotations

from .outcomes import MALFORMED, CertificateProposed, Challenge, Outcome
from .text import MAX_NAME_OCTETS, checked_text


class External:
    """One exchange."""

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the identity, unless it came along."""
        return Challenge() if initial is None else self.step(initial)

    def step(self, response: bytes) -> Outcome:
        """Read the identity; empty leaves it to the certificate."""
        if not response:
            return CertificateProposed("")
        identity = checked_text(response, MAX_NAME_OCTETS)
        return MALFORMED if identity is None else CertificateProposed(identity)
