"""An account beyond ASCII, at a domain beyond ASCII: made, written to, and read, however its domain is spelled."""

from __future__ import annotations

import base64
import imaplib
import poplib
import smtplib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.testing.node import PASSWORD, RunningNode

pytestmark = pytest.mark.timeout(60)

ACCOUNT, SPELLINGS = "jörg@xn--bcher-kva.example", ("jörg@bücher.example", "JÖRG@xn--bcher-kva.example")
MESSAGE = "From: Jörg <jörg@bücher.example>\r\nSubject: Grüße\r\n\r\nText\r\n".encode()


@pytest_twisted.async_yield_fixture
async def node(tmp_path):
    node = await RunningNode.start(reactor, tmp_path, {"domain": [{"name": "bücher.example"}]})
    await node.add_user(SPELLINGS[0])
    # Typed with decomposed letters, and at the other spelling.
    alias = {"source": "gru\u0308\u00dfe@xn--bcher-kva.example", "targets": [SPELLINGS[0]]}
    await node.node.operations.perform("alias.add", alias)
    yield node
    await node.stop()


def initial_response(name):
    """Of PLAIN. smtplib's own login insists on ASCII, and poplib has none by SASL."""
    return base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()


def submit(node, name):
    """To itself and to somebody elsewhere."""
    with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
        client.starttls(context=node.trust)
        client.ehlo()
        assert client.has_extn("smtputf8")
        assert client.docmd("AUTH", f"PLAIN {initial_response(name)}")[0] == 235
        client.command_encoding = "utf-8"
        for command, argument in (
            ("MAIL", f"FROM:<{name}> SMTPUTF8 BODY=8BITMIME"),
            ("RCPT", "TO:<GRÜßE@Bücher.example>"),
            ("RCPT", "TO:<用户@例え.example>"),
        ):
            code, text = client.docmd(command, argument)
            assert code == 250, text
        assert client.data(MESSAGE)[0] == 250


def read_by_imap(node, name):
    with imaplib.IMAP4("127.0.0.1", node.port("imap")) as client:
        client.starttls(node.trust)
        client.authenticate("PLAIN", lambda _: f"\0{name}\0{PASSWORD}".encode())
        client.enable("UTF8=ACCEPT")  # else it is shown in ASCII
        client.select()
        return client.fetch("1", "(BODY.PEEK[])")[1][0][1]


def read_by_pop3(node, name):
    client = poplib.POP3("127.0.0.1", node.port("pop3"))
    client.stls(node.trust)
    client.utf8()
    client._shortcmd(f"AUTH PLAIN {initial_response(name)}")
    content = b"\r\n".join(client.retr(1)[1]) + b"\r\n"
    client.quit()
    return content


@pytest_twisted.ensureDeferred
async def test_mail_beyond_ascii_goes_all_the_way(node):
    for name in SPELLINGS:
        await deferToThread(submit, node, name)
    contents = [await deferToThread(read, node, name) for read in (read_by_imap, read_by_pop3) for name in SPELLINGS]
    assert len(set(contents)) == 1
    [content] = set(contents)
    assert content.endswith(MESSAGE)
    led = f"Return-Path: <{ACCOUNT}>\r\nDelivered-To: {ACCOUNT}\r\nX-Original-To: GRÜßE@xn--bcher-kva.example\r\n"
    assert led.encode() in content
    assert b"with UTF8SMTPSA id" in content
    queued = await node.node.operations.perform("queue.list", {})
    assert {item["recipient"] for item in queued} == {"用户@xn--r8jz45g.example"}
