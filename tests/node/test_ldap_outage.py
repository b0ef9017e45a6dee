"""LDAP is down: logins fail for now, mail is put off, a node starts, and its own users notice nothing."""

from __future__ import annotations

import imaplib
import poplib
import smtplib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from twisted_mail_node.auth.joined import JoinedDirectory
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.password_marks import NO_PASSWORD
from twisted_mail_node.node.first_start import make_postmaster
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.node import PASSWORD, RunningNode

from ..integration.processes import free_port

pytest.importorskip("ldaptor")

OWN, ELSEWHERE, POSTMASTER = "joe@example.test", "ann@example.test", "postmaster@example.test"


@pytest_twisted.async_yield_fixture
async def node(tmp_path):
    ldap = {"uri": [f"ldap://127.0.0.1:{free_port('127.0.0.1')}"], "base": "dc=test", "starttls": False}
    settings = {"auth": {"hash_memory": "8 KiB", "hash_passes": 1, "ldap": ldap}}
    running = await RunningNode.start(reactor, tmp_path, settings)
    (hashed,) = await running.node.operations.perform("user.hash", {"passwords": [PASSWORD]})
    await running.node.storage.store.add_user(OWN, hashed)
    yield running
    await running.stop()


def submit(port, name):
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        client.user, client.password = name, PASSWORD
        return client.auth("plain", client.auth_plain)


def recipients(port):
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        client.mail("far@example.net")
        return [client.rcpt(name) for name in (OWN, ELSEWHERE)]


def read_by_imap(port, name):
    client = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    try:
        return client.login(name, PASSWORD)
    finally:
        client.shutdown()


def read_by_pop3(port, name):
    client = poplib.POP3("127.0.0.1", port, timeout=20)
    try:
        client.user(name)
        return client.pass_(PASSWORD)
    finally:
        client.close()


@pytest_twisted.ensureDeferred
async def test_logins_fail_for_now_and_own_users_come_in(node):
    smtp, imap, pop3 = (node.port(service) for service in ("submission", "imap", "pop3"))
    assert (await deferToThread(submit, smtp, OWN))[0] == 235
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        await deferToThread(submit, smtp, ELSEWHERE)
    assert (refused.value.smtp_code, refused.value.smtp_error[:6]) == (454, b"4.7.0 ")
    assert (await deferToThread(read_by_imap, imap, OWN))[0] == "OK"
    with pytest.raises(imaplib.IMAP4.error, match=r"\[UNAVAILABLE\]"):
        await deferToThread(read_by_imap, imap, ELSEWHERE)
    assert (await deferToThread(read_by_pop3, pop3, OWN)).startswith(b"+OK")
    with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\]"):
        await deferToThread(read_by_pop3, pop3, ELSEWHERE)
    # Nothing was decided, so nobody is slowed for it.
    assert await node.node.operations.perform("guessing.list", {}) == []


@pytest_twisted.ensureDeferred
async def test_mail_for_who_may_be_there_is_put_off(node):
    (own, elsewhere) = await deferToThread(recipients, node.port("smtp"))
    assert own[0] == 250
    assert (elsewhere[0], elsewhere[1][:2]) == (451, b"4.")


class Source:
    """Knows postmaster, or does not, or can't tell."""

    version = 1

    def __init__(self, knows):
        self.now = knows

    def knows(self, name):
        return fail(TemporaryFailure("silent")) if self.now is None else succeed(self.now)


@pytest.mark.parametrize(("then", "stored"), [(True, "*"), (False, NO_PASSWORD), (None, "*")])
@pytest_twisted.ensureDeferred
async def test_postmaster_is_there_whatever_becomes_of_the_source_that_knew_it(then, stored):
    store, source = MemoryStore(Clock()), Source(True)
    store.start()
    directory = JoinedDirectory(store, [source], ())
    await make_postmaster(directory, POSTMASTER, ())
    assert await store.password_hash(POSTMASTER) == "*"
    source.now = then
    await make_postmaster(directory, POSTMASTER, ())
    assert await store.password_hash(POSTMASTER) == stored
