"""
Load on a node that is killed again and again, and what must be true of it afterwards.

How often is set by MAILNODE_CRASHES (default 60): so often with the default store, an eighth as often with any other.
"""

from __future__ import annotations

import imaplib
import os
import random
import re
import smtplib
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from ..integration.processes import NodeProcess, eventually
from ..postgres.cluster import Cluster

CRASHES = int(os.environ.get("MAILNODE_CRASHES", "60"))
FEWER_CRASHES = (CRASHES + 7) // 8
PASSWORD = "correct horse battery"
USERS = ["u1@crash.test", "u2@crash.test", "u3@crash.test"]
SENDER = "sender@crash.test"
"""Submits everything, and gets the reports."""
REMOTE = ["r1@far.test", "r2@far.test", "r3@further.test"]
SENDERS = 4
WANT_REPORT = 0.2
"""How many of the local recipients success is to be reported of."""
SERVER_CRASHES = 0.3
"""How often a server is killed with the node."""

CONFIG = """
hostname = "mx.crash.test"
state_dir = "state"
[[domain]]
name = "crash.test"
[[listen]]
service = "submission"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[submission]
messages_per_account = 0
recipients_per_account = 0
[relay]
smarthost = "127.0.0.1:{dead_port}"
smarthost_tls = "none"
"""


@dataclass
class Sent:
    """
    What the senders know: every token's recipients, those of them whose success is to be reported, and the queue id of
    those that were answered with 250.
    """

    recipients: dict[str, list[str]] = field(default_factory=dict)
    reported: dict[str, set[str]] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def any_chance() -> random.Random:
    """What decides in a run, which tells the seed with which it comes the same again."""
    seed = int(os.environ.get("MAILNODE_CRASH_SEED", random.randrange(10**6)))
    print(f"MAILNODE_CRASH_SEED={seed}")
    return random.Random(seed)


def choose(chance: random.Random) -> list[str]:
    """Recipients: one local, one remote, several of each, in turn by chance."""
    local = chance.sample(USERS, chance.randint(0, 3))
    remote = chance.sample(REMOTE, chance.randint(0, 3))
    return local + remote or [chance.choice(USERS)]


