"""LDAP as the configuration wants it: `credentials` puts it among the sources, `auth.ldap` does the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import optionsForClientTLS

from .config import Config
from .config.mistakes import shown
from .config.sections import LDAPSettings
from .errors import CannotStart
from .storage import Reactor
from .trust import trust_root

try:
    from ..auth.ldap.connection import Server, connect
    from ..auth.ldap.pool import Pool
    from ..auth.ldap.queries import BadTemplate, FilterTemplate, check_name_template
    from ..auth.ldap.users import LDAPUsers, Lookup
except ImportError as error:
    raise CannotStart(f'[auth.ldap] needs ldaptor ({error}): pip install "twisted-mail-node[ldap]"') from error

T = TypeVar("T")

PORTS = {"ldap": 389, "ldaps": 636}
"""Source: RFC 4516 §2, and what is customary for ldaps."""


def make_ldap(config: Config, settings: LDAPSettings, reactor: Reactor) -> tuple[LDAPUsers, Pool]:
    """
    The users of LDAP, and the connections that are asked. Nothing is connected to yet.

    Raises: CannotStart: a template can't be used, or a certificate not be read.
    """
    lookup, trust = _lookup(config, settings), trust_root(settings.trusted_certificates)
    servers = [partial(connect, reactor, _server(uri, settings, trust)) for uri in settings.uri]
    pool = Pool(servers, reactor, settings.connections, settings.timeout)
    return LDAPUsers(pool, lookup, reactor), pool


def check_ldap(config: Config, settings: LDAPSettings) -> None:
    """Raises: CannotStart: see make_ldap."""
    _lookup(config, settings)
    trust_root(settings.trusted_certificates)


def _lookup(config: Config, settings: LDAPSettings) -> Lookup:
    if settings.bind_dn:
        _template("bind_dn", settings.bind_dn, check_name_template)
    return Lookup(
        domains=config.domains,
        base=settings.base,
        filter=_template("filter", settings.filter, FilterTemplate),
        bind_name=settings.bind_dn,
        service_name=settings.service_dn,
        service_password=settings.service_password.get_secret_value(),
        remember_seconds=settings.remember,
    )


def _template(key: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except BadTemplate as error:
        raise CannotStart(f"auth.ldap.{key} = {shown(text)}: {error}") from error


# Any: see trust_root.
def _server(uri: str, settings: LDAPSettings, trust: Any) -> Server:
    parts = urlsplit(uri)
    if parts.scheme == "ldapi":
        return Server(host=unquote(parts.netloc) or parts.path, port=0, tls="none")
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "ldap" and not settings.starttls:
        return Server(host=host, port=port, tls="none")
    verification: IOpenSSLClientConnectionCreator = optionsForClientTLS(host, trustRoot=trust)
    tls: Literal["starttls", "implicit"] = "implicit" if parts.scheme == "ldaps" else "starttls"
    return Server(host=host, port=port, tls=tls, verification=verification)
