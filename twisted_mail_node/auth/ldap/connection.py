"""
One connection to an LDAP server: opened with the TLS that the configuration wants, then bind and search.

Decides nothing about users. Whatever goes wrong is a TemporaryFailure, and the connection is of no use any more.
Neighbour: `pool` keeps connections.

Source: RFC 4511.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint

from ...interfaces.deferred import returns_deferred
from ...mail.errors import TemporaryFailure

SUCCESS = 0
SIZE_LIMIT_EXCEEDED = 4
NO_SUCH_OBJECT = 32
"""Result codes. Source: RFC 4511 appendix A."""

WHOLE_SUBTREE = pureldap.LDAP_SCOPE_wholeSubtree
BASE_OBJECT = pureldap.LDAP_SCOPE_baseObject

MAX_WAITING_OCTETS = 256 * 1024
"""Our own bound: an answer to what is asked here is a few hundred octets."""

_NO_ATTRIBUTES = "1.1"
"""Source: RFC 4511 §4.5.1.8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """
    Where a server is.

    Attributes:
        host: its name, or the path of its socket for a unix one.
        port: 0 for a unix socket.
        tls: at once, by STARTTLS, or not at all.
        verification: of the server's certificate; None without TLS.
    """

    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"]
    verification: IOpenSSLClientConnectionCreator | None = None

    # Any: a reactor provides more interfaces than one type has names.
    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """What to connect to."""
        plain = HostnameEndpoint(reactor, self.host, self.port) if self.port else UNIXClientEndpoint(reactor, self.host)
        if self.tls != "implicit" or self.verification is None:
            return plain
        return wrapClientTLS(self.verification, plain)


class _Client(LDAPClient):  # type: ignore[misc]  # ldaptor has no types
    """ldaptor's client, with a bound for what comes, and garbage no reason to lose it."""

    def dataReceived(self, recd: bytes) -> None:
        """See Protocol."""
        if len(self.buffer) + len(recd) > MAX_WAITING_OCTETS:
            self.transport.abortConnection()
            return
        try:
            super().dataReceived(recd)
        except Exception:
            # ldaptor raises whatever comes up where an answer makes no sense; who waits is told that it is lost.
            self.transport.abortConnection()


class LDAPConnection:
    """An open connection. Made by `connect`."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self.bound_as: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still be used."""
        return bool(self._client.connected)

    @returns_deferred
    async def bind(self, name: str, password: str) -> int:
        """Prove to be somebody. Fires with the result code. Fails with: TemporaryFailure."""
        self.bound_as = None
        request = pureldap.LDAPBindRequest(dn=name.encode("utf-8"), auth=password.encode("utf-8"))
        with _losing("bind"):
            code = int((await self._client.send(request)).resultCode)
        if code == SUCCESS:
            self.bound_as = name
        return code

    # Any: a filter of ldaptor.
    @returns_deferred
    async def search(self, base: str, scope: int, filter: Any, at_most: int) -> Sequence[str]:
        """The names of what is found. Fails with: TemporaryFailure; also where it is more than `at_most`."""
        request = pureldap.LDAPSearchRequest(
            baseObject=base.encode("utf-8"),
            scope=scope,
            sizeLimit=at_most,
            filter=filter,
            attributes=[_NO_ATTRIBUTES.encode("ascii")],
        )
        found: list[str] = []
        done: Deferred[int] = Deferred()
        with _losing("search"):
            lost = self._client.send_multiResponse(request, _take, found, done, at_most)
            lost.addErrback(done.errback)
            code = await done
        if code == NO_SUCH_OBJECT:
            return ()
        if code != SUCCESS or len(found) > at_most:
            raise TemporaryFailure(f"the LDAP server answers a search by {code}, with {len(found)} entries")
        return found

    def close(self) -> None:
        """Hang up."""
        if self._client.transport is not None:
            self._client.transport.abortConnection()


def _take(response: Any, found: list[str], done: Deferred[int], at_most: int) -> bool:  # Any: of ldaptor.
    """One answer to a search; gives whether it was the last."""
    if isinstance(response, pureldap.LDAPSearchResultEntry):
        if len(found) <= at_most:
            found.append(bytes(response.objectName).decode("utf-8"))
        return False
    if isinstance(response, pureldap.LDAPSearchResultDone):
        done.callback(int(response.resultCode))
        return True
    # A reference to another server: that one is not asked.
    return False


# Any: as in Server.endpoint.
@returns_deferred
async def connect(reactor: Any, server: Server) -> LDAPConnection:
    """Fails with: TemporaryFailure. Cancelling gives it up."""
    with _losing("connect"):
        client = await connectProtocol(server.endpoint(reactor), _Client())
        if server.tls == "starttls":
            try:
                await _start_tls(client, server)
            except BaseException:
                client.transport.abortConnection()
                raise
    return LDAPConnection(client)


async def _start_tls(client: _Client, server: Server) -> None:
    code = int((await client.send(pureldap.LDAPStartTLSRequest())).resultCode)
    if code != SUCCESS:
        raise TemporaryFailure(f"the LDAP server does not begin TLS: {code}")
    if client.buffer:
        raise TemporaryFailure("the LDAP server said more in plain text than its answer to STARTTLS")
    client.transport.startTLS(server.verification)


@contextmanager
def _losing(doing: str) -> Iterator[None]:
    """What a connection fails with becomes a TemporaryFailure."""
    try:
        yield
    except (CancelledError, TemporaryFailure):
        raise
    except Exception as error:
        # Of Twisted, OpenSSL or ldaptor: whatever it is, the connection is of no use.
        raise TemporaryFailure(f"the LDAP server is lost ({doing}): {error}") from error
