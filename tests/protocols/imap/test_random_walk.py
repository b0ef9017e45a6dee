"""
Several sessions on one mailbox, with CONDSTORE, QRESYNC, UIDONLY and without, and some that come back, beside a plain
model: what each client has derived from responses alone is what the mailbox is. RFC 7162, RFC 9586, RFC 3501 §7.4.1
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.protocols.imap.walking import Client, Model, modified, numbers
from twisted_mail_node.store.sql import SQLiteStore

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
CLIENTS = (
    (),
    (),
    ("CONDSTORE",),
    ("QRESYNC",),
    ("QRESYNC",),
    ("UIDONLY",),
    ("QRESYNC", "UIDONLY"),
)
FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "work")

who = st.integers(0, len(CLIENTS) - 1)
some_flags = st.sets(st.sampled_from(FLAGS), min_size=1, max_size=2).map(sorted)
places = st.sets(st.integers(0, 7), min_size=1, max_size=4)
signs = st.sampled_from(["", "+", "-"])


def changing(sign, flags):
    """What STORE does to the flags of a message."""
    given = frozenset(flags)
    return {"": lambda before: given, "+": lambda before: before | given, "-": lambda before: before - given}[sign]


class Walk(RuleBasedStateMachine):
    """The walk; `server_of` and what it is given make the server."""

    server_of = None
    given = ()

    def __init__(self):
        super().__init__()
        self.server = self.server_of(*self.given)
        self.model = Model()
        self.clients = [Client(self.server, *enables) for enables in CLIENTS]

    def teardown(self):
        for client in self.clients:
            if client.line is not None:
                client.leave()
        self.server.stop()

    @initialize(count=st.integers(0, 6))
    def begin(self, count):
        self.server.deliver(*[MESSAGE] * count)
        self.model.came([()] * count)
        for client in self.clients:
            client.connect()

    def chosen(self, number):
        """A client that is ready for a command."""
        client = self.clients[number]
        if client.line is None:
            client.reconnect()
        elif client.idling:
            client.done()
        return client

    def asked(self, number, chosen, by_uid):
        """A client that is ready, and messages that it knows, as it names them in a command: maybe none."""
        client = self.chosen(number)
        by_uid = by_uid or client.by_uid
        uids = sorted({client.uids[place % len(client.uids)] for place in chosen if client.uids})
        named = uids if by_uid else [client.uids.index(uid) + 1 for uid in uids]
        return client, by_uid, "UID " if by_uid else "", ",".join(map(str, named)), uids

    # -- what the mailbox goes through -----------------------------------------------------------------------------

    @rule(count=st.integers(1, 2))
    def mail_arrives(self, count):
        self.server.deliver(*[MESSAGE] * count)
        self.model.came([()] * count)

    @rule(number=who, flags=some_flags)
    def append(self, number, flags):
        client = self.chosen(number)
        client.do(f"APPEND INBOX ({' '.join(flags)})", may_expunge=True, literal=MESSAGE)
        self.model.came([flags])

    @rule(number=who, chosen=places, by_uid=st.booleans(), sign=signs, flags=some_flags, silent=st.booleans())
    def store(self, number, chosen, by_uid, sign, flags, silent):
        client, by_uid, prefix, words, uids = self.asked(number, chosen, by_uid)
        if not uids:
            return
        change = changing(sign, flags)
        self.model.store(uids, change)
        if silent:
            # Before what is told: where others changed a message as well, its flags are told after all.
            client.stored_silently(uids, change)
        suffix = ".SILENT" if silent else ""
        client.do(f"{prefix}STORE {words} {sign}FLAGS{suffix} ({' '.join(flags)})", may_expunge=by_uid)

    @rule(number=who, chosen=places, by_uid=st.booleans(), flags=some_flags, behind=st.integers(0, 3))
    def store_where_unchanged(self, number, chosen, by_uid, flags, behind):
        client, by_uid, prefix, words, uids = self.asked(number, chosen, by_uid)
        if not uids or not client.knows_modseqs:
            return
        since = max(0, self.model.highest - behind)
        change = changing("+", flags)
        failed = self.model.store(uids, change, since)
        client.stored_silently([uid for uid in uids if uid not in failed], change)
        told = [client.uids.index(uid) + 1 for uid in failed]
        status, _ = client.do(
            f"{prefix}STORE {words} (UNCHANGEDSINCE {since}) +FLAGS.SILENT ({' '.join(flags)})",
            may_expunge=by_uid,
        )
        assert modified(status) == (failed if by_uid else told)

    @rule(number=who, chosen=places, by_uid=st.booleans())
    def read(self, number, chosen, by_uid):
        client, by_uid, prefix, words, uids = self.asked(number, chosen, by_uid)
        if not uids:
            return
        self.model.store(uids, changing("+", ["\\Seen"]))
        client.do(f"{prefix}FETCH {words} (BODY[]<0.1>)", may_expunge=by_uid)

    @rule(number=who, chosen=st.none() | places)
    def expunge(self, number, chosen):
        client, _, _, words, uids = self.asked(number, chosen or (), True)
        if not chosen:
            # All with \Deleted in the mailbox, known of or not.
            self.model.expunge()
            client.do("EXPUNGE", may_expunge=True)
        elif uids:
            self.model.expunge(uids)
            client.do(f"UID EXPUNGE {words}", may_expunge=True)

    @rule(number=who, chosen=places, by_uid=st.booleans())
    def copy_here(self, number, chosen, by_uid):
        client, by_uid, prefix, words, uids = self.asked(number, chosen, by_uid)
        if not uids:
            return
        self.model.came([self.model.flags[uid] for uid in uids if uid in self.model.flags])
        client.do(f"{prefix}COPY {words} INBOX", may_expunge=True)

    @rule(number=who, chosen=places, by_uid=st.booleans())
    def move_away(self, number, chosen, by_uid):
        client, by_uid, prefix, words, uids = self.asked(number, chosen, by_uid)
        if not uids:
            return
        for uid in uids:
            self.model.flags.pop(uid, None)
        client.do(f"{prefix}MOVE {words} Sent", may_expunge=True)

    @rule(number=who, serial=st.integers(0, 10**6))
    def rename_inbox(self, number, serial):
        if len(self.model.flags) < 3:
            return
        client = self.chosen(number)
        status, _ = client.do(f"RENAME INBOX kept{serial}", may_expunge=True)
        if status.startswith(b"OK"):
            self.model.flags.clear()

    # -- what clients do beside ---------------------------------------------------------------------------------

    @rule()
    def a_turn_passes(self):
        self.server.advance(0)

    @rule(number=who)
    def idle(self, number):
        client = self.clients[number]
        if client.line is not None and not client.idling:
            client.idle()

    @rule(number=who)
    def leave(self, number):
        client = self.clients[number]
        if client.line is not None and not client.idling:
            client.leave()

    @rule(number=who, matches=st.booleans(), known=st.booleans())
    def come_back(self, number, matches, known):
        client = self.clients[number]
        if client.line is None:
            client.reconnect(matches, known)

    @rule(number=who, behind=st.integers(0, 4))
    def search_what_changed(self, number, behind):
        client = self.chosen(number)
        if not client.knows_modseqs:
            return
        since = max(1, self.model.highest - behind)
        shown = [uid for uid in client.uids if self.model.modseqs.get(uid, 0) >= since]
        _, told = client.do(f"UID SEARCH MODSEQ {since}", may_expunge=True)
        line = next(line for line in told.split(b"\r\n") if line.startswith(b"* SEARCH"))
        found, _, highest = line.removeprefix(b"* SEARCH").partition(b"(MODSEQ ")
        # What the client did not know of when it asked may be found as well.
        assert [uid for uid in map(int, found.split()) if uid in shown] == shown
        assert bool(highest) == bool(found.split())

    @rule(number=who, behind=st.integers(0, 6))
    def fetch_what_changed(self, number, behind):
        client = self.chosen(number)
        if not client.resyncs:
            return
        since = max(1, self.model.highest - behind)
        gone = {uid for uid in range(1, self.model.next_uid) if uid not in self.model.flags} - {*client.uids}
        _, told = client.do(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)", may_expunge=True)
        earlier = [line for line in told.split(b"\r\n") if line.startswith(b"* VANISHED (EARLIER) ")]
        named = {uid for line in earlier for uid in numbers(line.rpartition(b" ")[2])}
        assert named <= gone

    @rule(number=who)
    def all_is_told(self, number):
        client = self.chosen(number)
        client.do("NOOP", may_expunge=True)
        assert client.uids == sorted(self.model.flags)
        assert {uid: client.flags[uid] for uid in client.uids} == self.model.flags
        if client.knows_modseqs:
            assert {uid: client.modseqs[uid] for uid in client.uids} == self.model.modseqs
        if not client.by_uid and client.uids:
            told = client.line.ask("FETCH 1:* (UID)")
            expected = b"".join(b"* %d FETCH (UID %d)\r\n" % place for place in enumerate(client.uids, 1))
            assert told == expected

    @invariant()
    def the_mailbox_is_as_it_should_be(self):
        self.model.is_like(self.server)


def walk(server_of, examples, steps, *given):
    chosen = type("Walk", (Walk,), {"server_of": staticmethod(server_of), "given": given})
    run_state_machine_as_test(
        chosen,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whoever_listens_knows_the_mailbox(server_of):
    walk(server_of, 60, 60)


@pytest.fixture
def sqlite_stores(tmp_path):
    made = []

    def store_with(reactor):
        made.append(reactor)
        return SQLiteStore(tmp_path / f"{len(made)}.sqlite", reactor=reactor)

    return store_with


def test_whoever_listens_knows_the_mailbox_on_sqlite(server_of, sqlite_stores):
    walk(server_of, 5, 40, sqlite_stores)
