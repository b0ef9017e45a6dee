"""`twistd mailnode` as a process: the start without a configuration, its end, and starts that have to fail."""

import imaplib
import json
import os
import poplib
import pwd
import select
import shutil
import signal
import smtplib
import socket
import ssl
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twisted_mail_node.node.tls import make_certificate
from twisted_mail_node.testing.process import NodeProcess, process_environment

from .processes import eventually

FREE_PORTS = [
    "--listen=smtp=tcp:0:interface=127.0.0.1",
    "--listen=submission=tcp:0:interface=127.0.0.1",
    "--listen=submissions=tcp:0:interface=127.0.0.1",
    "--listen=pop3s=tcp:0:interface=127.0.0.1",
    "--listen=imaps=tcp:0:interface=127.0.0.1",
    "--listen=lmtp=unix:mailnode-state/lmtp.sock",
]
POSTMASTER = "postmaster@localhost"


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def trusting():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def exchange(node, password, trust) -> list[bytes]:
    """Send a message to postmaster; give all that POP3 has."""
    with smtplib.SMTP("127.0.0.1", node.port("submission", "starttls"), timeout=20) as client:
        client.starttls(context=trust)
        client.login("postmaster", password)
        assert client.sendmail(POSTMASTER, [POSTMASTER], "Subject: hello\r\n\r\ntext\r\n") == {}
    mailbox = poplib.POP3_SSL("127.0.0.1", node.port("pop3"), context=trust, timeout=20)
    mailbox.user(POSTMASTER)
    mailbox.pass_(password)
    found = [b"\r\n".join(mailbox.retr(number + 1)[1]) for number in range(mailbox.stat()[0])]
    mailbox.quit()
    return found


def test_the_start_without_a_configuration_gives_a_working_node(tmp_path, trusting):
    with NodeProcess(tmp_path, *FREE_PORTS) as node:
        node.wait_until_listening()
        state = tmp_path / "mailnode-state"
        assert mode(state) == 0o700
        assert all(
            mode(state / name) == 0o600 for name in ("key.pem", "postmaster.password", "mail.sqlite", "control.sock")
        )
        password = (state / "postmaster.password").read_text().strip()
        assert len(exchange(node, password, trusting)) == 1
        told = {(entry["service"], entry["tls"]) for entry in node.listening()["listeners"]}
        assert told == {
            ("smtp", "starttls"), ("submission", "starttls"), ("submission", "implicit"), ("pop3", "implicit"),
            ("imap", "implicit"), ("lmtp", "none"),
        }  # fmt: skip
        output = node.output()
        for wanted in ("smtp (STARTTLS) on 127.0.0.1:", str(state / "postmaster.password"), "user add NAME@localhost"):
            assert wanted in output
        assert node.stop() == -signal.SIGTERM
        assert not any((state / name).exists() for name in ("listening.json", "control.sock", "lmtp.sock"))
    # A second start finds everything again.
    certificate = (state / "cert.pem").read_bytes()
    with NodeProcess(tmp_path, *FREE_PORTS) as node:
        node.wait_until_listening()
        assert len(exchange(node, password, trusting)) == 2
        assert (state / "cert.pem").read_bytes() == certificate


def test_a_killed_node_leaves_nothing_in_the_way_of_the_next(tmp_path, trusting):
    options = FREE_PORTS
    with NodeProcess(tmp_path, *options) as node:
        node.wait_until_listening()
        node.kill()
    assert (tmp_path / "mailnode-state" / "lmtp.sock").exists()
    with NodeProcess(tmp_path, *options) as node:
        node.wait_until_listening()
        password = (tmp_path / "mailnode-state" / "postmaster.password").read_text().strip()
        assert len(exchange(node, password, trusting)) == 1


def test_clients_are_told_that_the_node_stops_and_do_not_hold_it_up(tmp_path, trusting):
    with NodeProcess(tmp_path, *FREE_PORTS) as node:
        node.wait_until_listening()
        smtp = smtplib.SMTP("127.0.0.1", node.port("smtp"), timeout=20)
        imap = imaplib.IMAP4_SSL("127.0.0.1", node.port("imap"), ssl_context=trusting, timeout=20)
        assert node.stop(timeout_seconds=8) == -signal.SIGTERM
        assert smtp.getreply()[0] == 421
        assert imap.readline().startswith(b"* BYE")
        smtp.close()
        imap.shutdown()


