"""
What CAPA lists: only what this session could do now. Sources: RFC 2449 §6, RFC 2595 §4, RFC 3206 §6, RFC 5034 §3.
"""

from __future__ import annotations


def capabilities(
    *, mechanisms: tuple[str, ...], user_allowed: bool, tls_available: bool, implementation: str = ""
) -> list[str]:
    """
    The lines of the reply.

    Args:
        mechanisms: SASL mechanisms that AUTH takes on this connection.
        user_allowed: USER and PASS may be said on this connection.
        tls_available: STLS would be taken, were nobody logged in.
        implementation: what the server is called; told only to who has logged in (RFC 2449 §7).
    """
    listed = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
    if user_allowed:
        listed.append("USER")
    if mechanisms:
        listed.append("SASL " + " ".join(mechanisms))
    if tls_available:
        listed.append("STLS")
    if implementation:
        listed.append(f"IMPLEMENTATION {implementation}")
    return listed
