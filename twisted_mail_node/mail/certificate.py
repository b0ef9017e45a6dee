"""A client's certificate as a value: what a checker may know of it. Source: RFC 5280 §4.2.1.6 (the names)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """
    A certificate that has been verified: its chain, its dates, its purpose.

    `addresses` are its mail addresses, in the order in which it has them; `subject` is its name as RFC 4514 writes it;
    `der` is all of it, for whoever looks at something else.
    """

    addresses: tuple[str, ...] = ()
    subject: str = ""
    der: bytes = field(default=b"", repr=False)
