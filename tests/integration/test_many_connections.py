"""A thousand clients that send slowly: the others are served, the limits hold, the memory is small and comes back."""

from __future__ import annotations

import re
import resource
import statistics
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .crowd import Brisk, Dawdlers, ask, connected, run
from .processes import NodeProcess, eventually, listening

USER = "user@example.test"
STRANGER = "127.0.0.9"
PER_ADDRESS = 5
IDLE = 500
"""Connections of each service whose memory is measured."""
DAWDLERS = 1000
OTHERS = 100
CONNECTIONS = 2 * DAWDLERS + 2 * IDLE
GREETINGS = {"smtp": b"220 ", "submission": b"220 ", "pop3": b"+OK ", "imap": b"* OK "}
REFUSALS = {
    "smtp": b"421 4.7.0 too many connections",
    "submission": b"421 4.7.0 too many connections",
    "pop3": b"-ERR [SYS/TEMP] too many connections",
    "imap": b"* BYE [UNAVAILABLE] too many connections",
}


class Node:
    def __init__(self, folder: Path) -> None:
        self.process = NodeProcess(
            folder,
            f"""
hostname = "mx.example.test"
state_dir = "state"
[[domain]]
name = "example.test"
{listening((service, "none") for service in GREETINGS)}
[smtp]
greeting_delay = 0
[limits]
connections = {CONNECTIONS}
connections_per_address = {PER_ADDRESS}
trusted_networks = ["127.0.0.1"]
""",
        )
        self.process.add_user(USER, "correct horse battery")
        self.process.start()

    def connect(self, service: str, source: str = "127.0.0.1"):
        return connected(self.process.listener(service, "none"), GREETINGS[service], source)

    def memory_kib(self) -> int:
        """The proportional set size once it has stayed the same for a moment."""
        rollup = Path(f"/proc/{self.process.process.pid}/smaps_rollup")
        seen: list[int] = []

        def is_settled() -> bool:
            seen.append(int(re.search(r"^Pss:\s+(\d+) kB", rollup.read_text(), re.M)[1]))
            return len(seen) > 5 and len(set(seen[-5:])) == 1

        eventually(is_settled)
        return seen[-1]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    node = Node(tmp_path_factory.mktemp("many"))
    try:
        yield node
    finally:
        node.process.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def clients(node, service, number):
    with ExitStack() as stack:
        yield [stack.enter_context(node.connect(service)) for _ in range(number)]


@pytest.mark.alone
def test_an_idle_connection_costs_less_than_ten_kib(node):
    for service in GREETINGS:
        with clients(node, service, 20):
            pass
    costs = {}
    with ExitStack() as stack:
        for service in GREETINGS:
            before = node.memory_kib()
            stack.enter_context(clients(node, service, IDLE))
            costs[service] = (node.memory_kib() - before) / IDLE
    assert max(costs.values()) < 10, costs
    assert min(costs.values()) > 0.5, f"this measures something else: {costs}"


def dawdling(node):
    """A client in the middle of a message."""
    client = node.connect("smtp")
    ask(client, b"EHLO c.test\r\n")
    ask(client, b"MAIL FROM:<s@c.test>\r\n")
    ask(client, b"RCPT TO:<%b>\r\n" % USER.encode())
    assert ask(client, b"DATA\r\n").startswith(b"354")
    client.sendall(b"Subject: slow\r\n\r\n" + b"x" * 30_000 + b"\r\n")
    return client


def quick(node):
    """A client that delivers two messages without further ado."""
    message = [
        b"MAIL FROM:<s@c.test>\r\n",
        b"RCPT TO:<%b>\r\n" % USER.encode(),
        b"DATA\r\n",
        b"Subject: quick\r\n\r\ntext\r\n.\r\n",
    ]
    return Brisk(node.connect("smtp"), [b"HELO c.test\r\n", *message, *message, b"NOOP\r\n"], 0.03)


def p99_of_a_round(node, stack):
    others = [quick(node) for _ in range(OTHERS)]
    for other in others:
        stack.enter_context(other.socket)
    run(others)
    for other in others:
        assert [answer[:3] for answer in other.answers].count(b"250") == len(other.answers) - 2
        assert other.answers[4].startswith(b"250 2.0.0 queued as ")
    return statistics.quantiles([wait for other in others for wait in other.waited], n=100)[98]


@pytest.mark.alone
def test_others_are_served_while_a_thousand_send_slowly_and_then_the_memory_comes_back(node):
    before = node.memory_kib()
    with ExitStack() as stack:
        slow = [stack.enter_context(dawdling(node)) for _ in range(DAWDLERS)]
        held = node.memory_kib() - before
        assert held > DAWDLERS * 20
        with Dawdlers(slow, b"y" * 50 + b"\r\n", 1.0) as dawdlers:
            # A machine that has other things to do for a moment is no fault of the node's.
            rounds = []
            while len(rounds) < 3 and min(rounds, default=1.0) >= 0.2:
                rounds.append(p99_of_a_round(node, stack))
        assert min(rounds) < 0.2, rounds
        assert dawdlers.pieces > OTHERS
        for client in slow[:10]:
            assert ask(client, b".\r\n").startswith(b"250 2.0.0 queued as ")
    eventually(lambda: node.memory_kib() - before < held / 4)


def test_one_address_gets_so_many_connections_and_is_told_so_in_the_words_of_the_protocol(node):
    with ExitStack() as stack:
        for service in ("smtp", "submission", "pop3", "imap", "smtp"):
            stack.enter_context(node.connect(service, STRANGER))
        for service, refusal in REFUSALS.items():
            with connected(node.process.listener(service, "none"), refusal, STRANGER) as refused:
                assert refused.recv(100) == b""
        stack.enter_context(node.connect("smtp", "127.0.0.10"))
    eventually(lambda: is_greeted(node, STRANGER))


def test_all_together_get_so_many_connections_and_no_more(node):
    with ExitStack() as stack:
        for number in range(CONNECTIONS):
            stack.enter_context(node.connect(("smtp", "imap")[number % 2]))
        for service, refusal in REFUSALS.items():
            with connected(node.process.listener(service, "none"), refusal) as refused:
                assert refused.recv(100) == b""
    eventually(lambda: is_greeted(node, "127.0.0.1"))


def is_greeted(node, source):
    try:
        node.connect("smtp", source).close()
    except AssertionError:
        return False
    return True
