"""Each program does with the node what its users do with it, with TLS and with its certificate checked."""

from __future__ import annotations

import ssl

import imapclient
import pytest

from ..integration.processes import trusting
from .conftest import PASSWORD, USER
from .mailbox import arrived, client, message

pytestmark = pytest.mark.interop


@pytest.mark.parametrize(("option", "tls"), [("--tls", "starttls"), ("--tlsc", "implicit")])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(interop, option, tls, mechanism):
    token = f"swaks-{tls}-{mechanism}"
    output = interop.run(
        *("swaks", "--server", "localhost", "--port", interop.port("submission", tls), option, "--tls-verify"),
        *("--tls-ca-path", interop.certificate, "--auth", mechanism, "--auth-user", USER, "--auth-password", PASSWORD),
        *("--from", USER, "--to", USER, "--header", f"Subject: {token}", "--body", "hello"),
    )
    assert b"queued as" in output
    assert arrived(interop, token).endswith(b"hello\r\n\r\n\r\n")


def test_swaks_delivers_pipelined_without_login(interop):
    interop.run(
        *("swaks", "--server", "localhost", "--port", interop.port("smtp", "starttls"), "--pipeline", "--tls"),
        *("--from", "x@elsewhere.test", "--to", USER, "--header", "Subject: swaks-mx"),
    )
    arrived(interop, "swaks-mx")


def curl(interop, *arguments: object) -> bytes:
    return interop.run("curl", "-sS", "--cacert", interop.certificate, "--user", f"{USER}:{PASSWORD}", *arguments)


def test_curl_sends_and_fetches_over_all_three(interop):
    mail = interop.folder / "curl.eml"
    mail.write_bytes(message("curl-1").replace(b"\r\n", b"\n"))
    smtp = f"smtps://localhost:{interop.port('submission', 'implicit')}"
    curl(interop, smtp, "--mail-from", USER, "--mail-rcpt", USER, "--upload-file", mail)
    wanted = arrived(interop, "curl-1")
    # curl sends a file as it is, and ends what does not end by CR and LF with both.
    assert wanted.endswith(message("curl-1") + b"\r\n")

    imap = f"imaps://localhost:{interop.port('imap', 'implicit')}"
    found = curl(interop, f"{imap}/INBOX?SUBJECT%20curl-1").split()
    assert found[:2] == [b"*", b"SEARCH"]
    assert curl(interop, f"{imap}/INBOX;MAILINDEX={found[2].decode()}") == wanted

    pop3 = f"pop3://localhost:{interop.port('pop3', 'starttls')}"
    listing = curl(interop, "--ssl-reqd", f"{pop3}/").split(b"\r\n")
    sizes = dict(line.split() for line in listing if line)
    [number] = [number for number, size in sizes.items() if int(size) == len(wanted)][-1:]
    assert curl(interop, "--ssl-reqd", f"{pop3}/{number.decode()}") == wanted


def test_msmtp_submits(interop):
    config = interop.secret_file(
        "msmtprc",
        f"""account default
host localhost
port {interop.port("submission", "starttls")}
from {USER}
auth plain
user {USER}
password {PASSWORD}
tls on
tls_starttls on
tls_trust_file {interop.certificate}
""",
    )
    interop.run("msmtp", "-C", config, USER, stdin=message("msmtp-1").replace(b"\r\n", b"\n"))
    assert arrived(interop, "msmtp-1").endswith(b"First line\r\n.\r\n..two dots\r\nlast\r\n")


