"""Two nodes on one PostgreSQL database: what is done at one is seen at the other, and nothing is done by both."""

from __future__ import annotations

import poplib
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import imapclient
import pytest
from imapclient.exceptions import LoginError

from ..postgres.cluster import Cluster
from ..postgres.databases import Databases
from .on_postgres import ANN, DOMAIN, PASSWORD, SharingNode, message, submit_all
from .processes import eventually
from .sink import Sink

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

NUMBERS = count(1)
FAR = "far@elsewhere.test"
LEASE_SECONDS = 3


class Nodes:
    """A and B."""

    def __init__(self, folder, dsn, smarthost_port=9):
        self.a = SharingNode(folder, "a", dsn, smarthost_port, LEASE_SECONDS)
        self.b = SharingNode(folder, "b", dsn, smarthost_port, LEASE_SECONDS)

    def start(self):
        self.a.start()
        self.a.add_user(ANN, PASSWORD)
        self.b.start()

    def stop(self):
        self.a.stop()
        self.b.stop()


@pytest.fixture(scope="module")
def databases():
    """Of a server that syncs what it commits, as one in use does."""
    with Cluster(durable=True) as cluster:
        yield Databases(cluster)


@pytest.fixture(scope="module")
def nodes(databases, tmp_path_factory):
    nodes = Nodes(tmp_path_factory.mktemp("two"), databases.new().dsn)
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.stop()


@pytest.fixture
def user(nodes):
    """A user of the test's own, made at A."""
    name = f"user{next(NUMBERS)}@{DOMAIN}"
    nodes.a.add_user(name, PASSWORD)
    return name


def heard(session: imapclient.IMAPClient, wanted: bytes, seconds: float = 10.0) -> list:
    """What an idling session is told, up to the first response that has the word `wanted` in it."""
    responses: list = []
    until = time.monotonic() + seconds
    while not any(wanted in response for response in responses):
        assert time.monotonic() < until, f"no {wanted!r} in {responses}"
        responses += session.idle_check(timeout=0.5)
    return responses


@pytest.mark.alone
def test_a_message_delivered_at_one_node_reaches_a_session_idling_at_the_other(nodes, user):
    times = []
    with nodes.b.imap(user) as idling, nodes.a.submission() as submission:
        idling.select_folder("INBOX")
        idling.idle()
        for number in range(60):
            submission.mail(ANN)
            submission.rcpt(user)
            began = time.monotonic()
            assert submission.data(message(f"m{number}"))[0] == 250
            assert (number + 1, b"EXISTS") in heard(idling, b"EXISTS")
            times.append((time.monotonic() - began) * 1000)
        idling.idle_done()
    times.sort()
    print(f"from DATA to EXISTS: median {statistics.median(times):.1f} ms, worst {times[-1]:.1f} ms of {len(times)}")
    assert statistics.median(times) < 100


def test_flags_set_at_one_node_show_at_the_other(nodes, user):
    with nodes.a.imap(user) as a, nodes.b.imap(user) as b:
        a.append("INBOX", message("flagged"))
        a.select_folder("INBOX")
        b.select_folder("INBOX")
        b.idle()
        a.add_flags([1], [rb"\Flagged", b"$Junk"])
        number, _, items = next(response for response in heard(b, b"FETCH") if b"FETCH" in response)
        assert (number, set(items[items.index(b"FLAGS") + 1])) == (1, {rb"\Flagged", b"$Junk"})
        b.idle_done()
        # And back, by NOOP.
        b.remove_flags([1], [rb"\Flagged"])
        eventually(lambda: any(b"$Junk" in part[-1][-1] for part in a.noop()[1]))
        # \Recent is the first session's alone (RFC 3501 §2.3.2), on whichever node.
        assert (a.get_flags([1]), b.get_flags([1])) == ({1: (rb"\Recent", b"$Junk")}, {1: (b"$Junk",)})


def test_messages_that_come_and_go_at_one_node_come_and_go_at_the_other(nodes, user):
    with nodes.a.imap(user) as a, nodes.b.imap(user) as b:
        a.select_folder("INBOX")
        b.select_folder("INBOX")
        b.idle()
        for number in (1, 2, 3):
            a.append("INBOX", message(f"m{number}"))
            heard(b, b"EXISTS")
        a.delete_messages([2])
        a.expunge()
        assert (2, b"EXPUNGE") in heard(b, b"EXPUNGE")
        b.idle_done()
        assert b.search() == [1, 3]
        # B's own view goes on: what it adds next is seen at A.
        b.append("INBOX", message("m4"))
        eventually(lambda: a.noop() and a.search() == [1, 3, 4])


