"""The drive of an exchange: who is asked, what is counted, what the client is told. SCRAM's client is scramp."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from scramp import ScramClient
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from zope.interface import implementer

from twisted_mail_node.auth.certificates import CertificateChecker
from twisted_mail_node.auth.scram import ScramChecker
from twisted_mail_node.auth.throttle import FailedLogins
from twisted_mail_node.auth.tokens import TokenChecker
from twisted_mail_node.interfaces.auth import ILogin
from twisted_mail_node.interfaces.credentials import IScramVerifiers, ITokens
from twisted_mail_node.mail.certificate import ClientCertificate
from twisted_mail_node.mail.envelope import Peer
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.scram import SALT_OCTETS, ScramHash, ScramVerifier
from twisted_mail_node.protocols import mechanisms, sasl
from twisted_mail_node.protocols.login import Authenticator, LoginRefused
from twisted_mail_node.protocols.sasl import Exchange, LoggedIn
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.wire.sasl.mechanisms import MECHANISMS
from twisted_mail_node.wire.sasl.outcomes import Challenge, RefusalReason, Refused

JOE = "joe@a.test"
PEER = Peer("192.0.2.1", tls=True, session="s1")
BINDINGS = {"tls-exporter": b"e" * 32, "tls-server-end-point": b"c" * 32}
# The other type scramp does not know.
BOUND = ("tls-server-end-point", b"c" * 32)


@implementer(ILogin)
class Avatar:
    def __init__(self, name):
        self.name = name


@implementer(IRealm)
class Realm:
    def requestAvatar(self, avatarId, mind, *interfaces):  # noqa: N803
        return succeed((ILogin, Avatar(avatarId.decode()), lambda: None))


@implementer(IScramVerifiers)
class Verifiers:
    hashes = frozenset(ScramHash)
    iterations = 4096

    def __init__(self):
        self.failure = None
        self.kept = {
            (JOE, hash): ScramVerifier.from_password("pencil", hash, b"s" * SALT_OCTETS, 4096) for hash in ScramHash
        }

    def verifier(self, name, hash):
        return fail(self.failure) if self.failure else succeed(self.kept.get((name, hash)))


@implementer(ITokens)
class Tokens:
    def account_of(self, token):
        return succeed(JOE) if token == "joes" else fail(UnauthorizedLogin("forged"))


class Site:
    """joe@a.test with the password `pencil`, the token `joes`, and the certificate that `certificate` is."""

    def __init__(self, monkeypatch):
        self.clock = Clock()
        self.verifiers = Verifiers()
        self.attempts = Recorded(self.clock.seconds)
        store = MemoryStore(self.clock)
        result_of(store.start())
        result_of(store.add_user(JOE, "hash"))
        checkers = [
            InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"pencil"}),
            ScramChecker(self.verifiers),
            TokenChecker(Tokens(), "mail", "https://issuer.test/"),
            CertificateChecker(store),
        ]
        self.authenticator = Authenticator(
            Portal(Realm(), checkers), self.attempts, self.clock, "never", "a.test", mechanisms=tuple(MECHANISMS)
        )
        self.certificate = ClientCertificate(addresses=(JOE,))
        self.bindings = BINDINGS
        monkeypatch.setattr(sasl, "bindings_of", lambda transport: self.bindings)
        monkeypatch.setattr(sasl, "certificate_of", lambda transport: self.certificate)
        monkeypatch.setattr(mechanisms, "certificate_of", lambda transport: self.certificate)
        monkeypatch.setattr(mechanisms, "can_bind", lambda transport: bool(self.bindings))

    def exchange(self):
        return Exchange(self.authenticator, PEER, None)

    def started(self, mechanism, initial=None):
        exchange = self.exchange()
        return exchange, step_of(exchange.start(mechanism, initial))


class Recorded(FailedLogins):
    """A record that also tells which names have failed."""

    def __init__(self, seconds):
        super().__init__(seconds)
        self.names = []

    def failed(self, host, name):
        super().failed(host, name)
        self.names.append(name)


def step_of(coroutine):
    return result_of(Deferred.fromCoroutine(coroutine))


def failure_of(deferred, kind):
    with pytest.raises(kind) as caught:
        result_of(deferred)
    return caught.value


def refusal_of(coroutine):
    return failure_of(Deferred.fromCoroutine(coroutine), LoginRefused)


@pytest.fixture
def site(monkeypatch):
    return Site(monkeypatch)


def scram(site, mechanism="SCRAM-SHA-256", user="joe", password="pencil", binding=None):
    """A SCRAM exchange up to the client's final message: the client, the exchange, that message."""
    client = ScramClient([mechanism], user, password, channel_binding=binding)
    exchange, step = site.started(mechanism, client.get_client_first().encode())
    assert isinstance(step, Challenge), step
    client.set_server_first(step.data.decode())
    return client, exchange, client.get_client_final().encode()


