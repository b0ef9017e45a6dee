"""A node over the worked example: what a client sees of it by SMTP, IMAP and POP3."""

from __future__ import annotations

import imaplib
import poplib
import re
import smtplib
from contextlib import asynccontextmanager

import pytest
import pytest_twisted
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread

from twisted_mail_node import CannotStart, Storage
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.testing.node import RunningNode

from .webmail import WebmailStore

ANN, BOB = "ann@example.test", "bob@example.test"
POSTMASTER = "postmaster@example.test"
LARGE = "Subject: large\r\n\r\n" + "".join(f"line {number}\r\n" for number in range(60_000))


async def webmail(folder, *names):
    """The product's store with these users."""
    store = WebmailStore(folder / "webmail.sqlite", reactor=reactor)
    await store.start()
    for name in names:
        await store.sign_up(name)
    await store.stop()
    return store


@asynccontextmanager
async def running(folder, store, settings=None):
    checker = InMemoryUsernamePasswordDatabaseDontUse(**{ANN: b"secret", BOB: b"secret"})
    node = await RunningNode.start(reactor, folder, settings, storage=Storage(store), checkers=[checker])
    try:
        yield node
    finally:
        await node.stop()


def send(node, sender, recipients, content):
    with smtplib.SMTP("localhost", node.port("submission"), timeout=20) as client:
        client.starttls(context=node.trust)
        client.login(ANN, "secret")
        assert client.sendmail(sender, recipients, content) == {}


@pytest_twisted.ensureDeferred
async def test_mail_goes_in_and_is_read_as_in_any_other_node(tmp_path):
    async with running(tmp_path, await webmail(tmp_path, POSTMASTER, ANN, BOB)) as node:

        def read_by_imap():
            imap = imaplib.IMAP4_SSL("localhost", node.port("imap", "implicit"), ssl_context=node.trust, timeout=20)
            imap.login(BOB, "secret")
            imap.create("Lists")
            assert imap.select("INBOX") == ("OK", [b"2"])
            for _ in range(2):  # computed, and remembered
                answer = imap.fetch("1:2", "(ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
                told = b" ".join(b"".join(part) if isinstance(part, tuple) else part for part in answer)
                assert b'"hello"' in told
                assert b'"large"' in told
                assert told.count(b'BODYSTRUCTURE ("text" "plain"') == 2
            assert imap.search(None, "SUBJECT", "large", "BODY", '"line 59999"') == ("OK", [b"2"])
            assert imap.store("1", "+FLAGS", "(\\Seen work)")[0] == "OK"
            assert imap.uid("MOVE", "1", "Lists")[0] == "OK"
            assert imap.append("Lists", None, None, LARGE.encode())[0] == "OK"
            assert imap.select("Lists") == ("OK", [b"2"])
            assert b"work" in imap.response("FLAGS")[1][0]
            assert imap.fetch("2", "BODY[]")[1][0][1] == LARGE.encode()
            imap.logout()

        def read_by_pop3():
            pop3 = poplib.POP3("localhost", node.port("pop3"), timeout=20)
            pop3.stls(context=node.trust)
            pop3.user(BOB)
            pop3.pass_("secret")
            assert pop3.stat()[0] == 1
            (listed,) = pop3.uidl()[1]
            assert re.fullmatch(rb"1 [!-~]{1,70}", listed)
            assert b"Subject: large" in pop3.top(1, 0)[1]
            assert pop3.retr(1)[1][-1] == b"line 59999"
            pop3.dele(1)
            pop3.quit()

        await deferToThread(send, node, ANN, [BOB, ANN], "Subject: hello\r\n\r\nyou\r\n")
        assert (await node.wait_for_message(BOB)).endswith(b"you\r\n")
        await deferToThread(send, node, ANN, [BOB], LARGE)
        assert (await node.wait_for_message(BOB)).endswith(b"line 59999\r\n")
        await deferToThread(read_by_imap)
        await deferToThread(read_by_pop3)
        assert await node.messages(BOB) == []
        assert len(await node.messages(ANN)) == 1
        assert await node.node.operations.perform("queue.list", {}) == []


@pytest_twisted.ensureDeferred
async def test_who_is_not_there_is_refused_and_an_alias_of_the_node_leads_on(tmp_path):
    async with running(tmp_path, await webmail(tmp_path, POSTMASTER, ANN)) as node:

        def refused():
            with smtplib.SMTP("localhost", node.port("smtp"), timeout=20) as client:
                client.sendmail("x@far.test", ["nobody@example.test"], "Subject: no\r\n\r\n")

        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await deferToThread(refused)
        await node.node.operations.perform("alias.add", {"source": "all@example.test", "targets": [ANN]})
        await deferToThread(send, node, ANN, ["all@example.test"], "Subject: to all\r\n\r\n")
        assert b"X-Original-To: all@example.test" in await node.wait_for_message(ANN)


@pytest_twisted.ensureDeferred
async def test_what_the_store_refuses_for_good_comes_back_to_its_sender(tmp_path):
    store = await webmail(tmp_path, POSTMASTER, ANN, BOB)
    deliver = store.deliver

    def close_first(transaction):
        if transaction.placements[0].account == BOB:
            return store.close_account(BOB).addCallback(lambda _: deliver(transaction))
        return deliver(transaction)

    store.deliver = close_first
    async with running(tmp_path, store) as node:
        await deferToThread(send, node, ANN, [BOB], "Subject: too late\r\n\r\n")
        report = await node.wait_for_message(ANN)
        assert b"Final-Recipient: rfc822; bob@example.test" in report
        assert b"Subject: too late" in report
        assert b"Status: 5.1.1" in report


@pytest_twisted.ensureDeferred
async def test_while_the_store_is_away_mail_is_taken_and_delivered_later(tmp_path):
    store = await webmail(tmp_path, POSTMASTER, ANN)
    deliver, calls = store.deliver, []

    async def away(transaction):
        calls.append(transaction.id)
        if len(calls) == 1:
            raise TemporaryFailure("the mail store is away")
        return await deliver(transaction)

    store.deliver = lambda transaction: ensureDeferred(away(transaction))
    async with running(tmp_path, store, {"queue": {"retry_after": ["1 s"]}}) as node:
        await deferToThread(send, node, ANN, [ANN], "Subject: patience\r\n\r\n")
        assert b"Subject: patience" in await node.wait_for_message(ANN)
        assert len(calls) == 2
        assert len(set(calls)) == 1, "a second try has the id of the first"


@pytest_twisted.ensureDeferred
async def test_a_store_without_postmaster_is_told_to_make_one(tmp_path):
    store = await webmail(tmp_path, ANN)
    with pytest.raises(CannotStart, match="accounts are made and removed by the application"):
        async with running(tmp_path, store):
            pass
