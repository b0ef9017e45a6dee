from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import apsw
import pytest

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.store.maildir.tree import Tree

CRASHES = int(os.environ.get("MAILNODE_CRASHES", "6"))
ANN, BOB = "ann@example.test", "bob@example.test"
SUBJECT = re.compile(rb"^Subject: (\S+)\r\n", re.M)


def run_and_kill(path, generation, environment, *more):
    """Let a process work on the store for a moment and kill it. Returns the ids that it acknowledged."""
    program = Path(__file__).with_name("delivering.py")
    with subprocess.Popen(
        [sys.executable, str(program), str(path), str(generation), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as child:
        lines = [child.stdout.readline() for _ in range(random.randint(1, 300))]
        child.kill()
        rest, complaint = child.communicate()
    assert not complaint, complaint.decode()
    # A line cut off by the end is no promise.
    return re.findall(r"(\S+)\n", (b"".join(lines) + rest).decode())


def places(store, wait):
    """How often each id is in each place."""
    found = {}
    for name, mailboxes in ((ANN, ("INBOX", "Archive")), (BOB, ("INBOX",))):
        account = wait(store.account(name))
        found[name] = Counter()
        for mailbox_name in mailboxes:
            mailbox = wait(account.mailbox(mailbox_name))
            uids, status = wait(mailbox.uids()), wait(mailbox.status())
            columns = wait(mailbox.fetch(uids, FetchItem.HEADER | FetchItem.SIZE))
            assert len(columns) == status.messages
            assert sum(columns.sizes) == status.size
            found[name].update(SUBJECT.search(header)[1].decode() for header in columns.headers)
    items = wait(store.items(1_000_000))
    found["queue"] = Counter(item.transaction_id for item in items)
    return found


@pytest.mark.crash
@pytest.mark.timeout(60 + 10 * CRASHES)
def test_what_was_acknowledged_is_everywhere_exactly_once_though_the_process_be_killed(
    path, open_store, wait, package_environment
):
    store = open_store()
    wait(store.create_account(ANN, [("Archive", None)]))
    wait(store.create_account(BOB))
    wait(store.stop())
    acknowledged = set()
    for generation in range(CRASHES):
        acknowledged.update(run_and_kill(path, generation, package_environment))
        store = open_store()
        found = places(store, wait)
        assert acknowledged <= set(found["queue"])
        assert found[ANN] == found[BOB] == found["queue"]
        assert set(found["queue"].values()) == {1}
        wait(store.stop())
        connection = apsw.Connection(str(path))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


@pytest.mark.crash
@pytest.mark.timeout(60 + 10 * CRASHES)
def test_the_same_with_files_of_which_none_is_missing_or_left_over(
    path, tmp_path, open_store, wait, package_environment
):
    root = tmp_path / "maildir"
    store = open_store(tree=Tree(root))
    wait(store.create_account(ANN, [("Archive", None)]))
    wait(store.create_account(BOB))
    wait(store.stop())
    acknowledged = set()
    for generation in range(CRASHES):
        acknowledged.update(run_and_kill(path, generation, package_environment, str(root)))
        store = open_store(tree=Tree(root))
        found = places(store, wait)
        assert acknowledged <= set(found["queue"])
        assert found[ANN] == found[BOB] == found["queue"]
        assert set(found["queue"].values()) == {1}
        files = [path for path in root.glob("*/**/*") if path.parent.name in ("new", "cur") and path.is_file()]
        assert len(files) == found[ANN].total() + found[BOB].total()
        assert sorted(map(subject_of, files)) == sorted([*found[ANN].elements(), *found[BOB].elements()])
        wait(store.stop())
        assert list((root / ".mailnode" / "stage").iterdir()) == []


def subject_of(path):
    return SUBJECT.search(path.read_bytes())[1].decode()
