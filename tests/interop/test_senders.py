"""Programs and libraries that submit mail, over TLS and with the node's certificate checked."""

from __future__ import annotations

import json
import re
import smtplib
from pathlib import Path

import pytest

from ..integration.processes import trusting
from ..programs import NODE_MODULES
from .conftest import PASSWORD, USER, Interop
from .mailbox import arrived, message

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "DIGEST-MD5"])
def test_swaks_finds_nothing_weak_to_log_in_by(interop, mechanism):
    program = (
        *("swaks", "--server", "localhost", "--port", interop.port("submission", "starttls"), "--tls"),
        *("--auth", mechanism, "--auth-user", USER, "--auth-password", PASSWORD, "--from", USER, "--to", USER),
    )
    output = interop.fail(28, *program)
    assert b"*** Auth not attempted, requested type not available" in output


def nodemailer(interop: Interop, tls: str, *messages: dict[str, object]) -> list[str]:
    """Send them on one connection; gives the replies."""
    transport = {
        "host": "localhost",
        "port": interop.port("submission", tls),
        "secure": tls == "implicit",
        "requireTLS": True,
        "auth": {"user": USER, "pass": PASSWORD},
        "tls": {"ca": interop.certificate.read_text()},
    }
    script = Path(__file__).with_name("nodemailer.js")
    asked = json.dumps({"transport": transport, "messages": messages}).encode()
    return json.loads(interop.run("env", f"NODE_PATH={NODE_MODULES}", "node", script, stdin=asked))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_nodemailer_submits_twice_on_one_connection(interop, tls):
    tokens = [f"nodemailer-{tls}-{number}" for number in (1, 2)]
    messages = [
        {
            "from": f"Jürgen <{USER}>",
            "to": USER,
            "subject": token,
            "text": ".grüße\n..\n",
            "attachments": [{"filename": "zeros.bin", "content": "AAAA" * 50_000, "encoding": "base64"}],
        }
        for token in tokens
    ]
    answers = nodemailer(interop, tls, *messages)
    assert all(re.match(r"250 2\.0\.0 queued as ", answer) for answer in answers)
    for token in tokens:
        got = arrived(interop, token)
        assert b"From: =?UTF-8?Q?J=C3=BCrgen?= <" in got
        assert got.count(b"A" * 76 + b"\r\n") == 200_000 // 76


def test_nodemailer_sends_to_an_address_in_utf_8_and_asks_for_a_report(interop):
    """RFC 6531 and RFC 3461."""
    interop.node.run("alias", "add", "jörg@interop.test", USER)
    message = {
        "from": USER,
        "to": "jörg@interop.test",
        "subject": "nodemailer-utf8",
        "text": "hello",
        "dsn": {"id": "nodemailer-7", "return": "headers", "notify": ["success"], "recipient": USER},
    }
    nodemailer(interop, "implicit", message)
    got = arrived(interop, "nodemailer-utf8", utf8=True)
    assert b" with UTF8SMTPSA id " in got
    assert b"\r\nOriginal-Envelope-Id: nodemailer-7\r\n" in arrived(interop, "Your message was delivered")


@pytest.mark.parametrize(("scheme", "tls"), [("submission", "starttls"), ("submissions", "implicit")])
def test_s_nail_submits(interop, scheme, tls):
    token = f"s-nail-{tls}"
    user = USER.replace("@", "%40")
    settings = {
        "v15-compat": "yes",
        "mta": f"{scheme}://{user}:{PASSWORD}@localhost:{interop.port('submission', tls)}",
        "smtp-auth": "plain",
        "tls-ca-file": interop.certificate,
        "tls-verify": "strict",
        "from": USER,
        "sendwait": "yes",
    } | ({"smtp-use-starttls": "yes"} if tls == "starttls" else {})
    options = [part for name, value in settings.items() for part in ("-S", f"{name}={value}")]
    interop.run(
        *("s-nail", "-:/", *options, "-s", token, USER),
        stdin=b"First line\n.\n..two dots\n",
    )
    assert arrived(interop, token).endswith(b"\r\n\r\nFirst line\r\n.\r\n..two dots\r\n")


def test_smtplib_submits_and_is_told_which_recipient_is_unknown(interop):
    with smtplib.SMTP("localhost", interop.port("submission", "starttls"), timeout=20) as session:
        session.starttls(context=trusting(interop.certificate))
        session.login(USER, PASSWORD)
        refused = session.sendmail(USER, [USER, "nobody@interop.test"], message("smtplib"), ["BODY=8BITMIME"])
        assert refused == {"nobody@interop.test": (550, b"5.1.1 no such user here")}
    assert arrived(interop, "smtplib").endswith(message("smtplib"))
