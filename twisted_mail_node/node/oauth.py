"""OAuth as the configuration wants it. Neighbours: `credentials` makes a checker of it; `auth.oauth` does the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.ssl import optionsForClientTLS
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from ..auth.threads import Executor
from ..interfaces.store import IDirectory
from ..mail.errors import TemporaryFailure
from .config import Config
from .config.sections import OAuthSettings
from .errors import CannotStart, reason
from .storage import Reactor
from .trust import trust_root

try:
    from ..auth.oauth.introspection import Introspection
    from ..auth.oauth.keys import Keys
    from ..auth.oauth.signed import SignedTokens
    from ..auth.oauth.tokens import OAuthTokens, TokenRules
    from ..auth.oauth.web import JSON, Web
except ImportError as error:
    raise CannotStart(f'[auth.oauth] needs PyJWT and treq ({error}): pip install "twisted-mail-node[oauth]"') from error

CONNECTIONS_TO_A_HOST = 4


@implementer(IPolicyForHTTPS)
class _Verifying:
    """Certificates hold for the host's name, signed by whom is trusted."""

    def __init__(self, trust: Any) -> None:  # Any: see trust_root.
        self._trust = trust

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # noqa: N802  Twisted's name
        """See IPolicyForHTTPS."""
        return optionsForClientTLS(hostname.decode("ascii"), trustRoot=self._trust)


def make_oauth(
    config: Config, settings: OAuthSettings, directory: IDirectory, executor: Executor, reactor: Reactor
) -> tuple[OAuthTokens, Web]:
    """
    What says whose tokens are, and what asks web servers for it. Nothing is asked yet.

    Raises: CannotStart: a certificate can't be read.
    """
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = CONNECTIONS_TO_A_HOST
    policy = _Verifying(trust_root(settings.trusted_certificates))
    agent = Agent(reactor, contextFactory=policy, connectTimeout=settings.timeout, pool=pool)
    web = Web(agent, pool, settings.timeout)
    rules = TokenRules(
        domains=config.domains,
        claim=settings.claim,
        scopes=frozenset(settings.scope.split()),
        remember_seconds=settings.remember,
    )
    signed = opaque = None
    if settings.jwks:
        signed = SignedTokens(
            Keys(_fetching(settings, web, executor), reactor),
            issuer=settings.issuer,
            audience=settings.audience,
            algorithms=settings.algorithms,
            clock_skew_seconds=settings.clock_skew,
        )
    if settings.introspection:
        opaque = Introspection(
            web,
            settings.introspection,
            settings.client_id,
            settings.client_secret.get_secret_value(),
            issuer=settings.issuer,
            audience=settings.audience,
        )
    return OAuthTokens(rules, directory, reactor, signed, opaque), web


def check_oauth(settings: OAuthSettings) -> None:
    """Raises: CannotStart: a certificate can't be read, or the file of keys."""
    trust_root(settings.trusted_certificates)
    if settings.jwks and not _is_fetched(settings):
        try:
            _read(Path(settings.jwks))
        except TemporaryFailure as error:
            raise CannotStart(f"auth.oauth.jwks: {error}") from error


def _is_fetched(settings: OAuthSettings) -> bool:
    return settings.jwks.startswith(("https:", "http:"))


def _fetching(settings: OAuthSettings, web: Web, executor: Executor) -> Callable[[], Deferred[JSON]]:
    if _is_fetched(settings):
        return partial(web.get, settings.jwks)
    path = Path(settings.jwks)
    return lambda: executor.run(lambda: _read(path))


def _read(path: Path) -> JSON:
    """In a thread. Raises: TemporaryFailure."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise TemporaryFailure(f"{path} can't be read: {reason(error)}") from error
    except ValueError as error:
        raise TemporaryFailure(f"{path} is not JSON: {error}") from error
