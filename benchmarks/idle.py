"""
What an idle connection costs in memory: each service, in plain and under TLS; and what is given back afterwards.

It is the growth of the server's proportional set size (PSS) with so many clients that were greeted and are silent, in
KiB for each; POP3 and IMAP also with all of them logged in, IMAP with a mailbox selected. Each kind has a process of
its own that some clients have visited before. A bare Twisted server that only greets tells how much of it is
Twisted's and OpenSSL's own.

    python benchmarks/idle.py [--connections 1000] [--json]
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from processes import pss_kib
from systems import DOMAIN, PASSWORD, wait_for_file

from twisted_mail_node.testing.certificates import issue

SERVICES = ("smtp", "submission", "pop3", "imap")
WARMING_UP = 64
LOGINS = {
    "pop3": (f"USER user{{number}}@{DOMAIN}", f"PASS {PASSWORD}"),
    "imap": (f"a LOGIN user{{number}}@{DOMAIN} {PASSWORD}", "b SELECT INBOX"),
}
BARE = Path(__file__).with_name("bare.py")


def config_of(certificate: Path, key: Path, connections: int) -> str:
    """A node with every service, in plain and inside TLS."""
    listeners = "".join(
        f'[[listen]]\nservice = "{service}"\nendpoint = "tcp:0:interface=127.0.0.1"\ntls = "{tls}"\n'
        for service in SERVICES
        for tls in ("none", "implicit")
    )
    return f"""hostname = "mx.{DOMAIN}"
state_dir = "state"
[[domain]]
name = "{DOMAIN}"
{listeners}
[tls]
certificate = "{certificate}"
private_key = "{key}"
[limits]
connections = {connections + 100}
"""


@contextmanager
def running(command: list[str | Path], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended at the end."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def prepare(folder: Path, connections: int) -> None:
    """Write certificate and configuration, make the users."""
    issued = issue("localhost")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(issued.pem)
    key.write_bytes(issued.key_pem)
    config, users = folder / "mailnode.toml", folder / "users"
    config.write_text(config_of(certificate, key, connections))
    users.write_text("".join(f"user{number}@{DOMAIN}:{PASSWORD}\n" for number in range(connections + WARMING_UP)))
    command = [Path(sys.executable).with_name("mailnode"), "--config", config, "user", "import", users]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def node(folder: Path) -> Iterator[tuple[int, dict[tuple[str, str], int]]]:
    """Gives the process id, and the port for each service and kind of TLS."""
    twistd = Path(sys.executable).with_name("twistd")
    command = [twistd, "-n", "--pidfile=", "--logfile=node.log", "mailnode", "--config", "mailnode.toml"]
    with running(command, folder):
        told = json.loads(wait_for_file(folder / "state" / "listening.json"))
        yield told["pid"], {(entry["service"], entry["tls"]): entry["port"] for entry in told["listeners"]}


@contextmanager
def bare(folder: Path) -> Iterator[tuple[int, dict[tuple[str, str], int]]]:
    """The same for a server that does nothing but greet; to be run in the folder of a node."""
    with running([sys.executable, BARE, "cert.pem", "key.pem"], folder) as process:
        assert process.stdout is not None
        plain, secure = map(int, process.stdout.readline().split())
        yield process.pid, {("bare", "none"): plain, ("bare", "implicit"): secure}


class Client:
    """One connection that has been greeted."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if context is not None:
            self._socket = context.wrap_socket(self._socket)
        self._reader = self._socket.makefile("rb")
        self._reader.readline()

    def log_in(self, service: str, number: int) -> None:
        """Log in, and select INBOX where there is such a thing."""
        for line in LOGINS[service]:
            self._socket.sendall(line.format(number=number).encode() + b"\r\n")
            answer = self._reader.readline()
            while answer.startswith(b"* "):
                answer = self._reader.readline()
            if not answer.startswith((b"+OK", b"a OK", b"b OK")):
                raise SystemExit(f"{service} does not let in: {answer!r}")

    def close(self) -> None:
        """Leave without a word."""
        self._reader.close()
        self._socket.close()


def settled(pid: int) -> int:
    """The process's memory in KiB once it has stayed the same for a moment."""
    last = -1
    while (now := pss_kib([pid])) != last:
        last = now
        time.sleep(0.3)
    return now


def measure(pid: int, connect: Callable[[int], Client], connections: int) -> dict[str, float]:
    """KiB for each of so many connections, and what is left of it when they have gone."""

    def wave(numbers: range, at_once: int = 1) -> int:
        with ExitStack() as stack, ThreadPoolExecutor(at_once) as threads:
            for client in threads.map(connect, numbers):
                stack.callback(client.close)
            return settled(pid)

    # All threads that hash passwords have their workspace then: it is the server's own, not the connections'.
    wave(range(connections, connections + WARMING_UP), 8)
    before = settled(pid)
    there = wave(range(connections))
    return {"kib": (there - before) / connections, "kept": (settled(pid) - before) / connections}


def kinds() -> Iterator[tuple[str, str, bool]]:
    """(service, tls, logged in) of all that is measured."""
    for service in (*SERVICES, "bare"):
        for tls in ("none", "implicit"):
            yield service, tls, False
            if service in LOGINS:
                yield service, tls, True


def measured(folder: Path, service: str, tls: str, logs_in: bool, connections: int) -> dict[str, float]:
    """The figures of one kind of connection, in a process of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with node(folder) if service != "bare" else bare(folder) as (pid, ports):

        def connect(number: int) -> Client:
            client = Client(ports[service, tls], context if tls == "implicit" else None)
            if logs_in:
                client.log_in(service, number)
            return client

        return measure(pid, connect, connections)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1000, help="clients of each kind (default 1000)")
    parser.add_argument("--only", help="the service to measure (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    folder = Path(tempfile.mkdtemp(prefix="mailnode-bench-"))
    results: dict[str, dict[str, float]] = {}
    try:
        prepare(folder, options.connections)
        for service, tls, logs_in in kinds():
            if options.only in (None, service):
                name = f"{service}, {'plain' if tls == 'none' else 'TLS'}{', logged in' if logs_in else ''}"
                results[name] = measured(folder, service, tls, logs_in, options.connections)
                print(name, results[name], file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print("| connections | KiB each | kept of it when all have gone |\n|---|---|---|")
    for name, result in results.items():
        print(f"| {name} | {result['kib']:.1f} | {result['kept']:.1f} |")


if __name__ == "__main__":
    main()
