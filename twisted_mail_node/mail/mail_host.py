"""Where mail for a domain is taken: hosts in the order in which to try them. Source: RFC 5321 §5.1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailHost:
    """
    One host that takes mail for a domain.

    `name` is the host name in lower case (or an address literal's text), `addresses` its IP addresses as text
    in the order in which to try them, `port` where it listens. `authentic` says that the names and addresses
    came with the AD bit from a trusted resolver.
    """

    name: str
    addresses: tuple[str, ...]
    preference: int = 0
    port: int = 25
    authentic: bool = False
