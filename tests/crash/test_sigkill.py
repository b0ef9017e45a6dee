"""
A node is killed by SIGKILL at random moments under load, over and over. What it acknowledged must be in every
place exactly once, and nothing may be there in part.

The way out leads to a port where nobody listens, so what is for elsewhere stays in the queue and can be counted.
"""

from __future__ import annotations

import os
import random

import pytest

from ..integration.processes import NodeProcess, free_port
from .load import CONFIG, CRASHES, PASSWORD, USERS, check_exactly_once, killed_under_load, mailbox_of, queued


@pytest.mark.crash
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bodies", ["database", "maildir"])
def test_what_was_acknowledged_is_everywhere_exactly_once(tmp_path, bodies):
    seed = int(os.environ.get("MAILNODE_CRASH_SEED", random.randrange(10**6)))
    print(f"MAILNODE_CRASH_SEED={seed}")
    chance = random.Random(seed)
    config = CONFIG.format(dead_port=free_port("127.0.0.1")) + f'[store]\nbodies = "{bodies}"\n'
    node = NodeProcess(tmp_path / "node", config)
    for user in USERS:
        node.add_user(user, PASSWORD)
    sent = killed_under_load(node, chance)

    queue = queued(node)
    node.start()
    mailboxes, ids = {}, {}
    for user in USERS:
        mailboxes[user], known = mailbox_of(node, user)
        ids.update(known)
    node.stop()

    check_exactly_once(sent, mailboxes, ids, queue)
    print(f"{len(sent.recipients)} begun, {len(sent.acknowledged)} acknowledged, {CRASHES} crashes")