def test_a_mailbox_made_at_one_node_is_there_at_the_other(nodes, user):
    with nodes.a.imap(user) as a, nodes.b.imap(user) as b:
        a.create_folder("Work")
        b.append("Work", message("kept"))
        assert a.folder_status("Work", ["MESSAGES"]) == {b"MESSAGES": 1}
        b.rename_folder("Work", "Play")
        assert "Play" in [name for _, _, name in a.list_folders()]
        assert not a.folder_exists("Work")


def test_uids_given_by_both_nodes_at_once_are_given_once(nodes, user):
    def append(node):
        with node.imap(user) as session:
            return [
                int(re.search(rb"APPENDUID \d+ (\d+)", session.append("INBOX", message(f"{node.name}-{number}")))[1])
                for number in range(50)
            ]

    with ThreadPoolExecutor(2) as pool:
        given = [uid for uids in pool.map(append, (nodes.a, nodes.b)) for uid in uids]
    assert sorted(given) == list(range(1, 101))
    with nodes.a.imap(user) as session:
        session.select_folder("INBOX")
        assert session.search() == sorted(given)


def test_a_maildrop_that_is_read_at_one_node_is_locked_at_the_other(nodes, user):
    reading = nodes.a.pop3(user)
    # RFC 2449 §8.1.1
    with pytest.raises(poplib.error_proto, match=r"-ERR \[IN-USE\]"):
        nodes.b.pop3(user)
    reading.quit()
    nodes.b.pop3(user).quit()


def test_users_made_changed_and_removed_at_one_node_are_so_at_the_other(nodes, user):
    def enters(password: str) -> bool:
        try:
            nodes.b.imap(user, password).logout()
        except LoginError:
            return False
        return True

    assert enters(PASSWORD)
    # Known again without hashing now; the other node's change must end that.
    nodes.a.run("user", "passwd", user, "--password-stdin", stdin="another one\n")
    began = time.monotonic()
    eventually(lambda: not enters(PASSWORD))
    print(f"the old password was refused {(time.monotonic() - began) * 1000:.0f} ms after the change")
    assert enters("another one")
    nodes.a.run("user", "remove", "--yes", user)
    eventually(lambda: not enters("another one"))


@pytest.fixture
def sending(databases, tmp_path):
    """Nodes whose mail for elsewhere goes to a sink, which is not open yet."""
    with Sink() as sink:
        nodes = Nodes(tmp_path, databases.new().dsn, sink.port)
        try:
            nodes.start()
            yield nodes, sink
        finally:
            nodes.stop()


def tokens(node: SharingNode, number: int) -> list[str]:
    return [f"{node.name}-{index}" for index in range(number)]


def is_queue_empty(node: SharingNode) -> bool:
    return node.json("queue", "list") == []


def test_both_queues_send_five_thousand_messages_and_none_twice(sending):
    nodes, sink = sending
    sink.opened.set()
    began = time.monotonic()
    for node in (nodes.a, nodes.b):
        submit_all(node, tokens(node, 2500), FAR)
    sink.wait_for(5000, 120)
    eventually(lambda: is_queue_empty(nodes.a), 30)
    print(f"5000 submitted and sent in {time.monotonic() - began:.1f} s: {sink.by_node()}")
    assert sink.twice() == {}
    assert set(sink.by_node()) == {nodes.a.name, nodes.b.name}


def test_a_node_that_is_killed_while_it_sends_is_relieved_by_the_other(sending):
    nodes, sink = sending
    for node in (nodes.a, nodes.b):
        submit_all(node, tokens(node, 2500), FAR)
    assert not sink.taken
    sink.opened.set()
    sink.wait_for(1000, 60)
    nodes.a.kill()
    killed = time.monotonic()
    sink.wait_for(5000, 180)
    eventually(lambda: is_queue_empty(nodes.b), 30)
    twice = sink.twice()
    print(
        f"all 5000 were there {time.monotonic() - killed:.1f} s after the kill: {sink.by_node()}, "
        f"{len(twice)} of them twice"
    )
    if twice:
        unrecorded = killed - min(takings[0].at for takings in twice.values())
        print(f"the first of those had been given {unrecorded * 1000:.0f} ms before the kill")
    assert set(sink.taken) == {*tokens(nodes.a, 2500), *tokens(nodes.b, 2500)}
    # Twice came only what the dead node had given away and not recorded yet.
    for takings in twice.values():
        assert [taken.node for taken in takings] == [nodes.a.name, nodes.b.name]
        assert killed - 1 < takings[0].at < killed + 0.1
