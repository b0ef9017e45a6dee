"""One mail, all the way: submitted on A, found by MX, stored on B, fetched over POP3 and IMAP, byte for byte."""

from __future__ import annotations

import email
import imaplib
import poplib
import re
import smtplib
import socket
from email.message import EmailMessage
from functools import cache

import pytest

from .conftest import PASSWORD
from .processes import eventually, trusting

RECIPIENTS = ["bob@b.test", "berta@b.test", "anna@a.test", "alice@a.test"]
JAPANESE = "拝啓、寒さが増してまいりました。お元気ですか。"


@cache
def letter(token: str) -> bytes:
    """A message with Japanese text and an attachment, as a mailer would write it, CRLF line ends."""
    message = EmailMessage()
    message["From"] = "Alice <alice@a.test>"
    message["To"] = ", ".join(RECIPIENTS)
    message["Subject"] = f"冬のご挨拶 {token}"
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 +0900"
    message["Message-ID"] = f"<{token}@a.test>"
    message.set_content(JAPANESE + "\n.\n..two dots\n")
    message.add_attachment(
        bytes(range(256)) * 300, maintype="application", subtype="octet-stream", filename="データ.bin"
    )
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def submit(node, certificate, content: bytes, sender: str, recipients: list[str], implicit: bool = False):
    host, port = node.listener("submission", "implicit" if implicit else "starttls")
    if implicit:
        session = smtplib.SMTP_SSL(host, port, context=trusting(certificate), timeout=20)
    else:
        session = smtplib.SMTP(host, port, timeout=20)
        session.starttls(context=trusting(certificate))
    with session:
        session.login(sender, PASSWORD)
        return session.sendmail(sender, recipients, content)


def imap(node, certificate, user: str) -> imaplib.IMAP4:
    host, port = node.listener("imap", "implicit")
    session = imaplib.IMAP4_SSL(host, port, ssl_context=trusting(certificate), timeout=20)
    session.login(user, PASSWORD)
    session.select("INBOX")
    return session


def find(session: imaplib.IMAP4, token: str) -> bytes | None:
    """The message with this token in its Message-ID, whole."""
    session.noop()
    found = session.search(None, "HEADER", "Message-ID", token)[1][0].split()
    assert len(found) < 2, f"{token} is there {len(found)} times"
    return session.fetch(found[0], "(BODY.PEEK[])")[1][0][1] if found else None


def fetched(node, certificate, user: str, token: str) -> bytes:
    session = imap(node, certificate, user)
    try:
        return eventually(lambda: find(session, token))
    finally:
        session.logout()


def without_trace(content: bytes) -> bytes:
    """The message without the trace fields that were put in front of it."""
    return re.sub(rb"\A((Return-Path|Delivered-To|X-Original-To|Received):[^\r]*\r\n([ \t][^\r]*\r\n)*)+", b"", content)


@pytest.fixture(scope="module")
def sent(pair):
    assert submit(pair.a, pair.certificate, letter("story-1"), "alice@a.test", RECIPIENTS) == {}
    return letter("story-1")


@pytest.mark.parametrize("user", RECIPIENTS)
def test_every_recipient_gets_it_byte_for_byte_over_imap(pair, sent, user):
    node = pair.a if user.endswith("@a.test") else pair.b
    content = fetched(node, pair.certificate, user, "story-1")
    assert without_trace(content) == sent
    assert content.startswith(b"Return-Path: <alice@a.test>\r\n")
    text = email.message_from_bytes(content).get_payload(0).get_payload(decode=True).decode()
    assert text.startswith(JAPANESE)


def test_pop3_gives_the_same_octets(pair, sent):
    wanted = fetched(pair.b, pair.certificate, "bob@b.test", "story-1")
    host, port = pair.b.listener("pop3", "starttls")
    session = poplib.POP3(host, port, timeout=20)
    session.stls(context=trusting(pair.certificate))
    session.user("bob@b.test")
    session.pass_(PASSWORD)
    count, _ = session.stat()
    contents = [b"\r\n".join(session.retr(number)[1]) + b"\r\n" for number in range(1, count + 1)]
    session.quit()
    assert contents.count(wanted) == 1


def test_the_trace_tells_the_way(pair, sent):
    content = fetched(pair.b, pair.certificate, "bob@b.test", "story-1")
    received = email.message_from_bytes(content).get_all("Received")
    assert len(received) == 2
    assert "by mx.b.test" in " ".join(received[0].split())
    assert "by mx.a.test" in " ".join(received[1].split())
    assert "with ESMTPSA" in " ".join(received[1].split())
    assert "with ESMTPS" in " ".join(received[0].split())