def send_until_it_dies(
    address: tuple[str, int], sent: Sent, name: str, chance: random.Random, *, may_defer: bool = False
) -> None:
    """Submit message after message over one connection until the node is gone, or defers where it may."""
    try:
        with smtplib.SMTP(*address, timeout=20) as session:
            session.login(SENDER, PASSWORD)
            number = 0
            while True:
                number += 1
                token = f"{name}-{number}"
                recipients = choose(chance)
                # Now and then a body so large that it is staged in pieces before its commit.
                size = 600_000 if chance.random() < 0.05 else chance.randint(10, 5000)
                text = ("x" * 70 + "\r\n") * (size // 72) + "END\r\n"
                content = f"Message-ID: <{token}@crash.test>\r\nSubject: {token}\r\n\r\n{text}"
                with sent.lock:
                    sent.recipients[token] = recipients
                    reported = sent.reported[token] = {
                        recipient for recipient in recipients if recipient in USERS and chance.random() < WANT_REPORT
                    }
                code, _ = session.mail(SENDER)
                if may_defer and code == 451:
                    return
                assert code == 250
                codes = {
                    session.rcpt(recipient, ["NOTIFY=SUCCESS"] if recipient in reported else [])[0]
                    for recipient in recipients
                }
                if may_defer and 451 in codes:
                    return
                assert codes == {250}
                code, text = session.data(content)
                if may_defer and code == 451:
                    return
                assert code == 250
                with sent.lock:
                    sent.acknowledged[token] = re.search(rb"queued as (\S+)", text)[1].decode()
    except (OSError, smtplib.SMTPException):
        return


def mailbox_of(node: NodeProcess, user: str) -> tuple[Counter[str], dict[str, str]]:
    """How often each token is in the user's INBOX, every body complete; and the queue id of each."""
    session = imaplib.IMAP4(*node.listener("imap", "none"))
    session.login(user, PASSWORD)
    count = int(session.select("INBOX")[1][0])
    tokens: Counter[str] = Counter()
    ids = {}
    for first in range(1, count + 1, 200):
        last = min(first + 199, count)
        for part in session.fetch(f"{first}:{last}", "(RFC822.SIZE BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                size = int(re.search(rb"RFC822\.SIZE (\d+)", part[0])[1])
                assert size == len(part[1]), part[0]
                token = re.search(rb"\r\nSubject: (\S+)", part[1])[1].decode()
                assert part[1].endswith(b"END\r\n"), f"{token} was cut"
                tokens[token] += 1
                ids[token] = re.search(rb"\sid (\w+)", part[1])[1].decode()
    session.logout()
    return tokens, ids


def reports_of(node: NodeProcess) -> Counter[tuple[str, str]]:
    """How often the sender was told of success: by token and recipient."""
    session = imaplib.IMAP4(*node.listener("imap", "none"))
    session.login(SENDER, PASSWORD)
    told: Counter[tuple[str, str]] = Counter()
    if int(session.select("INBOX")[1][0]):
        for part in session.fetch("1:*", "(BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                token = re.findall(rb"\r\nSubject: (\S+)", part[1])[-1].decode()
                assert b"\r\nAction: delivered\r\n" in part[1]
                told.update(
                    (token, name.decode()) for name in re.findall(rb"\r\nFinal-Recipient: rfc822; (\S+)", part[1])
                )
    session.logout()
    return told


def queued(node: NodeProcess) -> dict[str, Counter[str]]:
    """How often each recipient is in the queue, by transaction id."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for item in node.json("queue", "list"):
        found[item["message"]][item["recipient"]] += 1
    return found


def kill(node: NodeProcess, server: Cluster | None, chance: random.Random) -> None:
    """Kill the node, and perhaps its server just before or just after; that is there again then."""
    if server is None or chance.random() > SERVER_CRASHES:
        node.kill()
        return
    both = [node.kill, server.kill]
    chance.shuffle(both)
    for end in both:
        end()
    server.start()


def killed_under_load(node: NodeProcess, chance: random.Random, crashes: int, server: Cluster | None = None) -> Sent:
    """
    Start the node, load it and kill it, over and over.

    Args:
        crashes: how often.
        server: where the node keeps its mail, if that is a server: killed with it now and then.

    Returns: what the senders know.
    """
    sent = Sent()
    # A node whose server has gone just before it says so.
    send = partial(send_until_it_dies, may_defer=server is not None)
    for crash in range(crashes):
        node.start()
        address = node.listener("submission", "none")
        before = len(sent.recipients)
        with ThreadPoolExecutor(SENDERS) as pool:
            senders = [
                pool.submit(send, address, sent, f"c{crash}s{number}", random.Random(chance.random()))
                for number in range(SENDERS)
            ]
            # The kill comes at a random moment after the first message of this round was begun.
            eventually(lambda before=before: len(sent.recipients) > before)
            threading.Event().wait(chance.uniform(0.0, 0.25))
            kill(node, server, chance)
            for sender in senders:
                sender.result(30)
    print(f"{len(sent.recipients)} begun, {len(sent.acknowledged)} acknowledged, {crashes} crashes")
    assert len(sent.acknowledged) > crashes, "too little came through to prove anything"
    return sent


def check_exactly_once(sent: Sent, node: NodeProcess) -> None:
    """
    What was acknowledged is in every place once; what is there at all, is there as a whole. Of what is in a mailbox the
    sender is told once, where that was wanted. Stops the node, which has to be there again.
    """
    queue = queued(node)
    mailboxes: dict[str, Counter[str]] = {}
    ids: dict[str, str] = {}
    for user in USERS:
        mailboxes[user], known = mailbox_of(node, user)
        ids.update(known)
    told = reports_of(node)
    node.stop()

    by_id = {queue_id: token for token, queue_id in [*ids.items(), *sent.acknowledged.items()]}
    for token, recipients in sent.recipients.items():
        queue_id = sent.acknowledged.get(token) or ids.get(token)
        places = [mailboxes[user][token] for user in recipients if user in USERS]
        places += [queue.get(queue_id, Counter())[remote] for remote in recipients if remote in REMOTE]
        if token in sent.acknowledged:
            assert places == [1] * len(recipients), f"{token} was acknowledged: {recipients} {places}"
        elif queue_id is not None:
            assert places == [1] * len(recipients), f"{token} is there in part: {recipients} {places}"
    wanted = {(token, user) for token, users in sent.reported.items() for user in users if mailboxes[user][token]}
    print(f"{len(told)} reports of success")
    assert told == Counter(wanted)
    for user in USERS:
        assert all(user in sent.recipients[token] for token in mailboxes[user]), "a message went astray"
    # Messages for elsewhere alone that were committed but not acknowledged any more: whole, and once.
    unanswered = {frozenset(sent.recipients[token]) for token in sent.recipients.keys() - sent.acknowledged.keys()}
    for queue_id, recipients in queue.items():
        assert set(recipients.values()) == {1}, f"{queue_id} is queued more than once: {recipients}"
        if queue_id not in by_id:
            assert frozenset(recipients) in unanswered, f"{queue_id} is queued in part: {recipients}"
