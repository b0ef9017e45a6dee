"""OAuth as the configuration has it: an issuer with HTTPS on loopback, a file of keys, and logins by token."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest
import pytest_twisted
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import Site

from twisted_mail_node.interfaces.credentials import IBearerToken
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.node.config import ConfigError, parse_config
from twisted_mail_node.node.credentials import make_credentials
from twisted_mail_node.node.storage import make_passwords
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.certificates import issue

from ..auth.oauth.signing import ISSUER, claims, key_set, token


class Shown:
    """A token that is shown to a checker."""

    def __init__(self, text, username=""):
        self.token, self.username = text, username


class Page(Resource):
    isLeaf = True  # noqa: N815  Twisted's name

    def __init__(self, answer):
        super().__init__()
        self._answer = json.dumps(answer).encode()

    def render(self, request):
        return self._answer


@asynccontextmanager
async def secured(folder, **pages):
    """A web server with a certificate for 127.0.0.1, by an authority in `authority.pem`."""
    authority = issue("Authority", authority=True)
    issued = issue("127.0.0.1", issuer=authority)
    (folder / "authority.pem").write_bytes(authority.pem)
    root = Resource()
    for name, answer in pages.items():
        root.putChild(name.encode(), Page(answer))
    certificate = PrivateCertificate.loadPEM(issued.key_pem + issued.pem)
    endpoint = SSL4ServerEndpoint(reactor, 0, certificate.options(), interface="127.0.0.1")
    port = await endpoint.listen(Site(root))
    try:
        yield f"https://127.0.0.1:{port.getHost().port}"
    finally:
        await port.stopListening()


@asynccontextmanager
async def tokens(folder, **oauth):
    """What a node with these settings makes of a token."""
    store = MemoryStore(Clock())
    await store.start()
    await store.add_user("joe@a.test", "!")
    config = parse_config({"domain": [{"name": "a.test"}], "auth": {"oauth": oauth}}, base=folder)
    passwords, threads = make_passwords(config, reactor)
    threads.start()
    made = make_credentials(config, store, passwords, threads, reactor)
    (checker,) = [each for each in made.checkers if IBearerToken in each.credentialInterfaces]
    try:
        yield checker
    finally:
        await made.stop()
        threads.stop()


@pytest_twisted.ensureDeferred
async def test_signed_tokens_are_checked_by_keys_from_the_web(tmp_path):
    async with secured(tmp_path, keys=key_set()) as url:
        settings = {"issuer": ISSUER, "audience": ["mail"], "jwks": f"{url}/keys", "scope": "mail"}
        async with tokens(tmp_path, trusted_certificates="authority.pem", **settings) as checker:
            assert checker.scope == "mail"
            good = token(claims(scope="mail openid"))
            assert await checker.requestAvatarId(Shown(good, "joe@a.test")) == b"joe@a.test"
            with pytest.raises(UnauthorizedLogin):
                await checker.requestAvatarId(Shown(good, "ann@a.test"))
            with pytest.raises(UnauthorizedLogin):
                await checker.requestAvatarId(Shown(token()))
        async with tokens(tmp_path, **settings) as checker:
            # Nobody vouches for this server.
            with pytest.raises(TemporaryFailure):
                await checker.requestAvatarId(Shown(good))


@pytest_twisted.ensureDeferred
async def test_signed_tokens_are_checked_by_keys_in_a_file(tmp_path):
    settings = {"issuer": ISSUER, "audience": ["mail"], "jwks": "keys.json"}
    async with tokens(tmp_path, **settings) as checker:
        with pytest.raises(TemporaryFailure):
            await checker.requestAvatarId(Shown(token()))
    (tmp_path / "keys.json").write_text(json.dumps(key_set()))
    async with tokens(tmp_path, **settings) as checker:
        assert await checker.requestAvatarId(Shown(token())) == b"joe@a.test"


@pytest_twisted.ensureDeferred
async def test_other_tokens_are_asked_about(tmp_path):
    answer = {"active": True, "username": "joe"}
    async with secured(tmp_path, introspect=answer) as url:
        settings = {"introspection": f"{url}/introspect", "client_id": "node", "claim": "username"}
        async with tokens(tmp_path, trusted_certificates="authority.pem", **settings) as checker:
            assert await checker.requestAvatarId(Shown("opaque")) == b"joe@a.test"


@pytest.mark.parametrize(
    ("oauth", "told"),
    [
        ({}, "this or introspection is needed"),
        ({"jwks": "keys.json"}, "needed with jwks"),
        ({"jwks": "http://login.test/keys", "issuer": "x", "audience": ["x"]}, "http: only of this machine"),
        ({"introspection": "https://login.test/"}, "needed with introspection"),
        ({"introspection": "https://user@login.test/", "client_id": "x"}, "an address such as"),
        ({"jwks": "keys.json", "issuer": "x", "audience": ["x"], "algorithms": ["HS256"]}, "RS256"),
        ({"jwks": "keys.json", "issuer": "x", "audience": ["x"], "algorithms": ["none"]}, "RS256"),
    ],
)
def test_what_is_not_safe_is_no_configuration(oauth, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        parse_config({"auth": {"oauth": oauth}}, base=tmp_path)


@pytest.mark.parametrize(
    ("ldap", "told"),
    [
        ({"uri": ["ldaps://ldap.test"]}, "needed to search for users"),
        ({"uri": [], "base": "dc=a"}, "at least 1|needs|allowed"),
        ({"uri": ["http://ldap.test"], "base": "dc=a"}, "an LDAP server such as"),
        ({"uri": ["ldap://ldap.test:99999"], "base": "dc=a"}, "an LDAP server such as"),
        ({"uri": ["ldaps://ldap.test/dc=a"], "base": "dc=a"}, "an LDAP server such as"),
        ({"uri": ["ldap://ldap.test"], "base": "dc=a", "starttls": False}, "in plain text"),
    ],
)
def test_an_ldap_server_is_told_whole_and_safe(ldap, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        parse_config({"auth": {"ldap": ldap}}, base=tmp_path)


def test_plain_text_is_for_this_machine(tmp_path):
    uris = ["ldap://127.0.0.1:1389", "ldap://[::1]", "ldapi://%2Frun%2Fldapi"]
    assert parse_config({"auth": {"ldap": {"uri": uris, "base": "dc=a", "starttls": False}}}, base=tmp_path)
