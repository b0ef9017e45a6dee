"""
Which versions and ciphers are spoken, by the name of a policy.

Source: Mozilla's "Server Side TLS", guidelines 6.0 of 2026-04-06. RFC 8996 (TLS 1.0 and 1.1 are not to be used) and
RFC 8314 §4.1 (mail needs TLS 1.2 at least) ask for no less. There is no policy for older clients: Mozilla gave its own
up as well. The groups of the key exchange are OpenSSL's own, whose first choices are Mozilla's: pyOpenSSL has no call
that would leave the others out (X448, P-521, the groups of RFC 7919), and nothing speaks against those.
"""

from __future__ import annotations

from dataclasses import dataclass

from OpenSSL.SSL import TLS1_2_VERSION, TLS1_3_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`lowest` version; `ciphers` for TLS 1.2; `suites` for TLS 1.3, both in OpenSSL's words and in order."""

    lowest: int
    ciphers: bytes
    suites: bytes = b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"


_FORWARD_SECRET_AEAD = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)

POLICIES = {
    "intermediate": Policy(lowest=TLS1_2_VERSION, ciphers=_FORWARD_SECRET_AEAD),
    # Never spoken: but OpenSSL wants a list that is not empty.
    "modern": Policy(lowest=TLS1_3_VERSION, ciphers=_FORWARD_SECRET_AEAD),
}
