"""
A node as a process of its own, under twistd, for tests that kill it or speak to it with blocking clients.

    with NodeProcess(folder) as node:
        node.wait_until_listening()
        smtplib.SMTP("127.0.0.1", node.port("smtp"))
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

_TWISTD = "from twisted.scripts.twistd import run; run()"
_MAILNODE = "from twisted_mail_node.cli import main; main()"


def process_environment() -> dict[str, str]:
    """The environment in which a process finds this package and its plugin, installed or not."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


class DidNotListen(Exception):
    """The node ended, or took too long; the text is what it said."""


class NodeProcess:
    """
    `twistd --nodaemon mailnode` in `folder`, which is its working directory.

    `options` stand behind `mailnode`, `twistd_options` before it. What it says is kept in `folder`'s `output.txt`.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        state_dir: Path | None = None,
        twistd_options: Sequence[str] = ("--nodaemon", "--pidfile="),
    ) -> None:
        self.folder = folder
        self.state_dir = state_dir or folder / "mailnode-state"
        self._command = [sys.executable, "-c", _TWISTD, *twistd_options, "mailnode", *options]
        self._environment = process_environment()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it listens some time later."""
        with open(self.folder / "output.txt", "ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, env=self._environment
            )

    def run(self, timeout_seconds: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run it to its end, for a start that has to fail: exit status and what it says."""
        return subprocess.run(
            self._command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )

    def wait_until_listening(self, timeout_seconds: float = 30.0) -> None:
        """Wait until all services take clients. Raises: DidNotListen."""
        until = time.monotonic() + timeout_seconds
        while not self._is_listening():
            if self._process is None or self._process.poll() is not None or time.monotonic() > until:
                raise DidNotListen(self.output())
            select.select([], [], [], 0.01)

    def _is_listening(self) -> bool:
        try:
            return bool(self.listening()["pid"] == (self._process.pid if self._process else 0))
        except FileNotFoundError:
            return False

    # Any: what JSON has.
    def listening(self) -> dict[str, Any]:
        """What listening.json says. Raises FileNotFoundError while there is none."""
        content: dict[str, Any] = json.loads((self.state_dir / "listening.json").read_text())
        return content

    def port(self, service: str, tls: str | None = None) -> int:
        """The TCP port of a service, the first one that fits."""
        for listener in self.listening()["listeners"]:
            if listener["service"] == service and tls in (None, listener["tls"]) and "port" in listener:
                return int(listener["port"])
        raise LookupError(f"the node does not offer {service}")

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `mailnode` with these arguments in the node's folder."""
        command = [sys.executable, "-c", _MAILNODE, *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def output(self) -> str:
        """All that the node said."""
        return (self.folder / "output.txt").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None, "not started"
        return self._process.pid

    def stop(self, timeout_seconds: float = 15.0) -> int:
        """Ask the node to stop, as init does, and wait. Gives the exit status: minus the signal's number."""
        return self._end(signal.SIGTERM, timeout_seconds)

    def kill(self) -> int:
        """Kill it without a warning."""
        return self._end(signal.SIGKILL, 15.0)

    def _end(self, with_signal: signal.Signals, timeout_seconds: float) -> int:
        assert self._process is not None, "not started"
        if self._process.poll() is None:
            os.kill(self._process.pid, with_signal)
        return self._process.wait(timeout_seconds)

    def __enter__(self) -> NodeProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.kill()
