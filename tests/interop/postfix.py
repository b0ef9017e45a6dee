"""
Postfix with a configuration, a queue and a mailbox of its own, as a child of the tests: no service of the machine.

Its daemons change from root to a user of its own. Whoever is not root is it in a namespace, where the users below have
the numbers that subuid(5) lends. The folder is in /tmp, since nobody else reaches what pytest makes.
"""

from __future__ import annotations

import os
import re
import shutil
import smtplib
import subprocess
import tempfile
from pathlib import Path

from ..integration.processes import eventually, free_port
from ..programs import POSTCONF, POSTFIX

DOMAIN = "postfix.test"

# All mail for the domain goes to one Maildir, and says for whom it was in X-Original-To.
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.postfix.test
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
message_size_limit = 20480000
virtual_mailbox_limit = 0
notify_classes =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 1
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtpd_recipient_restrictions = check_recipient_access inline:{{nobody@{domain}=reject}}, permit_mynetworks, reject
smtp_host_lookup = native
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = hostname
smtp_tls_CAfile = {certificate}
default_transport = {transport}
sender_dependent_default_transport_maps = inline:{{ {by_sender} }}
debug_peer_list = 127.0.0.1
debug_peer_level = 1
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
# The user that every system has and that owns nothing.
_NOBODY = 65534
_AS_ROOT = [] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--map-auto"]
_BEGIN = re.compile(rb"^(?=Return-Path: <.*>\nX-Original-To: )", re.MULTILINE)


def _run(*command: object) -> bytes:
    """Run a program as root to its end; gives what it prints."""
    done = subprocess.run([*_AS_ROOT, *(str(part) for part in command)], capture_output=True, timeout=60)
    assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stderr.decode(errors='replace')}"
    return done.stdout


class Postfix:
    """One Postfix at `port` of 127.0.0.1; started and stopped once. A context manager."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailnode-postfix-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.port = free_port("127.0.0.1")
        self._certificate, self._key = (Path(shutil.copy(path, self.folder)) for path in (certificate, key))
        self._key.chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """With all that was said in sessions, since they come from loopback."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, transport: str, by_sender: dict[str, str], services: str) -> None:
        """
        Start it, and return once it answers.

        Mail for other domains takes `transport`, or that of its sender; `services` are more lines of master(5).
        """
        self._write(transport, by_sender, services)
        _run(POSTFIX, "-c", self._config, "check")
        master = Path(_run(POSTCONF, "-c", self._config, "-h", "daemon_directory").decode().strip()) / "master"
        with (self.folder / "output").open("wb") as output:
            command = [*_AS_ROOT, master, "-c", self._config, "-s"]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        eventually(self._answers, 30)

    def smtp(self) -> smtplib.SMTP:
        """A client that is connected to it."""
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.test", timeout=20)

    def delivered(self, recipient: str, word: bytes) -> bytes:
        """The message for this recipient in which this word is, once it is there."""
        for_whom = f"\nX-Original-To: {recipient}\n".encode()

        def look() -> bytes | None:
            contents = _run("find", self.folder / "mail", "-path", "*/new/*", "-exec", "cat", "{}", "+")
            return next(
                (content for content in _BEGIN.split(contents) if for_whom in content and word in content), None
            )

        return eventually(look)

    def __enter__(self) -> Postfix:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
        _run("rm", "-r", self.folder)

    @property
    def _config(self) -> Path:
        return self.folder / "etc"

    def _write(self, transport: str, by_sender: dict[str, str], services: str) -> None:
        for name in ("etc", "queue", "data", "mail"):
            (self.folder / name).mkdir()
        _run("chown", "postfix", self.folder / "data")
        _run("chown", _NOBODY, self.folder / "mail")
        (self._config / "main.cf").write_text(
            _MAIN.format(
                folder=self.folder,
                domain=DOMAIN,
                owner=_NOBODY,
                certificate=self._certificate,
                key=self._key,
                transport=transport,
                by_sender=", ".join(f"{{ {sender} = {theirs} }}" for sender, theirs in by_sender.items()),
            )
        )
        (self._config / "master.cf").write_text(_MASTER.format(port=self.port) + services)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Postfix ended:\n{(self.folder / 'output').read_text()}{self.log}"
        try:
            with self.smtp() as client:
                return client.noop()[0] == 250
        except ConnectionRefusedError:
            return False
