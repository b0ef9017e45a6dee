"""
Clients are asked for a certificate, and go on whatever they show.

A certificate that does not hold ends nothing: RFC 8446 §4.4.2.4 leaves it to the server, and who has shown one has no
less right to log in by a password. Nobody may take it for an identity before it was verified against the same
authorities: `protocols.tls_line` does that where it is asked for. Whether it was revoked is not asked.
"""

from __future__ import annotations

from cryptography import x509
from OpenSSL.crypto import X509
from OpenSSL.SSL import OP_NO_TICKET, VERIFY_PEER, Connection, Context


def ask_for_certificate(context: Context, authorities: tuple[x509.Certificate, ...]) -> None:
    """Let connections of the context ask their client for a certificate of one of these authorities."""
    store = context.get_cert_store()
    for authority in authorities:
        if store is not None:
            store.add_cert(X509.from_cryptography(authority))
        context.add_client_ca(authority)
    # A resumed session has no chain with which its certificate could be verified.
    context.set_options(OP_NO_TICKET)
    context.set_verify(VERIFY_PEER, _go_on)


def _go_on(connection: Connection, certificate: X509, error: int, depth: int, is_sound: int) -> bool:
    return True
