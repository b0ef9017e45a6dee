"""Postfix relays to the node and submits at it, and the node relays to Postfix; over TLS, with certificates checked."""

from __future__ import annotations

import re
import smtplib

import imapclient
import pytest

from ..integration.processes import NodeProcess, eventually, listening, make_certificate, trusting
from . import postfix

pytestmark = pytest.mark.interop

PASSWORD = "correct-horse-battery"
JOE, ANN = "joe@node.test", f"ann@{postfix.DOMAIN}"
CONFIG = f"""
hostname = "mx.node.test"
state_dir = "state"
[[domain]]
name = "node.test"
{listening([("smtp", "starttls"), ("submission", "starttls"), ("imap", "implicit")])}
[tls]
certificate = "{{certificate}}"
private_key = "{{key}}"
[auth]
scram = ["sha-256"]
scram_iterations = 4096
[relay]
smarthost = "localhost:{{smarthost_port}}"
smarthost_tls = "verify"
trusted_certificates = "{{certificate}}"
[limits]
max_message_size = 20000000
"""
# Where joe's mail goes: Postfix logs in there.
SUBMISSION = f"""
submission unix - - n - - smtp
  -o smtp_sasl_auth_enable=yes
  -o smtp_sasl_security_options=noanonymous
  -o smtp_sasl_mechanism_filter=scram-sha-256
  -o smtp_sasl_password_maps=static:{JOE}:{PASSWORD}
"""


class Both:
    """The node, whose smarthost is Postfix, and Postfix, which relays to the node."""

    def __init__(self, folder, certificate, key, other: postfix.Postfix) -> None:
        self.postfix = other
        self._certificate = certificate
        config = CONFIG.format(certificate=certificate, key=key, smarthost_port=other.port)
        self.node = NodeProcess(folder / "node", config)
        self.node.add_user(JOE, PASSWORD)

    def start(self) -> None:
        self.node.start()
        relay, submission = (self.node.listener(service, "starttls")[1] for service in ("smtp", "submission"))
        self.postfix.start(f"smtp:[localhost]:{relay}", {JOE: f"submission:[localhost]:{submission}"}, SUBMISSION)

    def submission(self) -> smtplib.SMTP:
        """A session at the node, as joe."""
        client = smtplib.SMTP("localhost", self.node.listener("submission", "starttls")[1], timeout=20)
        client.starttls(context=trusting(self._certificate))
        client.login(JOE, PASSWORD)
        return client

    def arrived(self, token: str) -> bytes:
        """Joe's message in which this is, once it is there."""
        host, port = "localhost", self.node.listener("imap", "implicit")[1]
        with imapclient.IMAPClient(
            host, port, ssl=True, ssl_context=trusting(self._certificate), timeout=20
        ) as session:
            session.login(JOE, PASSWORD)
            session.select_folder("INBOX")

            def look() -> bytes | None:
                session.noop()
                found = session.search(["TEXT", token])
                return session.fetch(found, ["BODY.PEEK[]"])[found[0]][b"BODY[]"] if found else None

            return eventually(look)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postfix")
    certificate, key = make_certificate(folder, "localhost")
    with postfix.Postfix(certificate, key) as other:
        both = Both(folder, certificate, key, other)
        try:
            both.start()
            yield both
        finally:
            both.node.stop()


def message(token: str, text: bytes = b"First line\r\n.\r\n..two dots\r\ngr\xc3\xbc\xc3\x9fe\r\n") -> bytes:
    return f"From: {JOE}\r\nSubject: {token}\r\n\r\n".encode() + text


LARGE = b".a line of a large message, with a dot in front\r\n" * 100_000


def test_postfix_relays_to_the_node(both):
    with both.postfix.smtp() as client:
        assert client.sendmail(ANN, [JOE], message("relayed"), ["BODY=8BITMIME"]) == {}
    got = both.arrived("relayed")
    assert got.endswith(message("relayed").partition(b"\r\n\r\n")[2])
    assert b"from mx.postfix.test ([127.0.0.1])\r\n\t(TLSv1.3 TLS_" in got
    assert b"with ESMTPS id" in got


def test_postfix_relays_a_large_message(both):
    with both.postfix.smtp() as client:
        client.sendmail(ANN, [JOE], message("large-in", LARGE))
    assert both.arrived("large-in").endswith(b"\r\n\r\n" + LARGE)


def test_postfix_logs_in_by_scram_to_submit(both):
    with both.postfix.smtp() as client:
        client.sendmail(JOE, [JOE], message("submitted"), ["BODY=8BITMIME"])
    assert b"with ESMTPSA id" in both.arrived("submitted")
    assert "]: AUTH SCRAM-SHA-256 " in re.sub(r"(\[127\.0\.0\.1\]):\d+", r"\1", both.postfix.log)


def test_postfix_reports_to_its_sender_whom_the_node_does_not_know(both):
    with both.postfix.smtp() as client:
        client.sendmail(ANN, ["nobody@node.test"], message("unknown-in"))
    report = both.postfix.delivered(ANN, b"unknown-in")
    assert b"\nStatus: 5.1.1\n" in report
    assert b"\nDiagnostic-Code: smtp; 550 5.1.1 " in report


