"""
Who is at the other end of a transport, as a value. The one place that knows how Twisted tells.

Source: for the trace header's use of it RFC 5321 §4.4; TLS as twisted.protocols.tls layers it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import ISSLTransport

from ..mail.envelope import Peer
from ..mail.host import address_of
from .tls_line import tls_handle


def peer_of(transport: Any, session: str = "") -> Peer:  # Any: TCP, unix and TLS transports share no interface.
    """
    The peer of a connected transport.

    To be asked again after STARTTLS, once the first octets have come through TLS: version and cipher are known
    then. An IPv4 address mapped into IPv6 is given as IPv4, a zone is taken off; a unix socket has the host "".
    """
    address = transport.getPeer()
    host, port = getattr(address, "host", ""), getattr(address, "port", 0)
    if not ISSLTransport.providedBy(transport):
        return Peer(_plain(host), port, session=session)
    version, cipher = _tls_details(transport)
    return Peer(_plain(host), port, True, version, cipher, session)


def _plain(host: str) -> str:
    if ":" not in host:
        return host
    return str(address_of(host) or host.partition("%")[0])


def _tls_details(transport: Any) -> tuple[str, str]:  # Any: see peer_of.
    handle = tls_handle(transport)
    if handle is None:
        return "", ""
    return handle.get_protocol_version_name() or "", handle.get_cipher_name() or ""
