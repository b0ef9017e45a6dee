"""The PostgreSQL server goes away under load, comes back, or another takes its place: what was acknowledged stays."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import time
from collections import Counter
from contextlib import ExitStack

import pytest

from twisted_mail_node.store.sql import readers

from ..postgres.cluster import Cluster
from ..postgres.databases import Databases
from .cutting_proxy import Cut, CuttingProxy
from .load import Load
from .on_postgres import ANN, PASSWORD, SharingNode, message, tokens_in
from .processes import eventually
from .sink import Sink

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

ROUNDS = 5
FAILOVERS = 3
CONNECTIONS = 4
FAR = "far@elsewhere.test"


@pytest.fixture
def cluster():
    with Cluster(durable=True) as cluster:
        yield cluster


@pytest.fixture
def sink():
    with Sink() as sink:
        sink.opened.set()
        yield sink


@pytest.fixture
def start_node(tmp_path, sink):
    """Starts the node on a database; Ann is there."""
    started = []

    def start(dsn):
        node = SharingNode(tmp_path, "a", dsn, sink.port)
        started.append(node)
        node.start()
        node.add_user(ANN, PASSWORD)
        return node

    yield start
    for node in started:
        node.stop()


def exactly_once(load: Load, node: SharingNode, sink: Sink) -> None:
    """What was acknowledged is in the mailbox and at the sink, once; what was refused is in both or in neither."""
    told = load.told
    eventually(lambda: node.json("queue", "list") == [], 90)
    here = tokens_in(node)
    there = Counter({token: len(takings) for token, takings in sink.taken.items()})
    print(
        f"{len(told.begun)} begun, {len(told.acknowledged)} acknowledged, refused {dict(told.refused)} within "
        f"{max(told.waited, default=0.0):.2f} s; there without a 250: {len(here.keys() - told.acknowledged.keys())}"
    )
    assert here == there
    assert set(here.values()) == {1}
    assert told.acknowledged.keys() <= here.keys() <= told.begun


def is_sound(node: SharingNode) -> None:
    """The node has not said anything that only a mistake of ours makes it say."""
    assert "Traceback" not in node.log
    assert "Unhandled" not in node.log


@pytest.mark.parametrize("ending", [Cluster.stop, Cluster.kill])
def test_a_node_says_so_while_its_database_is_gone_and_goes_on_when_it_is_back(cluster, start_node, sink, ending):
    node = start_node(Databases(cluster).new().dsn)
    idle = imaplib.IMAP4(*node.listener("imap", "none"), timeout=20)
    idle.login(ANN, PASSWORD)
    idle.select("INBOX")
    sending = node.submission()
    with Load(node, [ANN, FAR], "l", CONNECTIONS) as load:
        for _ in range(ROUNDS):
            load.wait_for_more(100)
            ending(cluster)
            gone = time.monotonic()
            smtp_refuses(sending)
            imap_refuses(node, idle)
            pop3_refuses(node)
            print(f"refused in {time.monotonic() - gone:.2f} s by all")
            cluster.start()
            back = time.monotonic()
            load.wait_for_more(1)
            print(f"went on {time.monotonic() - back:.2f} s after the database was ready")
        every_reader_is_back(back)
    assert load.told.refused.keys() == {451}
    # Only who was in the midst of a commit when the server went waits until it is known what came of it.
    assert len([seconds for seconds in load.told.waited if seconds > 2]) <= ROUNDS * CONNECTIONS
    exactly_once(load, node, sink)
    is_sound(node)


def every_reader_is_back(since: float) -> None:
    """Let the load go on until no reader remembers that the server was gone, as each does for a second."""
    eventually(lambda: time.monotonic() > since + 2 * readers.AGAIN_SECONDS)


def smtp_refuses(session: smtplib.SMTP) -> None:
    began = time.monotonic()
    session.mail(ANN)
    if session.rcpt(ANN)[0] == 250:  # known to a connection that had not heard of the end yet
        assert session.data(message("refused"))[0] == 451
    else:
        session.rset()
    assert time.monotonic() - began < 2


def imap_refuses(node: SharingNode, session: imaplib.IMAP4) -> None:
    """RFC 5530 §3, for a session that was there before and for a new one."""
    began = time.monotonic()
    kind, (text,) = session.status("Drafts", "(UIDNEXT)")
    assert (kind, text[:13]) == ("NO", b"[UNAVAILABLE]")
    with imaplib.IMAP4(*node.listener("imap", "none"), timeout=20) as new, pytest.raises(imaplib.IMAP4.error) as told:
        new.login("nobody-known@shared.test", PASSWORD)
    assert "[UNAVAILABLE]" in str(told.value)
    assert time.monotonic() - began < 2


def pop3_refuses(node: SharingNode) -> None:
    began = time.monotonic()
    with pytest.raises(poplib.error_proto, match=r"-ERR \[SYS/TEMP\]"):  # RFC 3206 §3
        node.pop3()
    assert time.monotonic() - began < 2


def test_when_a_synchronous_standby_takes_the_primarys_place_nothing_acknowledged_is_lost(start_node, sink):
    with ExitStack() as ending:
        primary = ending.enter_context(Cluster(durable=True))
        standby = primary.standby(synchronous=True)
        ending.callback(standby.remove)
        database = Databases(primary).new().name
        # libpq's own form for several hosts; the one that takes writes is worked with.
        ports = f"{primary.port},{standby.port}"
        both = primary.dsn(database, host="127.0.0.1,127.0.0.1", port=ports, target_session_attrs="read-write")
        node = start_node(both)
        with Load(node, [ANN, FAR], "l", CONNECTIONS) as load:
            for _ in range(FAILOVERS):
                load.wait_for_more(200)
                with standby.deaf(then_cut=True):
                    # The primary has them, the standby will not; the node has not been told either.
                    eventually(primary.has_unanswered_commits)
                    primary.kill()
                killed = time.monotonic()
                standby.promote()
                promoted = time.monotonic()
                load.wait_for_more(1)
                print(f"promoted in {promoted - killed:.2f} s, went on {time.monotonic() - promoted:.2f} s later")
                primary, standby = standby, standby.standby(synchronous=True, port=primary.port)
                ending.callback(standby.remove)
            load.wait_for_more(200)
            every_reader_is_back(promoted)
        assert load.told.refused.keys() <= {451}
        exactly_once(load, node, sink)
        is_sound(node)


@pytest.mark.parametrize("where", Cut, ids=lambda cut: cut.name.lower())
def test_what_came_of_a_commit_that_was_not_answered_is_found_out_before_the_sender_is_told(
    cluster, start_node, sink, where
):
    with CuttingProxy(cluster.port) as proxy:
        node = start_node(cluster.dsn(Databases(cluster).new().name, port=proxy.port))
        answers = {}
        with node.submission(timeout=90) as session:
            for number in range(10):
                token = f"cut-{number}"
                proxy.cut(b"Subject: " + token.encode(), where)
                session.mail(ANN)
                assert {session.rcpt(recipient)[0] for recipient in (ANN, FAR)} == {250}
                answers[token] = session.data(message(token))[0]
                assert proxy.cuts == number + 1
                # The next one is not refused for want of a connection.
                eventually(lambda: session.noop() and accepts(session, ANN), 20)
        print(Counter(answers.values()))
        eventually(lambda: node.json("queue", "list") == [], 90)
        taken = {token: len(takings) for token, takings in sink.taken.items()}
        acknowledged = {token: 1 for token, code in answers.items() if code == 250}
        assert (tokens_in(node), taken) == (acknowledged, acknowledged)
        assert set(answers.values()) <= {250, 451}
        if where is Cut.BEFORE_ANSWER:
            assert len(acknowledged) == 10
        elif where is Cut.BEFORE_COMMIT:
            assert not acknowledged
        is_sound(node)


def accepts(session: smtplib.SMTP, recipient: str) -> bool:
    """Whether the node can look up who that is."""
    session.mail(ANN)
    code = session.rcpt(recipient)[0]
    session.rset()
    return code == 250
