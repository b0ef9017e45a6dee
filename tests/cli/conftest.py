"""The command line in process: on the store itself, in a folder of the test's own."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from twisted_mail_node.cli import main


class CommandLine:
    """Runs `mailnode`."""

    def __call__(self, *arguments, stdin="", status=0):
        """Give what it says; standard error where it has to fail."""
        done = CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.stdout if status == 0 else done.stderr

    def json(self, *arguments, stdin="", status=0):
        """Give what it says with --json, decoded, whatever the exit status has to be."""
        done = CliRunner().invoke(main, [*arguments, "--json"], input=stdin, catch_exceptions=False)
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)


@pytest.fixture
def mailnode(tmp_path, monkeypatch):
    """`mailnode` with a cheap hash, two domains, and its working directory in tmp_path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mailnode.toml").write_text(
        'state_dir = "state"\ndomain = [{ name = "a.test" }, { name = "b.test" }]\n'
        'auth = { hash_memory = "8 KiB", hash_passes = 1 }\n'
    )
    return CommandLine()
