"""
What CAPA lists: only what this session could do now. Sources: RFC 2449 §6, RFC 2595 §4, RFC 3206 §6, RFC 5034 §3.
"""

from __future__ import annotations

from ... import __version__


def capabilities(
    *, mechanisms: tuple[str, ...], user_allowed: bool, tls_available: bool, in_transaction: bool
) -> list[str]:
    """
    The lines of the reply.

    Args:
        mechanisms: SASL mechanisms that AUTH takes on this connection.
        user_allowed: USER and PASS may be said on this connection.
        tls_available: STLS would be taken, were nobody logged in.
        in_transaction: somebody is; what the server is called is told only then (RFC 2449 §7).
    """
    listed = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
    if user_allowed:
        listed.append("USER")
    if mechanisms:
        listed.append("SASL " + " ".join(mechanisms))
    if tls_available:
        listed.append("STLS")
    if in_transaction:
        listed.append(f"IMPLEMENTATION twisted-mail-node-{__version__}")
    return listed
