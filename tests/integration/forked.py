"""
The package's commands as processes of their own, forked off one that has imported what they need.

A command spends some 0.6 s of its start on imports, a fork some milliseconds, and tests start hundreds. What is the
command's own is as it is from a shell: a process that can be killed, its folder, environment, limits and streams.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import subprocess
from collections.abc import Sequence
from pathlib import Path

# What runs in the fork. No module of the tests can be imported there by its name.
_CHILD = Path(__file__).with_name("forked_command.py")
_FORKS = multiprocessing.get_context("forkserver")
# None of these makes a reactor, opens a file that stays open or starts a thread.
_FORKS.set_forkserver_preload(
    [
        "__main__",
        "pytest",
        "psycopg",
        "twisted.scripts.twistd",
        "twisted_mail_node.tap",
        "twisted_mail_node.cli",
        "twisted_mail_node.node.control.direct",
    ]
)


class Forked:
    """One process, with what tests use of `subprocess.Popen`."""

    def __init__(self, command: Sequence[str | Path], folder: Path, stdin: Path, stdout: Path, stderr: Path) -> None:
        asked = {
            "command": [str(part) for part in command],
            "folder": str(folder),
            "environment": dict(os.environ),
            "open_files": resource.getrlimit(resource.RLIMIT_NOFILE),
            "streams": [str(stdin), str(stdout), str(stderr)],
        }
        self._process = _FORKS.Process(target=runpy.run_path, args=(str(_CHILD), {"asked": asked}, "__main__"))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, or the negative number of the signal that ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        self._process.join(seconds)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self._process.name, seconds)
        return status

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
