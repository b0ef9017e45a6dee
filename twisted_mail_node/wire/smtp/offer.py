"""What can be had on a connection now. Grammar and EHLO go by it; the session makes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """
    What can be had on this connection now.

    `max_size` is the largest message in octets, 0 for no fixed limit. `starttls`: a TLS context is there and TLS
    is not active. `tls`: TLS is active. `mechanisms` may be begun now; `auth_needs_tls` says that there would be
    some under TLS.
    """

    max_size: int = 0
    starttls: bool = False
    tls: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_needs_tls: bool = False
