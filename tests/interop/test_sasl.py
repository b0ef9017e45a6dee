"""Mechanisms by other people's programs: GNU SASL binds to the channel, msmtp and curl bring tokens."""

from __future__ import annotations

import os
import subprocess

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from ..integration.identities import PASSWORD, TOKEN, USER, Identities

pytestmark = pytest.mark.interop

MESSAGE = f"From: {USER}\r\nTo: {USER}\r\nSubject: hello\r\n\r\ntext\r\n"


@pytest_twisted.async_yield_fixture
async def identities(tmp_path):
    running = await Identities.start(reactor, tmp_path)
    yield running
    await running.stop()


async def run(identities, *command, stdin=b""):
    """Run a program to its end; gives whether it succeeded, and all that it said."""
    done = await deferToThread(
        subprocess.run,
        [str(part) for part in command],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=20,
        env=os.environ | {"HOME": str(identities.folder)},
        check=False,
    )
    return done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"])
@pytest_twisted.ensureDeferred
async def test_gnu_sasl_by_scram(identities, mechanism):
    async def tried(password):
        place = ("--connect", f"localhost:{identities.port('imap', 'starttls')}", "--starttls")
        binds = () if mechanism.endswith("-PLUS") else ("--no-cb",)
        trust = ("--x509-ca-file", identities.server_certificate)
        who = ("--authentication-id", USER, "--authorization-id", "", "--password", password)
        return await run(identities, "gsasl", "--imap", *place, *binds, *trust, *who, "--mechanism", mechanism)

    succeeded, said = await tried(PASSWORD)
    assert succeeded, said
    assert f"AUTHENTICATE {mechanism}" in said
    succeeded, said = await tried("wrong")
    assert not succeeded
    assert "NO [AUTHENTICATIONFAILED]" in said


async def msmtp(identities, way, secret):
    config = identities.folder / "msmtprc"
    certificate, key = identities.client_certificate()
    config.write_text(
        f"""account default
host localhost
port {identities.port("submission", "starttls")}
from {USER}
auth {way}
user {USER}
password {secret}
tls on
tls_starttls on
tls_trust_file {identities.server_certificate}
"""
        + (f"tls_cert_file {certificate}\ntls_key_file {key}\n" if way == "external" else "")
    )
    config.chmod(0o600)
    return await run(identities, "msmtp", "-v", "-C", config, USER, stdin=MESSAGE.encode())


@pytest.mark.parametrize(
    ("way", "secret"),
    [
        ("scram-sha-256", PASSWORD),
        ("scram-sha-1", PASSWORD),
        ("oauthbearer", TOKEN),
        ("xoauth2", TOKEN),
        ("external", "none"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_msmtp(identities, way, secret):
    succeeded, said = await msmtp(identities, way, secret)
    assert succeeded, said
    assert f"AUTH {way.upper()}" in said
    assert "queued as" in said
    if way != "external":
        succeeded, said = await msmtp(identities, way, "stolen")
        assert not succeeded
        assert "535" in said


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2", "EXTERNAL"])
@pytest.mark.parametrize("service", ["imap", "pop3", "submission"])
@pytest_twisted.ensureDeferred
async def test_curl(identities, service, mechanism):
    scheme, path = {"imap": ("imaps", "INBOX"), "pop3": ("pop3s", ""), "submission": ("smtps", "")}[service]
    mail = identities.folder / "mail"
    mail.write_text(MESSAGE)
    work = ("--mail-from", USER, "--mail-rcpt", USER, "--upload-file", mail) if service == "submission" else ()
    shown = ("--oauth2-bearer", TOKEN)
    if mechanism == "EXTERNAL":
        certificate, key = identities.client_certificate()
        shown = ("--cert", certificate, "--key", key)
    succeeded, said = await run(
        *(identities, "curl", "-sSv", "--cacert", identities.server_certificate, "--user", f"{USER}:"),
        *("--login-options", f"AUTH={mechanism}", *shown, *work),
        f"{scheme}://localhost:{identities.port(service, 'implicit')}/{path}",
    )
    assert succeeded, said
    assert mechanism in said
