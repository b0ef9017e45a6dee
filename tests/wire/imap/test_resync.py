"""What a client is told that comes back: RFC 7162 §3.2.5, §3.2.6, §3.2.10.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.changes import MailboxChanges
from twisted_mail_node.mail.columns import Columns
from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.mail.uid_set import EMPTY, UIDSet
from twisted_mail_node.wire.imap import resync as resync_module
from twisted_mail_node.wire.imap.commands.select import Resync
from twisted_mail_node.wire.imap.enabled import Extension
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.resync import matching, resynchronised, vanished_earlier
from twisted_mail_node.wire.imap.view import View

SEEN = Flags.from_names(["\\Seen"])
QRESYNC = frozenset((Extension.CONDSTORE, Extension.QRESYNC))


def told(view, resync, vanished=(), flagged=(), appended=()):
    def columns(rows):
        return Columns([uid for uid, _ in rows], flags=[SEEN for _ in rows], modseqs=[modseq for _, modseq in rows])

    news = MailboxChanges(90, 601, columns(appended), columns(flagged), UIDSet.of(vanished))
    return b"".join(resynchronised(view, resync, news)).decode().splitlines()


def test_expunges_come_before_flags():
    view = View(UIDSet.of([117, 119, 541]), enabled=QRESYNC)
    assert told(view, Resync(1, 50), [41, *range(43, 117), 118], [(117, 51), (119, 52)], [(541, 53)]) == [
        "* VANISHED (EARLIER) 41,43:116,118",
        "* 1 FETCH (UID 117 FLAGS (\\Seen) MODSEQ (51))",
        "* 2 FETCH (UID 119 FLAGS (\\Seen) MODSEQ (52))",
        "* 3 FETCH (UID 541 FLAGS (\\Seen) MODSEQ (53))",
    ]


def test_only_what_the_client_asks_about_is_told():
    view = View(UIDSet.of([2, 4]), enabled=QRESYNC)
    known = Resync(1, 50, parse_command(b"t UID EXPUNGE 1:2").uids)
    assert told(view, known, [1, 3], [(2, 51), (4, 52)]) == [
        "* VANISHED (EARLIER) 1",
        "* 1 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (51))",
    ]


def test_what_the_view_has_did_not_go_earlier():
    """It went after the view was made: it is in EXISTS, and is told without EARLIER."""
    view = View(UIDSet.of([2, 4]), enabled=QRESYNC)
    assert told(view, Resync(1, 50), [4]) == []
    assert told(view, Resync(1, 50), flagged=[(3, 51)]) == []


def test_without_numbers_the_rows_begin_with_uids():
    view = View(UIDSet.of([7, 9]), enabled=QRESYNC | {Extension.UIDONLY})
    assert told(view, Resync(1, 50), flagged=[(9, 51)]) == ["* 9 UIDFETCH (FLAGS (\\Seen) MODSEQ (51))"]


def test_many_are_told_in_pieces():
    gone = UIDSet.of(range(1, 5000, 2))
    pieces = list(vanished_earlier(View(EMPTY), gone, UIDSet.span(1, 9999)))
    assert len(pieces) == 5
    assert UIDSet(run for piece in pieces for run in _runs(piece)) == gone
    # one run that the client knows in many pieces
    pieces = list(vanished_earlier(View(EMPTY), UIDSet.span(1, 5000), gone))
    assert UIDSet(run for piece in pieces for run in _runs(piece)) == gone
    assert max(map(len, pieces)) < 4000


def _runs(line):
    prefix, runs = line.rstrip().rsplit(b" ", 1)
    assert prefix == b"* VANISHED (EARLIER)"
    for run in runs.split(b","):
        first, _, last = run.partition(b":")
        yield int(first), int(last or first)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ((), ["* VANISHED (EARLIER) 1:2,4:5,7:8"]),
        ((((1, 1), (3, 3)),), ["* VANISHED (EARLIER) 4:5,7:8"]),
        ((((1, 2), (3, 4)),), ["* VANISHED (EARLIER) 4:5,7:8"]),
        ((((2, 2), (6, 6)), ((3, 3), (10, 10))), ["* VANISHED (EARLIER) 7:8"]),
        ((((2, 2), (5, 5)),), ["* VANISHED (EARLIER) 1:2,4:5,7:8"]),
        ((((3, 3), (9, 9)),), []),
    ],
)
def test_what_matches_is_known(pairs, expected):
    """RFC 7162 §3.2.5.2: only every third message is left."""
    view = View(UIDSet.of([3, 6, 9]), enabled=QRESYNC)
    assert told(view, Resync(1, 50, None, pairs), [1, 2, 4, 5, 7, 8]) == expected


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.data())
def test_the_largest_match_is_found(uids, known, data):
    view = View(UIDSet.of(uids))
    numbers = sorted(data.draw(st.sets(st.integers(1, 60), min_size=len(known), max_size=len(known))))
    pairs = list(zip(numbers, sorted(known), strict=True))
    wire = b"%b %b" % (UIDSet.of(numbers).wire, UIDSet.of(known).wire)
    given = parse_command(b"t SELECT x (QRESYNC (1 1 (%b)))" % wire).resync.matches if pairs else ()
    expected = max((uid for number, uid in pairs if view.number_of(uid) == number), default=0)
    assert answer_of(matching(view, given)) == expected


def answer_of(generator):
    while True:
        try:
            assert next(generator) == b""
        except StopIteration as end:
            return end.value


def test_matching_pauses_where_there_is_much_to_look_at(monkeypatch):
    monkeypatch.setattr(resync_module, "RUNS_AT_ONCE", 10)
    view = View(UIDSet.of(range(1, 201, 2)))
    assert list(matching(view, (((150, 349), (1, 200)),))) == [b""] * 10
    assert answer_of(matching(view, (((1, 200), (1, 200)),))) == 1


def test_where_nothing_happened_nothing_is_told():
    view = View(UIDSet.of([1, 2]), enabled=QRESYNC)
    unchanged = MailboxChanges(90, 3, Columns([]), Columns([], flags=[], modseqs=[]), EMPTY)
    assert list(resynchronised(view, Resync(1, 50), unchanged)) == []
