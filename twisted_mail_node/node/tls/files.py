"""
What the configuration names: certificates with their keys, and authorities, read from PEM files and checked.

A pair is read and checked as a whole, so that OpenSSL never sees half of a renewal. Everything that is wrong is told
in one sentence.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ..errors import CannotStart, reason
from .names import names_of

_LISTS = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """
    A certificate, those that lead to its root, and its key.

    `path` is the certificate's file; `names` are the host names it is for, in lower case, A-labels, perhaps with a
    wildcard; `kind` says what the key is, as far as OpenSSL may have one of each.
    """

    path: Path
    chain: tuple[x509.Certificate, ...]
    key: PrivateKey = field(repr=False)
    names: tuple[str, ...]

    @property
    def kind(self) -> str:
        """RSA, ECDSA or Ed25519."""
        match self.key:
            case rsa.RSAPrivateKey():
                return "RSA"
            case ec.EllipticCurvePrivateKey():
                return "ECDSA"
            case _:
                return "Ed25519"

    @property
    def expires(self) -> datetime.datetime:
        """When the certificate itself ends."""
        return self.chain[0].not_valid_after_utc

    def chain_pem(self) -> bytes:
        """The certificates as OpenSSL reads them, the node's own first."""
        return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in self.chain)


def read_pair(certificate: Path, private_key: Path) -> Pair:
    """Raises: CannotStart: a file can't be read, is not what it should be, or the two don't belong together."""
    chain, key = _read_chain(certificate), _read_key(private_key)
    try:
        belongs, names = key.public_key() == chain[0].public_key(), names_of(chain[0])
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        # What is in a certificate is read when it is asked for.
        raise CannotStart(f"the certificate {certificate} can't be used: {error}") from error
    if not belongs:
        raise CannotStart(f"the private key {private_key} does not belong to the certificate {certificate}")
    return Pair(path=certificate, chain=tuple(chain), key=key, names=names)


def read_authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a file. Raises: CannotStart."""
    return tuple(_read_chain(path))


def read_revocations(path: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """The revocation lists of a file. Raises: CannotStart."""
    found = _LISTS.findall(_read(path, "file of revocation lists"))
    try:
        lists = tuple(map(x509.load_pem_x509_crl, found))
    except ValueError:
        lists = ()
    if not lists:
        raise CannotStart(f"the file of revocation lists {path} has none in PEM form")
    return lists


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
    except UnsupportedAlgorithm:
        key = None
    if not isinstance(key, PrivateKey):
        raise CannotStart(f"the private key {path} is of a kind that TLS does not use")
    return key
