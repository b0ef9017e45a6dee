"""One node with TLS, and mail programs that people use against it; `tests/programs.py` tells when they are missing."""

from __future__ import annotations

import os
import subprocess

import pytest

from ..integration.processes import NodeProcess, listening, make_certificate

PASSWORD = "correct-horse-battery"
USER = "joe@interop.test"

LISTEN = [
    ("smtp", "starttls"),
    ("submission", "starttls"),
    ("submission", "implicit"),
    ("pop3", "starttls"),
    ("pop3", "implicit"),
    ("imap", "starttls"),
    ("imap", "implicit"),
]
CONFIG = f"""
hostname = "localhost"
state_dir = "state"
[[domain]]
name = "interop.test"
{listening(LISTEN)}
[tls]
certificate = "{{certificate}}"
private_key = "{{key}}"
[auth]
scram = ["sha-256"]
scram_iterations = 4096
"""


class Interop:
    """The node, its certificate, and a way to run programs."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate, key = make_certificate(folder, "localhost", "127.0.0.1")
        self.node = NodeProcess(folder / "node", CONFIG.format(certificate=self.certificate, key=key))

    def port(self, service: str, tls: str) -> int:
        return self.node.listener(service, tls)[1]

    def run(self, *command: object, stdin: bytes = b"") -> bytes:
        """Run a program to its end; gives what it printed, and fails with it unless the program succeeds."""
        return self.fail(0, *command, stdin=stdin)

    def fail(self, status: int, *command: object, stdin: bytes = b"") -> bytes:
        """As `run`, for a program that has to end with this status."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [str(part) for part in command],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            env=os.environ | {"HOME": str(home)},
            cwd=home,
        )
        assert done.returncode == status, f"{command} gave {done.returncode}:\n{done.stdout.decode(errors='replace')}"
        return done.stdout

    def secret_file(self, name: str, text: str):
        """A configuration file that only its owner may read."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path


@pytest.fixture(scope="session")
def interop(tmp_path_factory):
    interop = Interop(tmp_path_factory.mktemp("interop"))
    interop.node.add_user(USER, PASSWORD)
    interop.node.start()
    try:
        yield interop
    finally:
        interop.node.stop()
