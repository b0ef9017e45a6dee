"""
The systems under measurement: this node, Postfix with Dovecot, and Dovecot alone, each in a folder of its own on
loopback.

All sync every message to disk before they answer: the node by SQLite's synchronous=FULL, Postfix by its queue file,
Dovecot by mail_fsync=optimized (it syncs what LMTP delivers and IMAP appends, but no change of a flag).
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

DOMAIN = "bench.test"
PASSWORD = "benchmark-only"


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, seconds: float = 30.0) -> None:
    """Return when something accepts connections; raise TimeoutError otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


def wait_for_file(path: Path, seconds: float = 30.0) -> str:
    """What is in the file, as soon as it is there; raise TimeoutError otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists():
            return path.read_text()
        time.sleep(0.05)
    raise TimeoutError(f"there is no {path}")


class Node:
    """`twistd mailnode` with SQLite."""

    name = "mailnode"

    def __init__(self, folder: Path, users: list[str]) -> None:
        self.folder, self.users = folder, users
        self.smtp_port, self.imap_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Write the configuration, make the users, start, and wait until it listens."""
        self.folder.mkdir(parents=True)
        config = self.folder / "mailnode.toml"
        config.write_text(f"""hostname = "mx.{DOMAIN}"
state_dir = "state"
[[domain]]
name = "{DOMAIN}"
[[listen]]
service = "smtp"
endpoint = "tcp:{self.smtp_port}:interface=127.0.0.1"
tls = "none"
[[listen]]
service = "imap"
endpoint = "tcp:{self.imap_port}:interface=127.0.0.1"
tls = "none"
""")
        users = self.folder / "users"
        users.write_text("".join(f"{user}@{DOMAIN}:{PASSWORD}\n" for user in self.users))
        tools = Path(sys.executable).parent
        subprocess.run(
            [tools / "mailnode", "--config", config, "user", "import", users],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            [tools / "twistd", "-n", "--pidfile=", "mailnode", "--config", config],
            cwd=self.folder,
            stdout=log,
            stderr=log,
        )
        listening = json.loads(wait_for_file(self.folder / "state" / "listening.json"))
        assert listening["pid"] == self._process.pid

    def roots(self) -> list[int]:
        """The process ids whose trees are this system."""
        assert self._process is not None
        return [self._process.pid]

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)


class Dovecot:
    """
    Dovecot alone, with expert settings; LMTP on a unix socket besides IMAP where that is asked for.

    Args:
        layout: of its mailboxes, "maildir" or "mdbox".
        lmtp: whether its LMTP service, of a package of its own, is to run.
    """

    name = "dovecot"

    def __init__(self, folder: Path, users: list[str], layout: str = "mdbox", lmtp: bool = False) -> None:
        self.folder, self.users, self.layout, self.lmtp = folder, users, layout, lmtp
        self.imap_port = free_port()

    @property
    def lmtp_socket(self) -> Path:
        """Where LMTP is spoken."""
        return self.folder / "run" / "lmtp-bench"

    def start(self) -> None:
        """Write the configuration, start, and wait until it listens."""
        folder = self.folder
        (folder / "mail").mkdir(parents=True)
        _open_ways(folder)
        (folder / "run").mkdir()
        owner = pwd.getpwnam("nobody")
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
        (folder / "users").write_text("".join(f"{user}@{DOMAIN}:{{PLAIN}}{PASSWORD}\n" for user in self.users))
        self._config = folder / "dovecot.conf"
        self._config.write_text(f"""
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap{" lmtp" if self.lmtp else ""}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
auth_cache_size = 10M
auth_verbose = no
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
state_dir = {folder}/state
mail_location = {self.layout}:{folder}/mail/%u
mail_uid = {owner.pw_uid}
mail_gid = {owner.pw_gid}
mail_fsync = optimized
mail_max_userip_connections = 1000
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  service_count = 0
  process_min_avail = 2
  inet_listener imap {{
    address = 127.0.0.1
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  process_min_avail = 4
  service_count = 100
}}
service anvil {{
  client_limit = 2000
}}
service auth {{
  client_limit = 2000
}}
{_LMTP if self.lmtp else ""}
namespace inbox {{
  inbox = yes
}}
""")
        subprocess.run(["dovecot", "-c", self._config], check=True)
        wait_for_port(self.imap_port)

    def roots(self) -> list[int]:
        """The master's process id."""
        return [int((self.folder / "run" / "master.pid").read_text())]

    def stop(self) -> None:
        """End it."""
        subprocess.run(["dovecot", "-c", self._config, "stop"])


