"""Exchanges that nobody means well, in all three protocols: floods, silence, peers that leave."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.auth.scram import ScramChecker
from twisted_mail_node.auth.throttle import FailedLogins
from twisted_mail_node.interfaces.credentials import IScramVerifiers
from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.mail.scram import SALT_OCTETS, ScramHash, ScramVerifier
from twisted_mail_node.policy import OpenPolicy
from twisted_mail_node.protocols.imap import IMAPFactory, IMAPSettings
from twisted_mail_node.protocols.login import Authenticator
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.protocols.smtp import SMTPFactory, SMTPSettings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.testing.deferreds import result_of

USER = "joe@a.test"
VERIFIER = ScramVerifier.from_password("pencil", ScramHash.SHA_256, b"s" * SALT_OCTETS, 4096)
FIRST = b64encode(b"n,,n=joe,r=abc")
WRONG = b64encode(b"c=biws,r=abcxyz,p=" + b64encode(bytes(32)))
PROTOCOLS = ["smtp", "imap", "pop3"]


@implementer(IScramVerifiers)
class Verifiers:
    """Answers late, if asked to."""

    hashes = frozenset({ScramHash.SHA_256})
    iterations = 4096

    def __init__(self):
        self.waiting = None
        self.cancelled = 0

    def verifier(self, name, hash):
        answer = Deferred(lambda _: self._cancel())
        if self.waiting is None:
            answer.callback(VERIFIER if name == USER else None)
        else:
            self.waiting.append(answer)
        return answer

    def _cancel(self):
        self.cancelled += 1


class Server:
    """One protocol with SCRAM alone, and a record of failed logins."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.clock = Clock()
        self.verifiers = Verifiers()
        store = MemoryStore(self.clock)
        result_of(store.start())
        result_of(store.add_user(USER, "hash"))
        portal = Portal(MailRealm(store, store), [ScramChecker(self.verifiers)])
        attempts = FailedLogins(self.clock.seconds)
        authenticator = Authenticator(portal, attempts, self.clock, "always", "a.test", new_nonce=lambda: b"xyz")
        match protocol:
            case "smtp":
                submission = SMTPSettings(hostname="mx.a.test", service=Service.SUBMISSION, auth="required")
                self.factory = SMTPFactory(OpenPolicy(), None, submission, self.clock, authenticator)
            case "imap":
                self.factory = IMAPFactory(store, IMAPSettings(), self.clock, authenticator)
            case "pop3":
                self.factory = POP3Factory(store, POP3Settings(), self.clock, authenticator)

    def connected(self):
        connection = MemoryConnection(self.factory.buildProtocol(None), MemoryTransport())
        if self.protocol == "smtp":
            connection.feed(b"EHLO c.test\r\n")
        connection.take()
        return connection

    def begin(self, connection, initial=b""):
        """Begin an exchange: what the server says."""
        tag = b"a " if self.protocol == "imap" else b""
        verb = b"AUTHENTICATE" if self.protocol == "imap" else b"AUTH"
        return connection.say(b"%b%b SCRAM-SHA-256%b\r\n" % (tag, verb, b" " + initial if initial else b""))


@pytest.fixture(params=PROTOCOLS)
def server(request):
    return Server(request.param)


def challenges(said):
    return [line for line in said.splitlines() if line.startswith((b"334 ", b"+ "))]


@pytest.mark.parametrize("answer", [b"*", b"AAAA", b"!!!!"], ids=["given up", "no message", "no base64"])
def test_who_begins_exchanges_and_ends_them_is_sent_away(server, answer):
    connection = server.connected()
    begun = 0
    while not connection.closed and begun < 200:
        server.begin(connection)
        connection.say(answer + b"\r\n")
        begun += 1
    assert connection.closed
    assert begun <= 100
    assert server.clock.getDelayedCalls() == []


def test_wrong_proofs_are_slowed_and_then_sent_away(server):
    connection = server.connected()
    server.begin(connection, FIRST)
    for _ in range(3):
        assert not challenges(connection.say(WRONG + b"\r\n"))
        assert challenges(server.begin(connection, FIRST))
    assert connection.say(WRONG + b"\r\n") == b""  # it waits
    server.clock.advance(30)
    assert connection.take() != b""
    connection.drop()


def test_flood_over_many_connections_is_slowed_as_one(server):
    lines = [server.connected() for _ in range(40)]
    for line in lines:
        server.begin(line, FIRST)
    said = [line.say(WRONG + b"\r\n") for line in lines]
    assert 3 <= sum(bool(answer) for answer in said) < 40
    assert len(server.clock.getDelayedCalls()) <= 2 * len(lines)
    for line in lines:
        line.drop()
    assert server.clock.getDelayedCalls() == []


def test_silence_within_an_exchange_ends_it(server):
    connection = server.connected()
    assert challenges(server.begin(connection, FIRST))
    server.clock.advance(601)
    assert connection.closed


def test_who_leaves_while_the_verifier_is_looked_up_is_forgotten(server):
    server.verifiers.waiting = []
    connection = server.connected()
    assert server.begin(connection, FIRST) == b""
    connection.drop()
    assert server.verifiers.cancelled == 1
    assert server.clock.getDelayedCalls() == []


def test_lines_that_come_before_their_challenge_wait_for_it(server):
    server.verifiers.waiting = []
    connection = server.connected()
    server.begin(connection, FIRST)
    assert connection.say(WRONG + b"\r\n") == b""
    server.verifiers.waiting.pop().callback(VERIFIER)
    # The proof is looked at next, by the verifier as it is then.
    assert len(challenges(connection.take())) == 1
    server.verifiers.waiting.pop().callback(VERIFIER)
    assert connection.take() != b""
    connection.drop()


PIECES = st.sampled_from(
    [
        FIRST,
        WRONG,
        b"*",
        b"=",
        b"",
        b"AUTH SCRAM-SHA-256",
        b"a AUTHENTICATE SCRAM-SHA-256",
        b"EHLO c",
        b"NOOP",
        b"a NOOP",
    ]
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=40, deadline=None)
@given(lines=st.lists(st.one_of(PIECES, st.binary(max_size=20).map(b64encode)), max_size=12))
def test_nobody_comes_in_by_garbage(protocol, lines):
    server = Server(protocol)
    connection = server.connected()
    for line in lines:
        said = connection.say(line + b"\r\n")
        assert b"235 " not in said
        assert b"logged in" not in said
        assert b"messages (" not in said
        server.clock.advance(40)
    connection.drop()
    assert server.clock.getDelayedCalls() == []


def test_where_no_mechanism_shows_passwords_none_are_taken_outside_of_sasl():
    imap, pop3 = Server("imap").connected(), Server("pop3").connected()
    assert b" LOGINDISABLED" in imap.say(b"a CAPABILITY\r\n")
    assert imap.say(b"b LOGIN joe pencil\r\n") == b"b NO [CANNOT] log in by AUTHENTICATE\r\n"
    assert b"\r\nUSER\r\n" not in pop3.say(b"CAPA\r\n")
    assert pop3.say(b"USER joe\r\n") == b"-ERR unknown or unavailable mechanism\r\n"
    assert pop3.say(b"PASS pencil\r\n").startswith(b"-ERR")
