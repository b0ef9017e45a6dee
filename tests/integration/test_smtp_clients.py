"""smtplib against SMTP, submission and LMTP listeners on real TCP, TLS and unix sockets, over real backends."""

from __future__ import annotations

import os
import smtplib
import ssl
from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.internet.endpoints import TCP4ServerEndpoint, UNIXServerEndpoint
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory

from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.intake import Intake, IntakeSettings, TransactionIds
from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.envelope import Recipient, Service
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.policy import Recipients, RecipientSettings, RelayPolicy
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.smtp import SMTPFactory, SMTPSettings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.certificates import issue

ALICE, BOB = "alice@a.test", "bob@a.test"
TIMEOUT_SECONDS = 20
SMALL = b"Subject: small\r\n\r\n.a dot\r\nb\xc3\xb6dy\r\n"
LARGE = b"Subject: large\r\n\r\n" + b".a line of a large message, with a dot in front\r\n" * 50_000


def make_report(reported, told, now):
    return Body(4, 4, b"\r\n\r\n")


@pytest_twisted.async_yield_fixture(params=["memory", "sqlite"])
async def node(request, tmp_path):
    """Listeners for each service on one store."""
    issued = issue("localhost")
    context = PrivateCertificate.loadPEM(issued.key_pem + issued.pem).options()
    in_memory = request.param == "memory"
    store = MemoryStore(reactor) if in_memory else SQLiteStore(tmp_path / "mail.db", reactor=reactor)
    await store.start()
    for name in (ALICE, BOB):
        await store.add_user(name, "hash")
    checker = InMemoryUsernamePasswordDatabaseDontUse(**{ALICE: b"secret"})
    authenticator = Authenticator(
        Portal(MailRealm(store, store), [checker]), UncountedAttempts(), reactor, "never", "a.test"
    )
    recipients = Recipients(store, RecipientSettings(domains=["a.test"]))
    settings = IntakeSettings(hostname="mx.a.test", max_size=5_000_000)
    intake = Intake(
        store,
        reactor,
        TransactionIds(reactor, os.urandom),
        make_report,
        settings,
        resolve=lambda sender: succeed(Recipient(sender, (), (sender,))),
    )
    factories = {
        service: SMTPFactory(
            RelayPolicy(recipients),
            intake,
            SMTPSettings(hostname="mx.a.test", service=service, auth=auth, max_message_size=5_000_000),
            reactor,
            authenticator,
            context,
        )
        for service, auth in ((Service.SMTP, "off"), (Service.SUBMISSION, "required"), (Service.LMTP, "off"))
    }
    tcp = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    ports = [
        await tcp.listen(factories[Service.SMTP]),
        await tcp.listen(factories[Service.SUBMISSION]),
        await tcp.listen(TLSMemoryBIOFactory(context, False, factories[Service.SUBMISSION])),
        await UNIXServerEndpoint(reactor, str(tmp_path / "lmtp")).listen(factories[Service.LMTP]),
    ]
    yield SimpleNamespace(
        smtp=ports[0].getHost().port,
        submission=ports[1].getHost().port,
        submissions=ports[2].getHost().port,
        lmtp=str(tmp_path / "lmtp"),
        trust=ssl.create_default_context(cadata=issued.pem.decode()),
        store=store,
    )
    for port in ports:
        await port.stopListening()
    for factory in factories.values():
        await factory.close_all()
    await store.stop()


async def messages(node, account):
    mailbox = await (await node.store.account(account)).mailbox("INBOX")
    found = []
    for uid in await mailbox.uids():
        opened = await mailbox.open_body(uid)
        found.append(await opened.read(0, opened.size))
        opened.close()
    return found


@pytest_twisted.ensureDeferred
async def test_smtplib_delivers_small_and_large_mail(node):
    def session():
        with smtplib.SMTP("localhost", node.smtp, timeout=TIMEOUT_SECONDS) as client:
            client.ehlo("c.test")
            assert client.has_extn("pipelining")
            assert client.esmtp_features["size"] == "5000000"
            assert not client.has_extn("auth")
            assert client.sendmail("s@c.test", [ALICE, BOB], SMALL, ["BODY=8BITMIME"]) == {}
            assert client.sendmail("", [ALICE], LARGE) == {}
            refused = client.sendmail("s@c.test", [ALICE, "nobody@a.test", "x@far.test"], SMALL)
            assert {address: code for address, (code, _) in refused.items()} == {
                "nobody@a.test": 550,
                "x@far.test": 550,
            }
            with pytest.raises(smtplib.SMTPSenderRefused) as too_big:
                client.sendmail("s@c.test", [ALICE], b"x" * 5_000_001)
            assert too_big.value.smtp_code == 552

    await deferToThread(session)
    got = await messages(node, ALICE)
    assert [content.partition(b"+0000\r\n")[2] for content in got] == [SMALL, LARGE, SMALL]
    assert got[1].startswith(b"Return-Path: <>\r\nDelivered-To: alice@a.test\r\nReceived: from c.test ([127.0.0.1])")
    assert len(await messages(node, BOB)) == 1


@pytest_twisted.ensureDeferred
async def test_smtplib_submits_over_starttls(node):
    def session():
        with smtplib.SMTP("localhost", node.submission, timeout=TIMEOUT_SECONDS) as client:
            client.ehlo("laptop.test")
            assert not client.has_extn("auth")
            assert client.docmd("AUTH", "PLAIN AGFsaWNlAHNlY3JldA==")[0] == 538
            client.starttls(context=node.trust)
            client.ehlo("laptop.test")
            assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
            assert not client.has_extn("starttls")
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("alice", "wrong")
            client.login("alice", "secret")
            assert client.sendmail(ALICE, [BOB, "x@far.test"], SMALL) == {}
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.sendmail(BOB, [ALICE], SMALL)

    await deferToThread(session)
    [content] = await messages(node, BOB)
    assert b"from laptop.test ([127.0.0.1])\r\n\t(TLSv1.3 TLS_" in content
    assert b"with ESMTPSA id" in content
    assert b"Message-ID: <" in content
    assert [str(item.recipient) for item in await node.store.items()] == ["x@far.test"]


@pytest_twisted.ensureDeferred
async def test_smtplib_submits_over_tls_from_the_first_octet(node):
    def session():
        with smtplib.SMTP_SSL("localhost", node.submissions, timeout=TIMEOUT_SECONDS, context=node.trust) as client:
            client.login(ALICE, "secret")
            assert client.sendmail(ALICE, [BOB], LARGE) == {}

    await deferToThread(session)
    [content] = await messages(node, BOB)
    assert b"(TLSv1.3 TLS_" in content
    assert content.endswith(LARGE.partition(b"\r\n")[2])


@pytest_twisted.ensureDeferred
async def test_smtplib_delivers_over_lmtp_on_a_unix_socket(node):
    def session():
        with smtplib.LMTP(node.lmtp) as client:
            client.ehlo("mx.test")
            client.mail("s@c.test")
            assert client.rcpt(ALICE)[0] == 250
            assert client.rcpt("nobody@a.test")[0] == 550
            assert client.rcpt(BOB)[0] == 250
            assert client.data(SMALL)[0] == 250
            assert client.getreply()[0] == 250

    await deferToThread(session)
    [content] = await messages(node, ALICE)
    assert b"from mx.test (local socket)\r\n\tby mx.a.test with LMTP id" in content
    mailbox = await (await node.store.account(BOB)).mailbox("INBOX")
    envelopes = (await mailbox.fetch(await mailbox.uids(), FetchItem.ENVELOPE)).envelopes
    assert b'"small"' in envelopes[0]
