"""`mailnode certificate`: what is shown to clients, and renewed files read by the running node."""

import json

import pytest_twisted
from click.testing import CliRunner
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.cli import main
from twisted_mail_node.testing.certificates import issue
from twisted_mail_node.testing.node import RunningNode

SETTINGS = """
state_dir = "state"
[tls]
certificate = "cert.pem"
private_key = "key.pem"
"""


def written(folder, issued):
    (folder / "cert.pem").write_bytes(issued.pem)
    (folder / "key.pem").write_bytes(issued.key_pem)


def run(folder, *arguments):
    (folder / "node.toml").write_text(SETTINGS)
    command = ["--config", str(folder / "node.toml"), "certificate", *arguments]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def row(folder, issued, names):
    expires = issued.certificate.not_valid_after_utc.isoformat(timespec="seconds")
    return {"file": str(folder / "cert.pem"), "kind": "ECDSA", "names": names, "expires": expires}


def test_while_no_node_runs_the_files_are_listed(tmp_path):
    issued = issue("mx.a.test", "imap.a.test")
    written(tmp_path, issued)
    listed = run(tmp_path, "list", "--json")
    assert json.loads(listed.stdout) == [row(tmp_path, issued, ["mx.a.test", "imap.a.test"])]
    assert "mx.a.test, imap.a.test" in run(tmp_path, "list").stdout


def test_files_that_cannot_be_used_are_told(tmp_path):
    written(tmp_path, issue("mx.a.test"))
    (tmp_path / "key.pem").unlink()
    told = run(tmp_path, "list")
    assert (told.exit_code, told.stderr) == (
        1, f"Error: the private key {tmp_path}/key.pem can't be read: no such file or directory\n",
    )  # fmt: skip


def test_while_no_node_runs_there_is_nobody_to_reload(tmp_path):
    written(tmp_path, issue("mx.a.test"))
    told = run(tmp_path, "reload")
    assert (told.exit_code, told.stderr) == (1, "Error: no node runs; its next start reads the certificates\n")


@pytest_twisted.ensureDeferred
async def test_the_running_node_lists_what_is_in_use_and_reads_what_is_new(tmp_path):
    running = await RunningNode.start(reactor, tmp_path)
    first = json.loads((await deferToThread(run, tmp_path, "list", "--json")).stdout)
    assert [entry["names"] for entry in first] == [["localhost", "example.test"]]
    renewed = issue("mx.a.test")
    (tmp_path / "cert.pem").write_bytes(renewed.pem)
    refused = await deferToThread(run, tmp_path, "reload")
    assert refused.exit_code == 1
    assert refused.stderr.endswith("; the certificates read before stay in use\n")
    assert json.loads((await deferToThread(run, tmp_path, "list", "--json")).stdout) == first
    (tmp_path / "key.pem").write_bytes(renewed.key_pem)
    reloaded = await deferToThread(run, tmp_path, "reload", "--json")
    assert json.loads(reloaded.stdout) == [row(tmp_path, renewed, ["mx.a.test"])]
    await running.stop()