_LMTP = """
service lmtp {
  process_min_avail = 8
  process_limit = 200
  client_limit = 1
  service_count = 0
  unix_listener lmtp-bench {
    mode = 0666
  }
}
protocol lmtp {
  mail_plugins =
}
"""


def _open_ways(folder: Path) -> None:
    """The peers' users must reach their sockets through every folder above."""
    for part in [folder, *folder.parents]:
        if part.stat().st_uid == os.getuid() and part != Path("/"):
            part.chmod(part.stat().st_mode | 0o711)


class PostfixDovecot:
    """
    Postfix in front, Dovecot's LMTP behind it over a unix socket; expert settings.

    Maildir, since it was the faster layout in this work: 441 messages/s against 251 with mdbox.
    """

    name = "postfix+dovecot"

    def __init__(self, folder: Path, users: list[str]) -> None:
        self.folder, self.users = folder, users
        self._dovecot = Dovecot(folder / "dovecot", users, "maildir", lmtp=True)
        self.smtp_port, self.imap_port = free_port(), self._dovecot.imap_port

    def start(self) -> None:
        """Write both configurations, start both, and wait until they listen."""
        self.folder.mkdir(parents=True)
        self._dovecot.start()
        self._postfix()
        wait_for_port(self.smtp_port)

    def _postfix(self) -> None:
        folder = self.folder / "postfix"
        (folder / "etc").mkdir(parents=True)
        (folder / "queue").mkdir()
        (folder / "data").mkdir()
        postfix = pwd.getpwnam("postfix")
        os.chown(folder / "data", postfix.pw_uid, grp.getgrnam("postfix").gr_gid)
        (folder / "etc" / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:{self._dovecot.lmtp_socket}
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
default_process_limit = 250
in_flow_delay = 0
message_size_limit = 52428800
mailbox_size_limit = 0
lmtp_destination_concurrency_limit = 10
lmtp_destination_recipient_limit = 1
lmtp_connection_cache_on_demand = yes
minimal_backoff_time = 5s
maximal_backoff_time = 5s
queue_run_delay = 5s
qmgr_message_active_limit = 40000
qmgr_message_recipient_limit = 40000
smtpd_tls_security_level = none
enable_long_queue_ids = no
""")
        shutil.copy("/usr/share/postfix/master.cf.dist", folder / "etc" / "master.cf")
        master = (folder / "etc" / "master.cf").read_text().splitlines()
        services = []
        for line in master:
            words = line.split()
            if len(words) >= 8 and not line.startswith(("#", " ")):
                words[4] = "n"  # no chroot: the LMTP socket lies outside of it
                if words[0] == "smtp" and words[1] == "inet":
                    words[0] = f"127.0.0.1:{self.smtp_port}"
                line = " ".join(words)
            services.append(line)
        (folder / "etc" / "master.cf").write_text("\n".join(services) + "\n")
        self._postfix_config = folder / "etc"
        subprocess.run(["postfix", "-c", self._postfix_config, "start"], check=True, stderr=subprocess.DEVNULL)

    def roots(self) -> list[int]:
        """The two masters' process ids."""
        pid = int((self.folder / "postfix" / "queue" / "pid" / "master.pid").read_text())
        return [pid, *self._dovecot.roots()]

    def stop(self) -> None:
        """End both."""
        subprocess.run(["postfix", "-c", self._postfix_config, "stop"], stderr=subprocess.DEVNULL)
        self._dovecot.stop()
