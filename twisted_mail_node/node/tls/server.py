"""
TLS for the listeners: a connection of OpenSSL for each client, by what was loaded last.

Made empty, filled by `load` before the first connection, and loaded again while in use: connections that come
afterwards get what is new, those that are there keep what they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from OpenSSL.SSL import Connection
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from ...mail.envelope import Service
from ..config.sections import TLSSettings
from .alpn import PROTOCOLS, ServedConnection
from .contexts import Contexts, load_contexts
from .files import Pair
from .handshakes import Handshakes


class ServerTLS:
    """
    The certificates of one node, and what they are served with.

    Args:
        clock: cuts off who does not shake hands.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._settings: TLSSettings | None = None
        self._contexts: Contexts | None = None
        self.handshakes = Handshakes(clock)

    def load(self, settings: TLSSettings) -> None:
        """
        Read the files.

        Raises: CannotStart: they can't be used. What was loaded before stays.
        """
        self._settings = settings
        self._contexts = load_contexts(settings)

    def reload(self) -> None:
        """Read the same files again. Raises: CannotStart, as `load`."""
        if self._settings is not None:
            self.load(self._settings)

    def renew_tickets(self) -> None:
        """Seal session tickets with new keys from now on; those that are out are worth a new handshake."""
        if self._contexts is not None:
            self._contexts = self._contexts.fresh()

    @property
    def pairs(self) -> Sequence[Pair]:
        """The certificates in use."""
        return self.contexts.pairs if self._contexts is not None else ()

    @property
    def files(self) -> Sequence[Path]:
        """All files that were named to `load`."""
        settings = self._settings
        if settings is None:
            return ()
        files = [settings.certificate, settings.private_key]
        for further in settings.further:
            files += [further.certificate, further.private_key]
        return [*files, *filter(None, (settings.client_authorities, settings.client_revocations))]

    @property
    def contexts(self) -> Contexts:
        """What is in use. Raises: RuntimeError: nothing was loaded."""
        if self._contexts is None:
            raise RuntimeError("a TLS connection before a certificate was loaded")
        return self._contexts

    def serving(self, service: Service, *, asks: bool = False) -> ServiceTLS:
        """
        What a listener of this service gives to `startTLS` or TLSMemoryBIOFactory.

        With `asks` its clients are asked for a certificate, where authorities for that are configured.
        """
        return ServiceTLS(self, PROTOCOLS[service], asks)


@implementer(IOpenSSLServerConnectionCreator)
class ServiceTLS:
    """Makes the connections of one service."""

    def __init__(self, tls: ServerTLS, protocols: tuple[bytes, ...], asks: bool) -> None:
        self._tls = tls
        self._protocols = protocols
        self._asks = asks

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:  # noqa: N803  Twisted's name
        """A new connection's state. Called by Twisted."""
        contexts = self._tls.contexts
        by_name = contexts.asking if self._asks else contexts.plain
        connection = ServedConnection(by_name.default, self._protocols)
        self._tls.handshakes.expect(tlsProtocol)
        return connection