def salt_in(client):
    """The salt that the client was told, as it was written."""
    return client.server_first.split(",")[1]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
@pytest.mark.parametrize("user", ["joe", JOE, "JOE@A.test"])
def test_scram_client_that_is_not_ours(site, mechanism, user):
    client, exchange, final = scram(site, mechanism, user)
    step = step_of(exchange.step(final))
    client.set_server_final(step.data.decode())
    step = step_of(exchange.step(b""))
    assert isinstance(step, LoggedIn)
    assert step.login.name == JOE


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
def test_scram_client_that_is_not_ours_and_binds(site, mechanism):
    client, exchange, final = scram(site, mechanism, binding=BOUND)
    client.set_server_final(step_of(exchange.step(final)).data.decode())
    assert step_of(exchange.step(b"")).login.name == JOE


def test_client_bound_to_another_channel_has_proved_nothing(site):
    _, exchange, final = scram(site, "SCRAM-SHA-256-PLUS", binding=("tls-server-end-point", b"m" * 32))
    refused = refusal_of(exchange.step(final))
    assert refused.text == "authentication failed"
    assert site.attempts.names == [JOE]


def test_operator_is_told_of_another_channel_and_the_client_is_not(site):
    _, exchange, final = scram(site, "SCRAM-SHA-256-PLUS", binding=("tls-server-end-point", b"m" * 32))
    with capturedLogs() as logged:
        assert refusal_of(exchange.step(final)).text == "authentication failed"
    assert "login of 'joe@a.test' from 192.0.2.1 refused: another channel" in map(formatEvent, logged)


def test_client_that_was_told_we_do_not_bind_is_refused(site):
    client = ScramClient(["SCRAM-SHA-256"], "joe", "pencil", channel_binding=BOUND)
    _, step = site.started("SCRAM-SHA-256", client.get_client_first().encode())
    assert step == Refused(RefusalReason.BINDING)


def test_the_same_client_comes_in_where_there_is_nothing_to_bind_to(site):
    site.bindings = {}
    _, exchange, final = scram(site, binding=BOUND)
    step_of(exchange.step(final))
    assert isinstance(step_of(exchange.step(b"")), LoggedIn)


def test_wrong_password_and_unknown_name_are_the_same(site):
    seen = []
    for user, password in (("joe", "wrong"), ("ann", "pencil")):
        client, exchange, final = scram(site, user=user, password=password)
        seen.append((len(salt_in(client)), client.iterations, refusal_of(exchange.step(final)).text))
    assert seen[0] == seen[1]
    assert site.attempts.names == [JOE, "ann@a.test"]


def test_unknown_name_has_the_same_salt_each_time(site):
    salts = {salt_in(scram(site, user="ann")[0]) for _ in range(2)}
    assert len(salts) == 1


def test_nonces_are_new_and_replay_proves_nothing(site):
    client, exchange, final = scram(site)
    step_of(exchange.step(final))
    again, step = site.started("SCRAM-SHA-256", f"n,,n=joe,r={client.c_nonce}".encode())
    assert step.data.decode() != client.server_first
    assert refusal_of(again.step(final)).text == "authentication failed"


