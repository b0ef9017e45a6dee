"""Runs in a fork: puts it where a shell would have started it, and runs the command. `forked` says which and how."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

_READ, _APPEND = os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _use(streams):
    """Open these files as standard input, output and error."""
    for number, (path, flags) in enumerate(zip(streams, (_READ, _APPEND, _APPEND), strict=True)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    # multiprocessing has closed the object that stood for it.
    sys.stdin = os.fdopen(0)


def _run(command):
    sys.argv = command
    if Path(command[0]).name == "twistd":
        from twisted.scripts.twistd import run
    else:
        from twisted_mail_node.cli import main as run
    run()


def _start(command, folder, environment, open_files, streams):
    assert "twisted.internet.reactor" not in sys.modules, "two processes would have one reactor"
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    resource.setrlimit(resource.RLIMIT_NOFILE, open_files)
    _use(streams)
    _run(command)


if __name__ == "__main__":
    _start(**globals()["asked"])