def test_the_command_line_works_before_the_first_start_and_while_the_node_runs(tmp_path, trusting):
    node = NodeProcess(tmp_path, *FREE_PORTS)
    added = node.command("user", "add", POSTMASTER, "--password-stdin", stdin="early\n")
    assert (added.returncode, added.stdout) == (0, f"user {POSTMASTER} added\n"), added.stderr
    with node:
        node.wait_until_listening()
        assert not (tmp_path / "mailnode-state" / "postmaster.password").exists()
        assert len(exchange(node, "early", trusting)) == 1
        changed = node.command("user", "passwd", POSTMASTER, "--password-stdin", stdin="late\n")
        assert changed.returncode == 0, changed.stderr
        assert len(exchange(node, "late", trusting)) == 2
        assert json.loads(node.command("user", "list", "--json").stdout) == [{"name": POSTMASTER, "scram": False}]
        assert node.command("check").returncode == 0


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


DAEMON = ("--pidfile=node.pid", "--logfile=node.log")


@pytest.mark.parametrize("twistd_options", [("--nodaemon", "--pidfile="), DAEMON], ids=["foreground", "daemon"])
def test_a_taken_port_is_told_in_one_sentence(tmp_path, taken_port, twistd_options):
    listen = f"--listen=smtp=tcp:{taken_port}:interface=127.0.0.1"
    ended = NodeProcess(tmp_path, "--listen=imap=tcp:0", listen, twistd_options=twistd_options).run()
    assert ended.returncode == 1
    sentence = (
        f"twistd mailnode: smtp can't listen on tcp:{taken_port}:interface=127.0.0.1: "
        "another program listens there already"
    )
    assert sentence in ended.stderr.splitlines()
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "mailnode-state").exists()
    # Twisted's daemon tells its parent why it ends before it takes its file away.
    eventually(lambda: not (tmp_path / "node.pid").exists())


@pytest.mark.parametrize("twistd_options", [("--nodaemon", "--pidfile="), DAEMON], ids=["foreground", "daemon"])
def test_a_broken_database_is_told_and_nothing_is_left(tmp_path, twistd_options):
    state = tmp_path / "mailnode-state"
    state.mkdir(0o700)
    (state / "mail.sqlite").write_bytes(b"this is no database, but it is long enough to be looked at" * 100)
    ended = NodeProcess(tmp_path, *FREE_PORTS, twistd_options=twistd_options).run()
    assert ended.returncode == 1
    assert "mail.sqlite is not an SQLite database" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (state / "lmtp.sock").exists()


def test_a_second_node_on_the_same_state_is_told(tmp_path):
    with NodeProcess(tmp_path, *FREE_PORTS) as node:
        node.wait_until_listening()
        before = node.listening()
        ended = NodeProcess(tmp_path, "--listen=smtp=tcp:0:interface=127.0.0.1").run()
        assert ended.returncode == 1
        assert f"is in use by another node (process {node.pid})" in ended.stderr
        assert node.listening() == before
        assert node.command("user", "list").returncode == 0


def config(tmp_path, text):
    path = tmp_path / "node.toml"
    path.write_text(text)
    return f"--config={path}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('hostnam = "x"', 'node.toml: hostnam = "x": unknown key; did you mean "hostname"?'),
        ('[tls]\ncertificate = "none.pem"\nprivate_key = "none.pem"', "none.pem can't be read: no such file"),
        ('[tls]\ncertificate = "node.toml"\nprivate_key = "node.toml"', "is not a certificate in PEM form"),
        (f'state_dir = "{"a" * 120}"', "the path is longer than 107 octets"),
        (
            'state_dir = "missing/state"\n[[listen]]\nservice = "smtp"\nendpoint = "tcp:0:interface=127.0.0.1"',
            "missing/state can't be made: no such file or directory",
        ),
        ('[[listen]]\nservice = "smtp"\nendpoint = "tcp:0:interface=192.0.2.1"', "this machine has no such address"),
    ],
)
def test_a_start_that_cannot_be_says_why(tmp_path, text, told):
    ended = NodeProcess(tmp_path, config(tmp_path, text)).run()
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node.toml"]


