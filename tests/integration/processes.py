"""Nodes and a name server as processes of their own on loopback, as a person would start them."""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from twisted_mail_node.testing.certificates import issue

from .forked import Forked

TOOLS = Path(sys.executable).parent
NOTHING = Path(os.devnull)
T = TypeVar("T")


def eventually(check: Callable[[], T], seconds: float = 20.0) -> T:
    """The first true value that `check` gives; fails when the time is over."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < end, f"did not come true within {seconds} s: {check}"
        pause.wait(0.02)


def free_port(*hosts: str) -> int:
    """
    A TCP port that is free on all these addresses of loopback now.

    It is none that the system gives to who asks for any: a listener elsewhere, or a connection, could have it before
    it is used, or while who uses it starts anew.
    """
    given = range(*map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()))
    ours = range(10_000, given.start) if given.start > 12_000 else range(given.stop + 1, 65_536)
    for port in random.SystemRandom().sample(ours, 100):
        try:
            for host in hosts:
                with socket.socket() as probe:
                    probe.bind((host, port))
        except OSError:
            continue
        return port
    raise AssertionError("no free port")


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A self-signed certificate for these host names and addresses; gives the paths of certificate and key."""
    issued = issue(*names)
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(issued.pem)
    key.write_bytes(issued.key_pem)
    return certificate, key


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client context that trusts this certificate and checks names."""
    return ssl.create_default_context(cafile=str(certificate))


def listening(listeners: Iterable[tuple[str, str]]) -> str:
    """Tables of a configuration: each of these services, with this TLS, at a free port of loopback."""
    return "".join(
        f'[[listen]]\nservice = "{service}"\nendpoint = "tcp:0:interface=127.0.0.1"\ntls = "{tls}"\n'
        for service, tls in listeners
    )


class NodeProcess:
    """
    One `twistd mailnode` with a configuration of its own.

    `config` is the text of the TOML file; the state folder is `state` beside it.
    """

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "mailnode.toml"
        self.config.write_text(config)
        self.process: Forked | None = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def command(self) -> list[str | Path]:
        """What starts it."""
        return [TOOLS / "twistd", "-n", "--pidfile=", "mailnode", "--config", self.config]

    def start(self) -> None:
        """Start it and return once all services listen."""
        log = self.folder / "log"
        self.process = Forked(self.command(), self.folder, NOTHING, log, log)

        def listens() -> bool:
            assert self.process.poll() is None, f"the node ended:\n{self.log}"
            try:
                return json.loads((self.state / "listening.json").read_text())["pid"] == self.process.pid
            except FileNotFoundError:
                return False

        eventually(listens, 30)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(15)

    def listener(self, service: str, tls: str) -> tuple[str, int]:
        """Host and port of a listener."""
        listeners = json.loads((self.state / "listening.json").read_text())["listeners"]
        found = next(entry for entry in listeners if entry["service"] == service and entry["tls"] == tls)
        return found["host"], found["port"]

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run `mailnode` with this configuration; gives what it prints."""
        with tempfile.TemporaryDirectory() as made:
            given, said, errors = (Path(made) / name for name in ("stdin", "stdout", "stderr"))
            given.write_text(stdin)
            status = Forked(["mailnode", "--config", self.config, *arguments], self.folder, given, said, errors).wait(
                60
            )
            assert status == 0, f"mailnode {arguments}: {said.read_text()}{errors.read_text()}"
            return said.read_text()

    def json(self, *arguments: str) -> object:
        """Run `mailnode … --json`; gives what it prints, read."""
        return json.loads(self.run(*arguments, "--json"))

    def add_user(self, name: str, password: str) -> None:
        """Make a user."""
        self.run("user", "add", name, "--password-stdin", stdin=password + "\n")


class NameServer:
    """twisted.names' authority as a process; `zone` is given as host -> [(type, …)] records."""

    def __init__(self, records: list[list[object]]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("authority.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdin.write(json.dumps(records) + "\n")
        self.process.stdin.flush()
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()
