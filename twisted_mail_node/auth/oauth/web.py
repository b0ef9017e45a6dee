"""
JSON from web servers, at the addresses of the configuration and no others: bounded in size and time, no redirects.

Whatever goes wrong is a TemporaryFailure. Neighbours: `keys` and `introspection` ask.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import treq
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.client import HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

from ...interfaces.deferred import returns_deferred
from ...mail.errors import TemporaryFailure

MAX_OCTETS = 256 * 1024
"""Our own bound: key sets and answers have some thousand octets."""

OK = 200

# What JSON has.
JSON = Any


class Web:
    """Asks web servers."""

    def __init__(self, agent: IAgent, pool: HTTPConnectionPool, timeout_seconds: float) -> None:
        """
        Args:
            agent: connects, and verifies certificates.
            pool: the agent's connections.
            timeout_seconds: for a question.
        """
        self._client = HTTPClient(agent)
        self._pool = pool
        self._timeout_seconds = timeout_seconds

    def get(self, url: str) -> Deferred[JSON]:
        """What is there. Fails with: TemporaryFailure."""
        return self._asked("GET", url)

    def post(self, url: str, fields: Mapping[str, str], user: str, password: str) -> Deferred[JSON]:
        """What is answered to a form. Fails with: TemporaryFailure."""
        return self._asked("POST", url, data=dict(fields), auth=(user, password))

    # Any: treq's options.
    @returns_deferred
    async def _asked(self, method: str, url: str, **options: Any) -> JSON:
        try:
            response = await self._client.request(
                method,
                url,
                headers=Headers({"Accept": ["application/json"]}),
                allow_redirects=False,
                unbuffered=True,
                timeout=self._timeout_seconds,
                **options,
            )
            return json.loads(await _content(response))
        except (CancelledError, TemporaryFailure):
            raise
        except Exception as error:
            # Of Twisted, OpenSSL, treq or json: there is no answer.
            raise TemporaryFailure(f"{url} gives no answer: {error}") from error

    def stop(self) -> Deferred[None]:
        """Hang up."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed


async def _content(response: IResponse) -> bytes:
    if response.code != OK:
        raise TemporaryFailure(f"it answers by {response.code}")
    parts: list[bytes] = []
    size = 0

    def take(part: bytes) -> None:
        nonlocal size
        size += len(part)
        if size > MAX_OCTETS:
            raise TemporaryFailure(f"it answers with more than {MAX_OCTETS} octets")
        parts.append(part)

    await treq.collect(response, take)
    return b"".join(parts)
