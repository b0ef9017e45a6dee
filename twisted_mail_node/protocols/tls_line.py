"""
What TLS knows of a connection beside its version: what to bind a proof to, and the client's certificate.

The one place that asks pyOpenSSL for them. Given where TLS is Twisted's own, also where an application's endpoint
brings it; not where a proxy has ended it.

Sources: RFC 5929 §4 (tls-server-end-point); RFC 9266 §4 (tls-exporter).
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL.crypto import X509StoreContext, X509StoreContextError
from OpenSSL.SSL import VERIFY_PEER, Error
from twisted.internet.interfaces import ISSLTransport

from ..mail.certificate import ClientCertificate

TLS_EXPORTER = "tls-exporter"
TLS_SERVER_END_POINT = "tls-server-end-point"

_EXPORTER_LABEL = b"EXPORTER-Channel-Binding"
_EXPORTER_OCTETS = 32
# RFC 5929 §4.1: what was signed with these is hashed by SHA-256.
_TOO_WEAK = (hashes.MD5, hashes.SHA1)


def tls_handle(transport: Any) -> Any:  # Any: transports share no interface; pyOpenSSL's Connection, or None.
    """The TLS connection under a transport; None where there is none, or none that we know how to ask."""
    if not ISSLTransport.providedBy(transport):
        return None
    # After startTLS the handle of the TCP transport is its socket; the TLS connection hangs on what it feeds.
    for layer in (transport, getattr(transport, "protocol", None)):
        get_handle = getattr(layer, "getHandle", None)
        handle: Any = get_handle() if get_handle is not None else None  # Any: as above.
        if hasattr(handle, "get_cipher_name"):
            return handle
    return None


def is_shaking_hands(transport: Any) -> bool:  # Any: see tls_handle.
    """Whether the TLS handshake is under way, or has not even begun: the client's last word of it is its Finished."""
    handle = tls_handle(transport)
    return handle is not None and handle.get_peer_finished() is None


def bindings_of(transport: Any) -> dict[str, bytes]:  # Any: see tls_handle.
    """
    What a proof can be bound to on this connection, by type; nothing before the handshake is over.

    tls-exporter under TLS 1.3 only: before, it needs the extended master secret, which OpenSSL does not tell us about
    (RFC 9266 §4.2). For the same reason there is no tls-unique, which a man in the middle can make equal on two
    connections (RFC 7627 §1).
    """
    handle = tls_handle(transport)
    if handle is None:
        return {}
    found = {}
    try:
        if handle.get_protocol_version_name() == "TLSv1.3":
            found[TLS_EXPORTER] = handle.export_keying_material(_EXPORTER_LABEL, _EXPORTER_OCTETS, b"")
    except Error:
        return {}
    certificate = handle.get_certificate()
    end_point = end_point_of(certificate.to_cryptography()) if certificate is not None else None
    if end_point is not None:
        found[TLS_SERVER_END_POINT] = end_point
    return found


def can_bind(transport: Any) -> bool:  # Any: see tls_handle.
    """Whether there will be something to bind to, also while the handshake is under way."""
    handle = tls_handle(transport)
    if handle is None:
        return False
    # Asked each time that mechanisms are told, so the certificate is read only where it decides.
    return (
        is_shaking_hands(transport)
        or handle.get_protocol_version_name() == "TLSv1.3"
        or TLS_SERVER_END_POINT in bindings_of(transport)
    )


def awaits_certificate(transport: Any) -> bool:  # Any: see tls_handle.
    """Whether the client may still show a certificate: it will be asked for one, and the handshake is not over."""
    handle = tls_handle(transport)
    return handle is not None and bool(handle.get_verify_mode() & VERIFY_PEER) and handle.get_cipher_name() is None


def certificate_of(transport: Any) -> ClientCertificate | None:  # Any: see tls_handle.
    """
    The certificate of the client, if it holds: signed by whom the listener believes, in time, and for clients.

    Looked at anew each time: a context may have let others through, and a resumed session has asked nobody.
    """
    handle = tls_handle(transport)
    if handle is None or not handle.get_verify_mode() & VERIFY_PEER:
        return None
    certificate = handle.get_peer_certificate()
    if certificate is None:
        return None
    store = handle.get_context().get_cert_store()
    try:
        X509StoreContext(store, certificate, handle.get_peer_cert_chain()).verify_certificate()
    except X509StoreContextError:
        return None
    return client_certificate(certificate.to_cryptography())


def client_certificate(certificate: x509.Certificate) -> ClientCertificate | None:
    """A certificate whose chain holds as a value; None where it is not for clients, or cannot be read."""
    try:
        extensions = certificate.extensions
    except ValueError:
        return None
    addresses: list[str] = []
    for extension in extensions:
        match extension.value:
            case x509.ExtendedKeyUsage() as usage if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
                return None
            case x509.SubjectAlternativeName() as names:
                addresses = names.get_values_for_type(x509.RFC822Name)
    return ClientCertificate(
        addresses=tuple(addresses),
        subject=certificate.subject.rfc4514_string(),
        der=certificate.public_bytes(Encoding.DER),
    )


def end_point_of(certificate: x509.Certificate) -> bytes | None:
    """The binding tls-server-end-point of a server's certificate; None where it has none."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        # RFC 5929 §4.1: what is signed without a hash of its own, as by Ed25519, has no binding of this type.
        return None
    return certificate.fingerprint(hashes.SHA256() if isinstance(algorithm, _TOO_WEAK) else algorithm)
