"""
TLS towards other nodes: encrypted without asking who, or with the certificate checked for the host's name.

It decides what a certificate must be; `connect` decides whether TLS is wanted. Contexts are made once, since
reading a system's trusted certificates takes longer than a delivery. Sources: RFC 3207 §4.1, RFC 7817 §3,
RFC 9525 (service identity).
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, CertificateOptions, platformTrust, trustRootFromCertificates
from zope.interface import implementer

from ..mail.errors import PermanentFailure

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


class CertificateRefused(Exception):
    """The certificate is not one for the host's name."""


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """Makes a client connection out of a shared context, telling the server its name (RFC 6066 §3)."""

    def __init__(self, context: SSL.Context, server_name: bytes | None) -> None:
        self._context = context
        self._server_name = server_name

    # Any: the interface does not type it.
    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N803
        """Called by Twisted when TLS starts."""
        connection = SSL.Connection(self._context, None)
        if self._server_name is not None:
            connection.set_tlsext_host_name(self._server_name)
        return connection


class ClientTLS:
    """
    What TLS needs on the client's side.

    `trusted` names a PEM file of trusted certificates for `verify`; without it the system's are trusted.
    """

    def __init__(self, trusted: Path | None = None) -> None:
        self._trusted = trusted

    def creator(self, host: str, *, verify: bool) -> IOpenSSLClientConnectionCreator:
        """
        For `startTLS`. `host` is the name told to the server, an IP address is not told.

        Raises: PermanentFailure: the file of trusted certificates cannot be used.
        """
        name = None if _is_address(host) else host.encode("ascii")
        return _Creator(self._verifying if verify else self._trusting, name)

    def check(self, connection: SSL.Connection, host: str) -> None:
        """
        Hold the certificate of an established connection against the host's name (RFC 9525).

        Raises: CertificateRefused.
        """
        try:
            if _is_address(host):
                verify_ip_address(connection, host.strip("[]").removeprefix("IPv6:").removeprefix("ipv6:"))
            else:
                verify_hostname(connection, host)
        except (VerificationError, CertificateError) as error:
            raise CertificateRefused(f"the certificate is not one for {host}") from error

    @cached_property
    def _trusting(self) -> SSL.Context:
        return CertificateOptions().getContext()

    @cached_property
    def _verifying(self) -> SSL.Context:
        if self._trusted is None:
            return CertificateOptions(trustRoot=platformTrust()).getContext()
        try:
            blocks = _PEM.findall(self._trusted.read_bytes())
            certificates = [Certificate.loadPEM(block) for block in blocks]
        except (OSError, ValueError, SSL.Error, crypto.Error) as error:
            raise PermanentFailure(f"cannot read trusted certificates: {self._trusted}") from error
        if not certificates:
            raise PermanentFailure(f"no certificate in {self._trusted}")
        return CertificateOptions(trustRoot=trustRootFromCertificates(certificates)).getContext()


def _is_address(host: str) -> bool:
    return ":" in host or host.startswith("[") or host.replace(".", "").isdigit()