def test_the_daemon_starts_and_leaves_its_parent_satisfied(tmp_path):
    node = NodeProcess(tmp_path, *FREE_PORTS, twistd_options=DAEMON)
    ended = node.run()
    assert (ended.returncode, ended.stderr) == (0, "")
    pid = int((tmp_path / "node.pid").read_text())
    try:
        descriptor = os.pidfd_open(pid)
    finally:
        os.kill(pid, signal.SIGTERM)
    assert select.select([descriptor], [], [], 15)[0], (tmp_path / "node.log").read_text()
    os.close(descriptor)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can switch to another user")
def test_the_state_belongs_to_the_user_that_the_node_runs_as():
    folder = subprocess.run(["mktemp", "-d", "/tmp/mailnode.XXXXXX"], capture_output=True, text=True, check=True)
    path = Path(folder.stdout.strip())
    nobody = pwd.getpwnam("nobody")
    try:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
        options = ("--nodaemon", "--pidfile=", f"--uid={nobody.pw_uid}", f"--gid={nobody.pw_gid}")
        with NodeProcess(path, *FREE_PORTS, twistd_options=options) as node:
            node.wait_until_listening()
            files = [node.state_dir, *node.state_dir.iterdir()]
            assert {file.lstat().st_uid for file in files} == {nobody.pw_uid}
    finally:
        shutil.rmtree(path)


def test_a_socket_from_systemd_is_served(tmp_path):
    """systemd passes sockets from descriptor 3 on, with LISTEN_PID set to the process that gets them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wrapped = (
            "import os, sys; fd = int(sys.argv[1]); os.dup2(fd, 3); os.set_inheritable(3, True);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='smtp');"
            "os.execv(sys.executable, [sys.executable, '-c', sys.argv[2], *sys.argv[3:]])"
        )
        twistd = "from twisted.scripts.twistd import run; run()"
        arguments = ["--nodaemon", "--pidfile=", "mailnode", "--listen=smtp=systemd:domain=INET:name=smtp"]
        with open(tmp_path / "output.txt", "wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", wrapped, str(listener.fileno()), twistd, *arguments],
                cwd=tmp_path, pass_fds=[listener.fileno()], env=process_environment(),
                stdout=output, stderr=output,
            )  # fmt: skip
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                assert client.noop()[0] == 250
        finally:
            process.terminate()
            process.wait(15)


def test_a_hang_up_makes_the_node_read_its_certificate_again(tmp_path, trusting):
    def renew():
        certificate, private_key = make_certificate(["localhost"], datetime.now(UTC))
        (tmp_path / "cert.pem").write_bytes(certificate)
        (tmp_path / "key.pem").write_bytes(private_key)
        return certificate.decode("ascii")

    def until(happened):
        deadline = time.monotonic() + 20
        while not happened():
            assert time.monotonic() < deadline, node.output()
            select.select([], [], [], 0.02)

    first = renew()
    (tmp_path / "mailnode.toml").write_text(
        '[[listen]]\nservice = "imap"\nendpoint = "tcp:0:interface=127.0.0.1"\ntls = "implicit"\n'
        '[tls]\ncertificate = "cert.pem"\nprivate_key = "key.pem"\n'
    )
    with NodeProcess(tmp_path) as node:
        node.wait_until_listening()
        place = ("127.0.0.1", node.port("imap"))
        assert ssl.get_server_certificate(place, timeout=20) == first
        stays = imaplib.IMAP4_SSL(*place, ssl_context=trusting, timeout=20)
        second = renew()
        os.kill(node.pid, signal.SIGHUP)
        until(lambda: ssl.get_server_certificate(place, timeout=20) == second)
        (tmp_path / "cert.pem").write_text("broken")
        os.kill(node.pid, signal.SIGHUP)
        until(lambda: "is not a certificate in PEM form; the old one stays" in node.output())
        assert ssl.get_server_certificate(place, timeout=20) == second
        assert stays.noop()[0] == "OK"
        stays.shutdown()
        assert node.stop() == -signal.SIGTERM


def test_twistd_lists_the_node():
    command = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--help"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=process_environment())
    assert "mailnode" in listed.stdout