def test_the_node_relays_to_postfix(both):
    with both.submission() as client:
        assert client.sendmail(JOE, [ANN, f"ben@{postfix.DOMAIN}"], message("out"), ["BODY=8BITMIME"]) == {}
    for recipient in (ANN, f"ben@{postfix.DOMAIN}"):
        got = both.postfix.delivered(recipient, b"Subject: out\n")
        assert got.endswith(message("out").partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n"))
        assert got.startswith(f"Return-Path: <{JOE}>\n".encode())
        assert b"Received: from mx.node.test (localhost [127.0.0.1])\n" in got
        assert b"(using TLSv1.3 " in got


def test_the_node_relays_a_large_message_to_postfix_in_chunks(both):
    with both.submission() as client:
        client.sendmail(JOE, [ANN], message("large-out", LARGE))
    got = both.postfix.delivered(ANN, b"Subject: large-out\n")
    assert got.endswith(b"\n\n" + LARGE.replace(b"\r\n", b"\n"))
    sizes = [int(size) for size in re.findall(r" < \S+: BDAT (\d+)", both.postfix.log)]
    assert sum(sizes) > len(LARGE)


def test_the_node_reports_to_its_sender_whom_postfix_refuses(both):
    with both.submission() as client:
        client.sendmail(JOE, [ANN, f"nobody@{postfix.DOMAIN}"], message("refused-out"))
    report = both.arrived("refused-out")
    assert b"\r\nStatus: 5.7.1\r\n" in report
    assert f"\r\nFinal-Recipient: rfc822; nobody@{postfix.DOMAIN}\r\n".encode() in report
    both.postfix.delivered(ANN, b"Subject: refused-out\n")


def test_postfix_tells_of_success_what_the_node_was_asked(both):
    """RFC 3461 §5.2.1: the parameters go on, and the last host reports."""
    with both.submission() as client:
        client.mail(JOE, ["RET=HDRS", "ENVID=out+2B1"])
        client.rcpt(ANN, ["NOTIFY=SUCCESS", f"ORCPT=rfc822;Ann+2Bx@{postfix.DOMAIN}"])
        assert client.data(message("success-out"))[0] == 250
    report = both.arrived("success-out")
    for field in (
        "Reporting-MTA: dns; mx.postfix.test",
        "Original-Envelope-Id: out+1",
        f"Original-Recipient: rfc822;Ann+x@{postfix.DOMAIN}",
        f"Final-Recipient: rfc822; {ANN}",
        "Action: delivered",
    ):
        assert f"\r\n{field}\r\n".encode() in report
    assert b"First line" not in report


def test_the_node_tells_of_success_what_postfix_was_asked(both):
    with both.postfix.smtp() as client:
        client.ehlo()
        client.mail(ANN, ["RET=HDRS", "ENVID=in+2B1"])
        client.rcpt(JOE, ["NOTIFY=SUCCESS", "ORCPT=rfc822;Joe+2Bx@node.test"])
        assert client.data(message("success-in"))[0] == 250
    report = both.postfix.delivered(ANN, b"success-in")
    for field in (
        "Reporting-MTA: dns; mx.node.test",
        "Original-Envelope-Id: in+1",
        "Original-Recipient: rfc822; Joe+x@node.test",
        f"Final-Recipient: rfc822; {JOE}",
        "Action: delivered",
    ):
        assert f"\n{field}\n".encode() in report
    assert b"First line" not in report


def test_neither_tells_who_wants_to_hear_nothing(both):
    with both.submission() as client:
        client.mail(JOE, ["ENVID=never"])
        client.rcpt(f"nobody@{postfix.DOMAIN}", ["NOTIFY=NEVER"])
        client.rcpt(ANN, ["NOTIFY=SUCCESS"])
        assert client.data(message("never-out"))[0] == 250
    report = both.arrived("never-out")
    assert b"\r\nOriginal-Envelope-Id: never\r\n" in report
    assert report.count(b"\r\nFinal-Recipient: ") == 1
    assert f"Final-Recipient: rfc822; {ANN}\r\n".encode() in report


def test_addresses_and_headers_beyond_ascii_go_to_postfix(both):
    """RFC 6531; Postfix tells of success in the way of RFC 6533."""
    recipient = f"jürgen-wide@{postfix.DOMAIN}"
    with both.submission() as client:
        client.mail(JOE, ["SMTPUTF8", "BODY=8BITMIME"])
        client.command_encoding = "utf-8"
        client.rcpt(recipient, ["NOTIFY=SUCCESS", f"ORCPT=utf-8;{recipient}"])
        assert client.data(message("wide-out — ü"))[0] == 250
    assert "Subject: wide-out — ü\n".encode() in both.postfix.delivered(recipient, b"wide-out")
    report = both.arrived("rgen-wide")
    assert f"Original-Recipient: utf-8;{recipient}".encode() in report


def test_addresses_and_headers_beyond_ascii_come_from_postfix(both):
    name = "jörg@node.test"
    both.node.add_user(name, PASSWORD)
    with both.postfix.smtp() as client:
        client.ehlo()
        client.mail(ANN, ["SMTPUTF8", "BODY=8BITMIME"])
        client.command_encoding = "utf-8"
        client.rcpt(name, ["NOTIFY=SUCCESS"])
        assert client.data(message("wide-in — ü"))[0] == 250
    report = both.postfix.delivered(ANN, b"global-delivery-status")
    assert b"Original-Recipient: rfc822; j=C3=B6rg@node.test\n" in report
    assert b"Final-Recipient: utf-8; j=C3=B6rg@node.test\n" in report