def test_mbsync_syncs_in_both_directions(interop):
    maildir = interop.folder / "maildir"
    (maildir / "inbox").mkdir(parents=True)
    config = interop.secret_file(
        "mbsyncrc",
        f"""IMAPAccount node
Host localhost
Port {interop.port("imap", "implicit")}
User {USER}
Pass {PASSWORD}
SSLType IMAPS
CertificateFile {interop.certificate}

IMAPStore far
Account node

MaildirStore near
Path {maildir}/
Inbox {maildir}/inbox
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""",
    )
    with client(interop) as session:
        session.append("INBOX", message("mbsync-down"), flags=["\\Flagged"])
    interop.run("mbsync", "-c", config, "-a")
    files = {path: path.read_bytes() for path in maildir.glob("inbox/*/*")}
    [down] = [path for path, content in files.items() if b"Subject: mbsync-down" in content]
    assert "F" in down.name.rpartition(":2,")[2]
    assert (maildir / "Sent").is_dir()

    # Up: a new message in a new folder, a flag, and an expunge.
    (maildir / "near-made" / "new").mkdir(parents=True)
    (maildir / "near-made" / "cur").mkdir()
    (maildir / "near-made" / "tmp").mkdir()
    (maildir / "near-made" / "new" / "1.up.host").write_bytes(message("mbsync-up").replace(b"\r\n", b"\n"))
    down.rename(down.with_name(down.name + "T"))
    interop.run("mbsync", "-c", config, "-a")
    assert arrived(interop, "mbsync-up", "near-made").endswith(b"last\r\n")
    with client(interop) as session:
        session.select_folder("INBOX")
        assert session.search(["SUBJECT", "mbsync-down"]) == []
    interop.run("mbsync", "-c", config, "-a")
    assert len(list(maildir.glob("near-made/*/*"))) == 1


@pytest.mark.parametrize("protocol", ["POP3", "IMAP"])
def test_fetchmail_takes_everything(interop, protocol):
    token = f"fetchmail-{protocol}"
    with client(interop) as session:
        session.append("INBOX", message(token))
    taken = interop.folder / f"{token}.taken"
    collector = interop.secret_file(f"{token}.sh", f'#!/bin/sh\ncat >> "{taken}"\n')
    collector.chmod(0o700)
    config = interop.secret_file(
        f"fetchmailrc-{protocol}",
        f"""poll localhost protocol {protocol} port {interop.port(protocol.lower(), "implicit")}
user "{USER}" password "{PASSWORD}"
ssl sslcertck sslcertfile "{interop.certificate}" sslcommonname localhost
mda "{collector}" fetchall no keep
""",
    )
    interop.run("fetchmail", "-f", config, "--pidfile", interop.folder / "fetchmail.pid", "-i", interop.folder / "ids")
    assert f"Subject: {token}".encode() in taken.read_bytes()
    with client(interop) as session:
        assert session.select_folder("INBOX")[b"EXISTS"] == 0


def test_imapclient_works_a_mailbox(interop):
    host, port = "localhost", interop.port("imap", "starttls")
    with imapclient.IMAPClient(host, port, ssl=False, timeout=20) as session:
        session.starttls(trusting(interop.certificate))
        assert isinstance(session.socket(), ssl.SSLSocket)
        session.login(USER, PASSWORD)
        assert session.has_capability("IDLE")
        session.create_folder("Büro/入力")
        assert "Büro/入力" in [name for _, _, name in session.list_folders()]
        for number in range(5):
            session.append("Büro/入力", message(f"imapclient-{number}"), flags=["\\Seen"] if number % 2 else [])
        chosen = session.select_folder("Büro/入力")
        assert chosen[b"EXISTS"] == 5
        unseen = session.search("UNSEEN")
        assert len(unseen) == 3
        assert b"$Work" in session.add_flags(unseen, ["$Work"])[unseen[0]]
        session.move(unseen[:2], "Archive")
        session.copy(unseen[2:], "Archive")
        assert len(session.search("ALL")) == 3
        session.delete_messages(session.search("SEEN"))
        session.expunge()
        assert len(session.search("ALL")) == 1
        envelope = session.fetch(unseen[2:], ["ENVELOPE", "BODYSTRUCTURE", "FLAGS"])[unseen[2]]
        assert envelope[b"ENVELOPE"].subject == b"imapclient-4"
        assert session.folder_status("Archive", ["MESSAGES"])[b"MESSAGES"] == 3
        assert session.find_special_folder(b"\\Sent") == "Sent"
        session.idle()
        with client(interop) as other:
            other.append("Büro/入力", message("imapclient-idle"))
        assert (2, b"EXISTS") in session.idle_check(timeout=20)
        session.idle_done()
        session.unselect_folder()
        session.delete_folder("Büro/入力")
