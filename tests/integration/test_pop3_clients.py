"""poplib and plain sockets against a POP3 listener on real TCP and TLS, with real password hashes in threads."""

from __future__ import annotations

import poplib
import socket
import ssl
from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory

from twisted_mail_node.auth.passwords import Cost, Passwords
from twisted_mail_node.auth.portal import MailRealm, make_portal
from twisted_mail_node.auth.threads import HashingThreads
from twisted_mail_node.auth.throttle import FailedLogins
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.transaction import Body, Placement, Transaction
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.certificates import issue

JOE = "joe@example.test"
SMALL = [b"Subject: %d\r\n\r\n.a dot\r\nbody %d\r\n" % (number, number) for number in range(300)]
LARGE = b"Subject: large\r\n\r\n" + b".line of a large message, with a dot in front\r\n" * 60_000
TIMEOUT_SECONDS = 20


async def deliver(store, number, content):
    if len(content) <= 256 * 1024:
        body = Body(len(content), content.index(b"\r\n\r\n") + 4, content)
    else:
        writer = store.stage_body()
        await writer.write(content)
        body = await writer.finish(content.index(b"\r\n\r\n") + 4, False)
    placement = Placement(JOE, "INBOX", 0, InternalDate(1_700_000_000))
    await store.deliver(Transaction(f"t{number}", 1_700_000_000.0, (body,), (placement,)))


@pytest_twisted.async_yield_fixture(params=["memory", "sqlite"])
async def node(request, tmp_path):
    """Two listeners, plain with STLS and TLS from the first octet, on one store."""
    issued = issue("localhost")
    context = PrivateCertificate.loadPEM(issued.key_pem + issued.pem).options()
    threads = HashingThreads(reactor)
    threads.start()
    passwords = Passwords(threads, reactor, Cost(memory_kib=64, passes=1))
    in_memory = request.param == "memory"
    store = MemoryStore(reactor) if in_memory else SQLiteStore(tmp_path / "mail.db", reactor=reactor)
    await store.start()
    await store.add_user(JOE, await passwords.hash("secret"))
    for number, content in enumerate([*SMALL, LARGE]):
        await deliver(store, number, content)
    attempts = FailedLogins(reactor.seconds, ["127.0.0.0/8"])
    authenticator = Authenticator(make_portal(store, store, passwords), attempts, reactor, "never", "example.test")
    factory = POP3Factory(store, POP3Settings(), reactor, authenticator, context)
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    plain = await endpoint.listen(factory)
    secure = await endpoint.listen(TLSMemoryBIOFactory(context, False, factory))
    trust = ssl.create_default_context(cadata=issued.pem.decode())
    digests = POP3Factory(
        store,
        POP3Settings(apop=True),
        reactor,
        Authenticator(
            Portal(MailRealm(store, store), [InMemoryUsernamePasswordDatabaseDontUse(**{JOE: b"tanstaaf"})]),
            UncountedAttempts(),
            reactor,
        ),
    )
    by_digest = await endpoint.listen(digests)
    yield SimpleNamespace(
        by_digest=by_digest.getHost().port,
        plain=plain.getHost().port,
        secure=secure.getHost().port,
        trust=trust,
        store=store,
        factory=factory,
    )
    await plain.stopListening()
    await secure.stopListening()
    await by_digest.stopListening()
    await digests.close_all()
    await factory.close_all()
    await store.stop()
    threads.stop()


def tls_versions(factory):
    """What the open sessions know of their peers' TLS."""
    return [session._parts.peer.tls_version for session in factory._open_sessions._sessions]


def fetched(client, number):
    """A message as sent, from poplib's lines."""
    return b"\r\n".join(client.retr(number)[1]) + b"\r\n"


@pytest_twisted.ensureDeferred
async def test_poplib_reads_and_removes_over_stls(node):
    def session():
        client = poplib.POP3("localhost", node.plain, timeout=TIMEOUT_SECONDS)
        assert "STLS" in client.capa()
        assert "USER" not in client.capa()
        client.stls(node.trust)
        told = client.capa()
        assert told["SASL"] == ["PLAIN", "LOGIN"]
        assert (told["UTF8"], told["EXPIRE"], told["LANG"]) == (["USER"], ["NEVER"], [])
        assert client.utf8() == b"+OK UTF-8 mode"
        client.user("joe")
        client.pass_("secret")
        assert blockingCallFromThread(reactor, tls_versions, node.factory) == ["TLSv1.3"]
        assert client.stat() == (301, sum(map(len, SMALL)) + len(LARGE))
        assert len(client.list()[1]) == 301
        ids = [row.split()[1] for row in client.uidl()[1]]
        assert len(set(ids)) == 301
        assert [fetched(client, number) for number in range(1, 301)] == SMALL
        assert fetched(client, 301) == LARGE
        assert client.top(301, 2)[1] == LARGE.split(b"\r\n")[:4]
        for number in range(1, 301):
            client.dele(number)
        assert client.quit() == b"+OK bye"

    await deferToThread(session)
    left = await (await (await node.store.account(JOE)).mailbox("INBOX")).uids()
    assert list(left) == [301]


@pytest_twisted.ensureDeferred
async def test_poplib_over_tls_from_the_first_octet(node):
    def session():
        client = poplib.POP3_SSL("localhost", node.secure, timeout=TIMEOUT_SECONDS, context=node.trust)
        assert "STLS" not in client.capa()
        client.user("JOE@Example.Test")
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            client.pass_("wrong")
        client.user("joe")
        client.pass_("secret")
        other = poplib.POP3_SSL("localhost", node.secure, timeout=TIMEOUT_SECONDS, context=node.trust)
        other.user("joe")
        with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
            other.pass_("secret")
        assert fetched(client, 301) == LARGE
        client.close()
        other.quit()

    await deferToThread(session)


@pytest_twisted.ensureDeferred
async def test_all_in_one_packet_under_tls(node):
    def session():
        with socket.create_connection(("localhost", node.secure), TIMEOUT_SECONDS) as bare:
            stream = node.trust.wrap_socket(bare, server_hostname="localhost")
            commands = b"".join(b"RETR %d\r\n" % number for number in range(1, 302))
            stream.sendall(b"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n" + commands + b"QUIT\r\n")
            heard = b""
            while piece := stream.recv(65536):
                heard += piece
            return heard

    heard = await deferToThread(session)
    expected = [
        b"+OK %d octets\r\n" % len(content) + content.replace(b"\r\n.", b"\r\n..") + b".\r\n" for content in SMALL
    ]
    greeting, _, rest = heard.partition(b"\r\n")
    assert greeting == b"+OK localhost POP3 ready"
    assert rest.partition(b"\r\n")[2].startswith(b"".join(expected))
    assert heard.endswith(b".\r\n+OK bye\r\n")


@pytest_twisted.ensureDeferred
async def test_password_in_the_clear_is_refused_where_it_is_never_allowed_and_a_digest_taken_where_offered(node):
    def session():
        client = poplib.POP3("localhost", node.plain, timeout=TIMEOUT_SECONDS)
        with pytest.raises(poplib.error_proto, match="not without TLS"):
            client.user("joe")
        client.quit()
        client = poplib.POP3("localhost", node.by_digest, timeout=TIMEOUT_SECONDS)
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            client.apop(JOE, "secret")
        assert client.apop(JOE, "tanstaaf").startswith(b"+OK 301 messages")
        client.quit()

    await deferToThread(session)