def test_proof_of_another_user(site):
    """Somebody with an account of his own takes joe's exchange on."""
    site.verifiers.kept["eve@a.test", ScramHash.SHA_256] = ScramVerifier.from_password(
        "eves", ScramHash.SHA_256, b"t" * SALT_OCTETS, 4096
    )
    _, _, eves = scram(site, user="eve", password="eves")
    _, exchange, _ = scram(site)
    assert refusal_of(exchange.step(eves)).text == "authentication failed"
    assert site.attempts.names == [JOE]


def test_password_changed_during_the_exchange(site):
    _, exchange, final = scram(site)
    site.verifiers.kept[JOE, ScramHash.SHA_256] = ScramVerifier.from_password("new", ScramHash.SHA_256, b"s" * 16, 1)
    refusal_of(exchange.step(final))


def test_nobody_comes_in_before_the_signature_was_answered(site):
    _, exchange, final = scram(site)
    step_of(exchange.step(final))
    assert step_of(exchange.step(b"x")) == Refused(RefusalReason.MALFORMED)
    assert step_of(exchange.step(b"")) == Refused(RefusalReason.MALFORMED)


@pytest.mark.parametrize(
    ("mechanism", "initial"),
    [
        ("PLAIN", b"ann\0joe\0pencil"),
        ("SCRAM-SHA-256", b"n,a=ann,n=joe,r=abc"),
        ("SCRAM-SHA-256", b"n,a=joe@b.test,n=joe,r=abc"),
    ],
)
def test_nobody_acts_for_somebody_else(site, mechanism, initial):
    assert site.started(mechanism, initial)[1] == Refused(RefusalReason.OTHER_IDENTITY)
    assert site.attempts.names == []


@pytest.mark.parametrize("identity", ["", "joe", "joe@a.test", "JOE"])
def test_everybody_may_say_that_he_is_himself(site, identity):
    assert isinstance(site.started("PLAIN", f"{identity}\0joe\0pencil".encode())[1], LoggedIn)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_wrong_password_is_counted(site, mechanism):
    if mechanism == "PLAIN":
        refusal_of(site.exchange().start("PLAIN", b"\0joe\0wrong"))
    else:
        exchange, _ = site.started("LOGIN", b"joe")
        refusal_of(exchange.step(b"wrong"))
    assert site.attempts.names == [JOE]


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        ("OAUTHBEARER", b"n,,\1auth=Bearer joes\1\1"),
        ("OAUTHBEARER", b"n,a=joe@a.test,\1auth=Bearer joes\1\1"),
        ("OAUTHBEARER", b"n,a=joe,\1auth=Bearer joes\1\1"),
        ("XOAUTH2", b"user=joe@a.test\1auth=Bearer joes\1\1"),
    ],
)
def test_token_of_the_account(site, mechanism, message):
    assert site.started(mechanism, message)[1].login.name == JOE


@pytest.mark.parametrize(
    ("mechanism", "message", "status", "name"),
    [
        ("OAUTHBEARER", b"n,,\1auth=Bearer forged\1\1", "invalid_token", ""),
        ("OAUTHBEARER", b"n,a=joe@a.test,\1auth=Bearer forged\1\1", "invalid_token", JOE),
        ("OAUTHBEARER", b"n,a=ann@a.test,\1auth=Bearer joes\1\1", "invalid_token", "ann@a.test"),
        ("XOAUTH2", b"user=ann@a.test\1auth=Bearer joes\1\1", "401", "ann@a.test"),
    ],
)
def test_token_that_is_refused(site, mechanism, message, status, name):
    exchange, step = site.started(mechanism, message)
    told = json.loads(step.data)
    assert (told["status"], told["scope"]) == (status, "mail")
    assert site.attempts.names == [name]
    assert refusal_of(exchange.step(b"\1")).text == "authentication failed"