def test_an_idling_session_on_b_is_told(pair):
    session = imap(pair.b, pair.certificate, "bob@b.test")
    tag = session._new_tag().decode()
    session.send(f"{tag} IDLE\r\n".encode())
    assert session.readline().startswith(b"+")
    submit(pair.a, pair.certificate, letter("idle-1"), "alice@a.test", ["bob@b.test"])
    session.sock.settimeout(20)
    lines = []
    while not any(b"EXISTS" in line for line in lines):
        lines.append(session.readline())
        assert lines[-1], "the connection ended"
    session.send(b"DONE\r\n")
    while not session.readline().startswith(tag.encode()):
        pass
    session.logout()


def test_an_unknown_recipient_elsewhere_comes_back_as_a_bounce(pair):
    submit(pair.a, pair.certificate, letter("bounce-1"), "alice@a.test", ["nobody@b.test"])
    session = imap(pair.a, pair.certificate, "alice@a.test")

    def bounce() -> bytes | None:
        session.noop()
        found = session.search(None, "FROM", "MAILER-DAEMON", "TEXT", "nobody@b.test")[1][0].split()
        return session.fetch(found[0], "(BODY.PEEK[])")[1][0][1] if found else None

    report = email.message_from_bytes(eventually(bounce))
    session.logout()
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    status = report.get_payload(1)
    assert status.get_content_type() == "message/delivery-status"
    assert "nobody@b.test" in status.as_string()
    assert "5.1.1" in status.as_string()


def test_an_unknown_recipient_at_home_is_refused_at_once(pair):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        submit(pair.a, pair.certificate, letter("refused-1"), "alice@a.test", ["nobody@a.test"], implicit=True)
    assert refused.value.recipients["nobody@a.test"][0] == 550


def test_mail_waits_while_b_is_down_and_arrives_when_it_is_back(pair):
    pair.b.stop()
    submit(pair.a, pair.certificate, letter("down-1"), "alice@a.test", ["berta@b.test"])

    def waiting() -> list[dict]:
        items = pair.a.json("queue", "list")
        return [item for item in items if item["recipient"] == "berta@b.test" and item["attempts"] >= 1]

    [item] = eventually(waiting)
    assert item["state"] == "due"
    pair.b.start()
    pair.a.run("queue", "retry", str(item["id"]))
    content = fetched(pair.b, pair.certificate, "berta@b.test", "down-1")
    assert without_trace(content) == letter("down-1")
    eventually(lambda: pair.a.json("queue", "list") == [])


def test_b_does_not_relay(pair):
    host, port = pair.b.listener("smtp", "starttls")
    with smtplib.SMTP(host, port, timeout=20) as session:
        session.ehlo("client.test")
        assert session.mail("x@elsewhere.test")[0] == 250
        assert session.rcpt("y@elsewhere.test")[0] in (550, 554)


def test_sender_must_be_the_accounts_own(pair):
    host, port = pair.a.listener("submission", "starttls")
    with smtplib.SMTP(host, port, timeout=20) as session:
        session.starttls(context=trusting(pair.certificate))
        session.login("alice@a.test", PASSWORD)
        code, _ = session.mail("anna@a.test")
        if code == 250:
            code, _ = session.rcpt("bob@b.test")
        assert code in (550, 553)
        session.rset()
        assert session.mail("alice+lists@a.test")[0] == 250
        assert session.rcpt("bob@b.test")[0] == 250


def test_commands_behind_starttls_are_dropped(pair):
    host, port = pair.a.listener("submission", "starttls")
    with socket.create_connection((host, port), 20) as raw:
        stream = raw.makefile("rb")
        assert stream.readline().startswith(b"220")
        raw.sendall(b"EHLO c.test\r\n")
        while not stream.readline().startswith(b"250 "):
            pass
        raw.sendall(b"STARTTLS\r\nNOOP\r\n")
        assert stream.readline().startswith(b"220")
        context = trusting(pair.certificate)
        context.check_hostname = False
        with context.wrap_socket(raw) as secure:
            secure.sendall(b"EHLO c.test\r\n")
            answer = secure.recv(65536)
    assert answer.startswith(b"250-mx.a.test")
    assert b"STARTTLS" not in answer
