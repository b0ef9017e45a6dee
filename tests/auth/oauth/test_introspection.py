"""Tokens asked about at a web server on loopback, which may misbehave."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager

import pytest
import pytest_twisted
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from twisted_mail_node.auth.oauth.introspection import Introspection
from twisted_mail_node.auth.oauth.web import MAX_OCTETS, Web
from twisted_mail_node.mail.errors import TemporaryFailure


class Issuer(Resource):
    isLeaf = True  # noqa: N815  Twisted's name

    def __init__(self):
        super().__init__()
        self.answer, self.code, self.asked = b"{}", 200, []

    def render(self, request):
        self.asked.append((request.getHeader("authorization"), dict(request.args), request.method))
        request.setResponseCode(self.code)
        request.setHeader("location", "http://127.0.0.1:1/elsewhere")
        return NOT_DONE_YET if self.answer is None else self.answer


@asynccontextmanager
async def served(issuer, timeout_seconds=20.0):
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Site(issuer))
    pool = HTTPConnectionPool(reactor)
    web = Web(Agent(reactor, pool=pool), pool, timeout_seconds)
    try:
        yield web, f"http://127.0.0.1:{port.getHost().port}/introspect"
    finally:
        await web.stop()
        await port.stopListening()


async def claims(server, token="opaque", timeout_seconds=20.0, **asked_for):
    async with served(server, timeout_seconds) as (web, url):
        given = {"issuer": "https://login.test", "audience": ["mail"], **asked_for}
        return await Introspection(web, url, "node", "word", **given).claims(token)


@pytest_twisted.ensureDeferred
async def test_an_active_token_tells_what_it_is():
    issuer = Issuer()
    issuer.answer = json.dumps({"active": True, "email": "joe@a.test", "aud": ["x", "mail"]}).encode()
    assert (await claims(issuer))["email"] == "joe@a.test"
    (authorization, fields, method) = issuer.asked[0]
    assert (base64.b64decode(authorization.split()[1]), method) == (b"node:word", b"POST")
    assert fields == {b"token": [b"opaque"], b"token_type_hint": [b"access_token"]}


@pytest.mark.parametrize(
    "answer",
    [
        {"active": False},
        {"active": True, "iss": "https://evil.test"},
        {"active": True, "aud": "calendar"},
        {"active": True, "aud": ["calendar"]},
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_token_that_is_not_for_us_is_refused(answer):
    issuer = Issuer()
    issuer.answer = json.dumps(answer).encode()
    with pytest.raises(UnauthorizedLogin):
        await claims(issuer)


@pytest_twisted.ensureDeferred
async def test_without_settings_any_issuer_and_audience_will_do():
    issuer = Issuer()
    issuer.answer = b'{"active": true, "aud": "calendar", "iss": "x"}'
    assert (await claims(issuer, issuer="", audience=[]))["aud"] == "calendar"


@pytest.mark.parametrize(
    ("code", "answer", "told"),
    [
        (401, b"{}", "answers by 401"),
        (500, b"{}", "answers by 500"),
        (302, b"{}", "answers by 302"),
        (200, b"<html>", "gives no answer"),
        (200, b"[]", "something else than RFC 7662 says"),
        (200, b'{"active": "true"}', "something else than RFC 7662 says"),
        (200, b" " * (MAX_OCTETS + 1), "more than"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_answer_so_decides_nothing(code, answer, told):
    issuer = Issuer()
    issuer.code, issuer.answer = code, answer
    with pytest.raises(TemporaryFailure, match=told):
        await claims(issuer)
    assert len(issuer.asked) == 1


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_silent_decides_nothing():
    issuer = Issuer()
    issuer.answer = None
    with pytest.raises(TemporaryFailure, match="gives no answer"):
        await claims(issuer, timeout_seconds=0.05)


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_not_there_decides_nothing():
    pool = HTTPConnectionPool(reactor)
    web = Web(Agent(reactor, pool=pool), pool, 20.0)
    with pytest.raises(TemporaryFailure, match="gives no answer"):
        await web.get("http://127.0.0.1:1/")
