"""`mailnode backup` and `verify` on a store in use: by its node, over the control socket."""

from __future__ import annotations

import json

import pytest
import pytest_twisted
from click.testing import CliRunner
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.cli import main
from twisted_mail_node.node.control.operations import Refusal
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.node import RunningNode
from twisted_mail_node.testing.samples import body, message, place, transaction

ALICE = "alice@example.test"


@pytest_twisted.async_yield_fixture
async def node(tmp_path):
    running = await RunningNode.start(reactor, tmp_path, {"store": {"kind": "sqlite"}})
    await running.add_user(ALICE)
    yield running
    await running.stop()


@pytest.fixture
def mailnode(tmp_path):
    """Runs `mailnode` in a thread; gives its exit status and what it says, errors too."""

    def run(*arguments):
        done = CliRunner().invoke(main, ("--state-dir", str(tmp_path / "state"), *arguments), catch_exceptions=False)
        return done.exit_code, done.output

    return lambda *arguments: deferToThread(run, *arguments)


async def deliver(node, count):
    for number in range(count):
        content = message(f"Message {number} " + "m" * 5_000)
        await node.node.storage.store.deliver(transaction(place(ALICE), bodies=(body(content),)))


@pytest_twisted.ensureDeferred
async def test_a_running_nodes_store_is_backed_up_and_the_copy_has_its_mail(node, mailnode, tmp_path):
    await deliver(node, 20)
    status, said = await mailnode("backup", str(tmp_path / "copy.sqlite"), "--json")
    assert status == 0, said
    assert json.loads(said)["octets"] == (tmp_path / "copy.sqlite").stat().st_size
    copy = SQLiteStore(tmp_path / "copy.sqlite", reactor=reactor)
    await copy.start()
    inbox = await (await copy.account(ALICE)).mailbox("INBOX")
    assert len(await inbox.uids()) == 20
    await copy.stop()


@pytest_twisted.ensureDeferred
async def test_where_it_cannot_be_written_the_node_says_so_and_goes_on(node, mailnode, tmp_path):
    status, said = await mailnode("backup", str(tmp_path / "nowhere" / "copy.sqlite"))
    assert status == 1
    assert "cannot write" in said
    status, said = await mailnode("backup", str(tmp_path / "copy.sqlite"))
    assert status == 0, said


@pytest_twisted.ensureDeferred
async def test_a_store_in_use_is_verified_and_neither_restored_nor_upgraded(node, mailnode, tmp_path):
    await deliver(node, 3)
    assert (await mailnode("verify"))[1].endswith("all is well\n")
    assert (await mailnode("backup", str(tmp_path / "copy.sqlite")))[0] == 0
    for command in (
        ("restore", str(tmp_path / "copy.sqlite"), "--replace"),
        ("upgrade",),
        ("verify", "--repair"),
    ):
        status, said = await mailnode(*command)
        assert status == 1
        assert "a node runs on" in said
    status, said = await mailnode("upgrade", "--dry-run")
    assert status == 0
    assert "nothing to do" in said


@pytest_twisted.ensureDeferred
async def test_one_backup_at_a_time_and_none_before_the_first(node, tmp_path):
    operations = node.node.operations
    with pytest.raises(Refusal, match="no backup was made"):
        await operations.perform("backup.show", {})
    with pytest.raises(Refusal, match="no whole path"):
        await operations.perform("backup.begin", {"target": "copy.sqlite"})
    await operations.perform("backup.begin", {"target": str(tmp_path / "copy.sqlite")})
    with pytest.raises(Refusal, match="is being made"):
        await operations.perform("backup.begin", {"target": str(tmp_path / "other.sqlite")})
    state = await operations.perform("backup.end", {})
    assert (state["state"], state["reason"]) == ("failed", "it was given up")
    assert not (tmp_path / "copy.sqlite").exists()


@pytest_twisted.ensureDeferred
async def test_a_store_in_memory_has_nothing_to_keep(tmp_path):
    running = await RunningNode.start(reactor, tmp_path)
    with pytest.raises(Refusal, match="gone with its node"):
        await running.node.operations.perform("backup.begin", {"target": str(tmp_path / "copy.sqlite")})
    await running.stop()
