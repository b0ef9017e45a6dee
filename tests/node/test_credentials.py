"""A node whose credentials are where the configuration says, asked through its portal and its operations."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail_node.auth.portal import make_portal
from twisted_mail_node.interfaces.auth import ILogin
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.password_marks import ELSEWHERE
from twisted_mail_node.mail.scram import ScramHash
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.control.operations import Operations
from twisted_mail_node.node.credentials import make_credentials
from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.node.storage import make_passwords
from twisted_mail_node.store.memory import MemoryStore

from ..slapd import BASE, MANAGER, MANAGER_PASSWORD, Slapd

CHEAP = {"hash_memory": "8 KiB", "hash_passes": 1}


class House:
    """The credentials of a node, its store in memory, its threads real."""

    def __init__(self, folder, **auth):
        config = parse_config({"domain": [{"name": "a.test"}], "auth": {**CHEAP, **auth}}, base=folder)
        self.store = MemoryStore(Clock())
        self.store.start()
        self.passwords, self.threads = make_passwords(config, reactor)
        made = make_credentials(config, self.store, self.passwords, self.threads, reactor)
        self.credentials = made
        self.threads.start()
        self.portal = make_portal(self.store, made.directory, self.passwords, made.checkers)
        self.operations = Operations(
            config,
            made.directory,
            self.store,
            self.passwords,
            reactor.seconds,
            lambda name: None,
            verifiers=made.verifiers,
        )

    def perform(self, operation, **arguments):
        return self.operations.perform(operation, arguments)

    async def login(self, name, password):
        credentials = UsernamePassword(name.encode(), password.encode())
        _, login, _ = await self.portal.login(credentials, None, ILogin)
        return login.name


@pytest.fixture
def house(tmp_path):
    houses = []

    def build(**auth):
        houses.append(House(tmp_path, **auth))
        return houses[-1]

    yield build
    for built in houses:
        built.credentials.stop()
        built.threads.stop()


@pytest_twisted.ensureDeferred
async def test_a_user_logs_in_by_password_and_by_app_password_until_it_is_revoked(house):
    a = house()
    await a.perform("user.add", name="joe@a.test", password="secret")
    made = await a.perform("user.app-password.add", name="joe@a.test", label="phone")
    assert await a.login("joe@a.test", "secret") == "joe@a.test"
    assert await a.login("joe@a.test", made["password"]) == "joe@a.test"
    (listed,) = await a.perform("user.app-password.list", name="joe@a.test")
    assert listed["last_used"] is not None
    await a.perform("user.app-password.revoke", name="joe@a.test", label="phone")
    with pytest.raises(UnauthorizedLogin):
        await a.login("joe@a.test", made["password"])


@pytest_twisted.ensureDeferred
async def test_a_new_password_has_verifiers_where_the_setting_asks(house):
    both = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    a = house(scram=["sha-256", "sha-1"], scram_iterations=4096, mechanisms=both)
    await a.perform("user.add", name="joe@a.test", password="secret")
    assert await a.perform("user.list") == [{"name": "joe@a.test", "scram": True}]
    before = await a.store.verifiers("joe@a.test")
    assert {verifier.hash for verifier in before} == set(ScramHash)
    await a.perform("user.passwd", name="joe@a.test", password="other")
    after = await a.store.verifiers("joe@a.test")
    assert len(after) == 2
    assert not set(before) & set(after)


@pytest_twisted.ensureDeferred
async def test_without_the_setting_none_are_kept_and_a_new_password_ends_old_ones(house):
    a = house(scram=["sha-256"], scram_iterations=4096)
    await a.perform("user.add", name="joe@a.test", password="secret")
    (hashed,) = [await a.store.password_hash("joe@a.test")]
    verifiers = await a.store.verifiers("joe@a.test")
    b = house()
    await b.store.add_user("joe@a.test", hashed)
    await b.store.keep_verifiers("joe@a.test", hashed, verifiers)
    await b.login("joe@a.test", "secret")
    await b.perform("user.passwd", name="joe@a.test", password="other")
    assert list(await b.store.verifiers("joe@a.test")) == []


def test_only_what_is_kept_is_offered(house):
    def ways(built):
        return {way.__name__ for checker in built.credentials.checkers for way in checker.credentialInterfaces}

    assert ways(house()) == {"IUsernamePassword", "IVerifiedCertificate"}
    assert ways(house(scram=["sha-256"])) == {"IUsernamePassword", "IVerifiedCertificate", "IScramProof"}


@pytest_twisted.ensureDeferred
async def test_an_imported_user_has_a_verifier_after_the_first_login(house):
    a = house(scram=["sha-256"], scram_iterations=4096)
    (hashed,) = await a.perform("user.hash", passwords=["secret"])
    await a.perform("user.import", users=[["joe@a.test", hashed]])
    assert list(await a.store.verifiers("joe@a.test")) == []
    kept = Deferred()
    keep = a.store.keep_verifiers

    def keeping(*arguments):
        done = keep(*arguments)
        done.addCallback(lambda result: (kept.callback(result), result)[1])
        return done

    a.store.keep_verifiers = keeping
    await a.login("joe@a.test", "secret")
    assert await kept
    assert len(await a.store.verifiers("joe@a.test")) == 1


@pytest_twisted.ensureDeferred
async def test_a_user_of_the_passwd_file_logs_in_gets_mail_and_may_have_app_passwords(house, tmp_path):
    hashed = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"
    (tmp_path / "passwd").write_text(f"ann:{hashed}\njoe:{hashed}\n")
    a = house(passwd_file="passwd")
    assert await a.login("ann@a.test", "secret") == "ann@a.test"
    assert list(await a.store.accounts()) == ["ann@a.test"]
    assert await a.credentials.directory.password_hash("ann@a.test") == ELSEWHERE
    made = await a.perform("user.app-password.add", name="ann@a.test", label="phone")
    assert await a.login("ann@a.test", made["password"]) == "ann@a.test"
    # A password of the node's own decides from then on.
    await a.perform("user.passwd", name="joe@a.test", password="own")
    assert await a.login("joe@a.test", "own") == "joe@a.test"
    with pytest.raises(UnauthorizedLogin):
        await a.login("joe@a.test", "secret")


@pytest.mark.ldap
@pytest_twisted.ensureDeferred
async def test_a_user_of_ldap_logs_in_and_gets_mail_for_as_long_as_the_server_says(house, tmp_path):
    (tmp_path / "slapd").mkdir()
    with Slapd(tmp_path / "slapd") as slapd:
        ldap = {
            "uri": [f"ldap://127.0.0.1:{slapd.port}"],
            "trusted_certificates": str(slapd.authority),
            "base": f"ou=people,{BASE}",
            "service_dn": MANAGER,
            "service_password": MANAGER_PASSWORD,
        }
        a = house(ldap=ldap)
        assert await a.login("ann@a.test", "word of ann") == "ann@a.test"
        for name, password in (("ann@a.test", "wrong"), ("ann@a.test", ""), ("bob@a.test", "x"), ("*@a.test", "x")):
            with pytest.raises(UnauthorizedLogin):
                await a.login(name, password)
        directory = a.credentials.directory
        assert await directory.password_hash("zoe@a.test") == ELSEWHERE
        assert await directory.password_hash("bob@a.test") is None
        assert list(await a.store.accounts()) == ["ann@a.test", "zoe@a.test"]
        # A second server of the same users, which makes the entry's name.
        b = house(ldap={**ldap, "base": "", "bind_dn": f"uid={{local}},ou=people,{BASE}"})
        assert await b.login("a*b@a.test", "word of a*b") == "a*b@a.test"
        # To the server they are all the same; an account is for one.
        for name in (" ann@a.test", "ann @a.test", "an\u00adn@a.test"):
            assert await b.credentials.directory.password_hash(name) is None
    with pytest.raises(TemporaryFailure):
        await a.login("ann@a.test", "word of ann")
    with pytest.raises(TemporaryFailure):
        await directory.password_hash("new@a.test")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"filter": "(mail={nobody})"}, r"\{nobody\} is not known here"),
        ({"filter": "mail"}, 'auth.ldap.filter = "mail": not an LDAP filter'),
        ({"bind_dn": "uid=ann"}, 'bind_dn = "uid=ann": it leads to the same entry'),
        ({"trusted_certificates": "none.pem"}, "can't be read"),
    ],
)
def test_what_cannot_be_used_of_ldap_keeps_the_node_from_starting(house, setting, told):
    with pytest.raises(CannotStart, match=told):
        house(ldap={"uri": ["ldaps://ldap.test"], "base": "dc=a", **setting})
