"""
Clients are asked for a certificate, and go on whatever they show.

A certificate that does not hold ends nothing: RFC 8446 §4.4.2.4 leaves it to the server, and who has shown one has no
less right to log in by a password. Nobody may take it for an identity before it was verified against the same
authorities and revocation lists: `protocols.tls_line` does that where it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from OpenSSL.crypto import X509, X509StoreFlags
from OpenSSL.SSL import OP_NO_TICKET, VERIFY_PEER, Connection, Context


@dataclass(frozen=True, slots=True)
class Trust:
    """
    Whose certificates count: the authorities, and what they have revoked.

    With any revocation list, the certificates of an authority that has none count no more, nor those of one whose list
    is out of time (RFC 5280 §6.3.3).
    """

    authorities: tuple[x509.Certificate, ...]
    revocations: tuple[x509.CertificateRevocationList, ...] = ()


def ask_for_certificate(context: Context, trust: Trust) -> None:
    """Let connections of the context ask their client for a certificate of one of the authorities."""
    store = context.get_cert_store()
    if store is None:
        raise RuntimeError("a context without a store of certificates")
    for authority in trust.authorities:
        store.add_cert(X509.from_cryptography(authority))
        context.add_client_ca(authority)
    for revocations in trust.revocations:
        store.add_crl(revocations)
    if trust.revocations:
        store.set_flags(X509StoreFlags.CRL_CHECK)
    # A resumed session has no chain with which its certificate could be verified.
    context.set_options(OP_NO_TICKET)
    context.set_verify(VERIFY_PEER, _go_on)


def _go_on(connection: Connection, certificate: X509, error: int, depth: int, is_sound: int) -> bool:
    return True
