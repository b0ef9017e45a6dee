"""Binary content by BDAT: kept octet for octet, and given out so that no client mistakes it for something else."""

from __future__ import annotations

import email
import imaplib
import poplib
import smtplib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.testing.node import PASSWORD, RunningNode

pytestmark = pytest.mark.timeout(60)

BOB = "bob@example.test"
# What would end replies, and begin new ones, were it taken for text.
OCTETS = bytes(range(256)) + b"\n.\n.\r\n-ERR no\r\n.\n* BYE\n)\r\r\n.\r\r\n"
MESSAGE = b"Subject: binary\r\nContent-Type: image/x-all\r\nContent-Transfer-Encoding: binary\r\n\r\n" + OCTETS


@pytest_twisted.async_yield_fixture
async def node(tmp_path):
    node = await RunningNode.start(reactor, tmp_path)
    await node.add_user(BOB)
    yield node
    await node.stop()


def send(node):
    with smtplib.SMTP("127.0.0.1", node.port("smtp")) as client:
        client.ehlo()
        assert client.has_extn("chunking")
        assert client.has_extn("binarymime")
        assert client.docmd("MAIL", "FROM:<ann@far.test> BODY=BINARYMIME")[0] == 250
        assert client.docmd("RCPT", f"TO:<{BOB}>")[0] == 250
        first, rest = MESSAGE[:200], MESSAGE[200:]
        client.send(b"BDAT %d\r\n" % len(first) + first + b"BDAT %d LAST\r\n" % len(rest) + rest)
        assert [client.getreply()[0], client.getreply()[0]] == [250, 250]


def read_by_imap(node):
    with imaplib.IMAP4("127.0.0.1", node.port("imap")) as client:
        client.starttls(node.trust)
        client.login(BOB, PASSWORD)
        client.select()
        content = client.fetch("1", "(BODY.PEEK[])")[1][0][1]
        assert client.noop()[0] == "OK"
        return content


def read_by_pop3(node):
    client = poplib.POP3("127.0.0.1", node.port("pop3"))
    client.stls(node.trust)
    client.user(BOB)
    client.pass_(PASSWORD)
    content = b"\r\n".join(client.retr(1)[1]) + b"\r\n"
    assert client.noop().startswith(b"+OK")
    client.quit()
    return content


@pytest_twisted.ensureDeferred
async def test_binary_content_goes_all_the_way(node):
    await deferToThread(send, node)
    [kept] = await node.messages(BOB)
    assert kept.endswith(b"\r\n" + MESSAGE)
    # No literal of IMAP may have a NUL (RFC 3501 §9).
    assert await deferToThread(read_by_imap, node) == kept.replace(b"\0", b"\x80")
    by_pop3 = email.message_from_bytes(await deferToThread(read_by_pop3, node))
    assert (by_pop3["Subject"], by_pop3.get_payload(decode=True)) == ("binary", OCTETS)