def test_question_where_tokens_are_to_be_had_is_no_attempt(site):
    exchange, step = site.started("OAUTHBEARER", b"n,,\1auth=\1\1")
    assert json.loads(step.data)["openid-configuration"] == "https://issuer.test/"
    assert refusal_of(exchange.step_line(b"AQ==")).text == "a token is needed"
    assert site.attempts.names == []


@pytest.mark.parametrize("identity", [b"", b"joe", b"joe@a.test"])
def test_certificate_of_the_account(site, identity):
    assert site.started("EXTERNAL", identity)[1].login.name == JOE


def test_certificate_of_somebody_else(site):
    refusal_of(site.exchange().start("EXTERNAL", b"ann"))
    assert site.attempts.names == ["ann@a.test"]


def test_certificate_that_ends_during_the_exchange(site):
    exchange, step = site.started("EXTERNAL")
    assert step == Challenge(b"")
    site.certificate = None
    refusal_of(exchange.step(b""))


def test_verifiers_that_are_not_to_be_had_decide_nothing(site, logged_failures):
    site.verifiers.failure = TemporaryFailure("down")
    failure_of(Deferred.fromCoroutine(site.exchange().start("SCRAM-SHA-256", b"n,,n=joe,r=abc")), TemporaryFailure)
    site.verifiers.failure = KeyError("broken")
    failed = failure_of(
        Deferred.fromCoroutine(site.exchange().start("SCRAM-SHA-256", b"n,,n=joe,r=abc")), TemporaryFailure
    )
    assert failed.text == "cannot check that now, try again later"
    assert logged_failures.pop().check(KeyError)
    assert site.attempts.names == []


def test_who_has_failed_often_waits_whatever_the_mechanism(site):
    for _ in range(3):
        refusal_of(site.exchange().start("PLAIN", b"\0joe\0wrong"))
    _, exchange, final = scram(site)
    waiting = Deferred.fromCoroutine(exchange.step(final))
    assert not waiting.called
    site.clock.advance(30)
    assert isinstance(result_of(waiting), Challenge)


def test_peer_that_leaves_ends_the_wait(site):
    for _ in range(3):
        refusal_of(site.exchange().start("PLAIN", b"\0joe\0wrong"))
    waiting = Deferred.fromCoroutine(site.exchange().start("OAUTHBEARER", b"n,,\1auth=Bearer forged\1\1"))
    waiting.cancel()
    failure_of(waiting, CancelledError)
    assert site.clock.getDelayedCalls() == []


def test_lines_are_in_base64(site):
    exchange = site.exchange()
    assert step_of(exchange.start_line("LOGIN", b64encode(b"joe"))) == Challenge(b"Password:")
    assert isinstance(step_of(exchange.step_line(b64encode(b"pencil"))), LoggedIn)
    assert step_of(site.exchange().start_line("PLAIN", b"!")) == Refused(RefusalReason.MALFORMED)
    exchange, _ = site.started("PLAIN")
    assert step_of(exchange.step_line(b"*")) == Refused(RefusalReason.CANCELLED)


@pytest.mark.parametrize("mechanism", ["PLAIN", "scram-sha-256", "OAUTHBEARER"])
def test_mechanism_that_is_to_be_had_under_tls_is_told_so(site, mechanism):
    exchange = Exchange(site.authenticator, Peer("192.0.2.1"), None)
    assert step_of(exchange.start(mechanism)) == Refused(RefusalReason.NEEDS_TLS)
    assert step_of(exchange.start_line(mechanism)) == Refused(RefusalReason.NEEDS_TLS)


@pytest.mark.parametrize(("peer", "mechanism"), [(Peer("192.0.2.1"), "CRAM-MD5"), (PEER, "ANONYMOUS"), (PEER, "")])
def test_mechanism_that_is_never_to_be_had_is_unknown(site, peer, mechanism):
    assert step_of(Exchange(site.authenticator, peer, None).start(mechanism)) == Refused(
        RefusalReason.UNKNOWN_MECHANISM
    )
