"""
The node's side of TLS: reads certificate and key, makes them where nobody gave any, and serves connections.

Decides versions and ciphers (TLS 1.2 and later, forward secrecy with AEAD only). Does not decide which listener
has TLS: see `listening`.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL.crypto import X509, PKey
from OpenSSL.SSL import OP_CIPHER_SERVER_PREFERENCE, OP_NO_RENEGOTIATION, Connection, Context
from OpenSSL.SSL import Error as OpenSSLError
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from .errors import CannotStart, reason

# Mozilla's "intermediate" without the suites that lack an AEAD; TLS 1.3 has its own, all of them sound.
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

OWN_CERTIFICATE_DAYS = 3650
"""A certificate that the node makes for itself is for trying things out; it need not be renewed."""


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """
    The context factory of all listeners: made empty, filled by `load` before the first connection.

    May be loaded again while in use: connections that come afterwards get the new certificate.
    """

    def __init__(self) -> None:
        self._context: Context | None = None

    def load(self, certificate: Path, private_key: Path) -> None:
        """
        Read certificate and key.

        Raises: CannotStart: a file can't be read, is not what it should be, or the two don't belong together.
        """
        chain, key = _read_chain(certificate), _read_key(private_key)
        if key.public_key() != chain[0].public_key():
            raise CannotStart(f"the private key {private_key} does not belong to the certificate {certificate}")
        try:
            options = CertificateOptions(
                privateKey=PKey.from_cryptography_key(key),
                certificate=X509.from_cryptography(chain[0]),
                extraCertChain=[X509.from_cryptography(issuer) for issuer in chain[1:]],
                raiseMinimumTo=TLSVersion.TLSv1_2,
                acceptableCiphers=AcceptableCiphers.fromOpenSSLCipherString(_CIPHERS),
            )
            context = options.getContext()
        except (OpenSSLError, TypeError, ValueError) as error:
            raise CannotStart(f"the certificate {certificate} can't be used: {error}") from error
        context.set_options(OP_CIPHER_SERVER_PREFERENCE | OP_NO_RENEGOTIATION)
        self._context = context

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:  # noqa: N803  Twisted's name
        """A new connection's state. Called by Twisted."""
        if self._context is None:
            raise RuntimeError("a TLS connection before the certificate was loaded")
        return Connection(self._context, None)


def check_trusted_certificates(path: Path | None) -> None:
    """Raises: CannotStart: the file of those whom other nodes' certificates are believed from can't be used."""
    if path is not None:
        _read_chain(path)


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"the {what} {path} can't be read: {reason(error)}") from error


def _read_chain(path: Path) -> list[x509.Certificate]:
    content = _read(path, "certificate")
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise CannotStart(f"the certificate {path} is not a certificate in PEM form") from error


def _read_key(path: Path) -> PrivateKey:
    content = _read(path, "private key")
    try:
        key = serialization.load_pem_private_key(content, None)
    except TypeError as error:
        raise CannotStart(f"the private key {path} has a passphrase, which the node can't know") from error
    except ValueError as error:
        raise CannotStart(f"the private key {path} is not a key in PEM form") from error
    if not isinstance(key, PrivateKey):
        raise CannotStart(f"the private key {path} is of a kind that TLS does not use")
    return key


def make_certificate(names: Sequence[str], now: datetime.datetime) -> tuple[bytes, bytes]:
    """A certificate for these names (A-labels) and loopback, signed by itself, and its key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    hosts = [x509.DNSName(name) for name in dict.fromkeys((*names, "localhost"))]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=OWN_CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([*hosts, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private_key
