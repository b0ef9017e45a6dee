"""The view: numbers and UIDs, and that whoever counts along arrives at the same numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_mail_node.mail.changes import MailboxChanges
from twisted_mail_node.mail.columns import Columns
from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.mail.uid_set import EMPTY, UIDSet
from twisted_mail_node.wire.imap import view as view_module
from twisted_mail_node.wire.imap.enabled import Extension
from twisted_mail_node.wire.imap.view import LINES_AT_ONCE, View

SEEN = Flags.from_names(["\\Seen"])


def rows(*triples):
    uids, flags, modseqs = zip(*triples, strict=True) if triples else ((), (), ())
    return Columns(list(uids), flags=list(flags), modseqs=list(modseqs))


def changes(modseq=2, appended=(), flagged=(), vanished=()):
    return MailboxChanges(modseq, 100, rows(*appended), rows(*flagged), UIDSet.of(vanished))


def tell(view, news, may_expunge):
    """All that is told at once."""
    return b"".join(view.tell(news, may_expunge))


def test_arrivals_are_told_with_those_that_are_recent():
    view = View(UIDSet.of([1, 2]), recent=UIDSet.of([2]))
    news = changes(appended=[(5, NO_FLAGS, 2), (7, NO_FLAGS, 2)])
    assert not view.knows_recent(news)
    view.claim_recent(5, 10)
    assert view.knows_recent(news)
    told = tell(view, news, True)
    assert told == b"* 4 EXISTS\r\n* 2 RECENT\r\n"
    assert view.recent == UIDSet.of([2, 7])
    assert view.flags_wire(7, b"\\Seen") == b"\\Recent \\Seen"
    assert view.flags_wire(7, b"") == b"\\Recent"
    assert view.flags_wire(5, b"") == b""


def test_what_is_claimed_before_it_is_told_is_recent_when_it_is():
    view = View(UIDSet.of([1]))
    view.claim_recent(1, 4)
    assert tell(view, changes(appended=[(2, NO_FLAGS, 2)]), True) == b"* 2 EXISTS\r\n* 1 RECENT\r\n"
    view.claim_recent(3, 5)
    told = tell(view, changes(3, appended=[(3, NO_FLAGS, 3), (4, NO_FLAGS, 3)]), True)
    assert told == b"* 4 EXISTS\r\n* 3 RECENT\r\n"


def test_an_expunge_is_kept_back_until_it_may_be_told():
    view = View(UIDSet.of([1, 2, 3]))
    assert tell(view, changes(vanished=[2]), False) == b""
    assert view.number_of(3) == 3
    assert view.expunged == UIDSet.of([2])
    assert tell(view, changes(3, appended=[(4, NO_FLAGS, 3)]), False) == b"* 4 EXISTS\r\n"
    assert tell(view, None, True) == b"* 2 EXPUNGE\r\n"
    assert view.number_of(4) == 3


def test_expunges_are_told_from_the_end():
    view = View(UIDSet.span(1, 5), recent=UIDSet.of([4, 5]))
    assert tell(view, changes(vanished=[1, 2, 4]), True) == (
        b"* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 RECENT\r\n"
    )
    assert list(view.uids) == [3, 5]


def test_flags_of_known_messages_are_told_before_expunges():
    view = View(UIDSet.of([1, 2, 3]))
    told = tell(view, changes(flagged=[(2, SEEN, 2), (3, SEEN, 2), (9, SEEN, 2)], vanished=[2]), True)
    assert told == b"* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 EXPUNGE\r\n"


def test_what_the_session_changed_itself_is_no_news():
    view = View(UIDSet.of([1, 2]))
    view.flags_changed_here(rows((1, SEEN, 2), (2, SEEN, 2)))
    assert view.changed_ahead
    assert tell(view, changes(2, flagged=[(1, SEEN, 2), (2, SEEN, 2)]), False) == b""
    assert tell(view, changes(3, flagged=[(1, NO_FLAGS, 3)]), False) == b"* 1 FETCH (UID 1 FLAGS ())\r\n"


def test_changes_with_a_number_each_are_told_apart():
    view = View(UIDSet.of([1, 2, 3]))
    view.flags_changed_here(rows((1, SEEN, 2), (2, SEEN, 3)))
    view.flags_changed_here(rows())
    told = tell(view, changes(4, flagged=[(1, SEEN, 2), (2, NO_FLAGS, 4), (3, SEEN, 3)]), False)
    assert told == b"* 2 FETCH (UID 2 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n"


def test_but_what_another_changed_after_it_is():
    view = View(UIDSet.of([1]))
    view.flags_changed_here(rows((1, SEEN, 2)))
    assert tell(view, changes(3, flagged=[(1, NO_FLAGS, 3)]), False) == b"* 1 FETCH (UID 1 FLAGS ())\r\n"


def test_messages_that_select_knew_already_do_not_come_again():
    view = View(UIDSet.of([1, 2]), modseq=1)
    assert b"EXISTS" not in tell(view, changes(appended=[(2, NO_FLAGS, 2)]), True)


def test_what_came_and_went_unseen_is_never_told():
    view = View(UIDSet.of([1]))
    assert tell(view, changes(appended=[(2, NO_FLAGS, 2)], vanished=[2]), True) == b""


def test_a_view_of_many_is_few_runs():
    view = View(UIDSet.span(1, 200_000))
    assert view.uids_at(UIDSet.span(5, 199_999)).runs == ((5, 199_999),)
    assert view.number_of(200_000) == 200_000


# -- with CONDSTORE, QRESYNC, UIDONLY --------------------------------------------------------------------------------


def test_whoever_knows_condstore_is_told_uid_and_modseq():
    view = View(UIDSet.of([3, 5]), modseq=1, enabled={Extension.CONDSTORE})
    assert view.flag_rows(rows((5, SEEN, 7)), with_uid=False) == b"* 2 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (7))\r\n"
    assert view.modseq_rows(Columns([3], modseqs=[8])) == b"* 1 FETCH (UID 3 MODSEQ (8))\r\n"
    assert view.flag_rows(Columns([3], flags=[SEEN]), with_uid=False) == b"* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n"
    assert view.has_shown_ahead
    tell(view, changes(8), False)
    assert not view.has_shown_ahead


def test_without_numbers_what_went_is_told_by_uid():
    for enabled in (Extension.QRESYNC, Extension.UIDONLY):
        view = View(UIDSet.of([3, 5, 6]), recent=UIDSet.of([6]), enabled={enabled})
        assert tell(view, changes(2, vanished=[3, 4, 6]), False) == b""
        assert tell(view, None, True) == b"* VANISHED 3,6\r\n* 0 RECENT\r\n"
        assert view.uids == UIDSet.of([5])


def test_what_went_by_uid_is_told_in_pieces():
    view = View(UIDSet.span(1, 5000), enabled={Extension.QRESYNC})
    gone = range(1, 5000, 2)
    pieces = [piece for piece in view.tell(changes(2, vanished=gone), True) if piece]
    assert len(pieces) == len(gone) // LINES_AT_ONCE
    assert view.uids == UIDSet.of(range(2, 5001, 2))


def test_what_is_safe_to_count_from_waits_for_expunges_kept_back():
    view = View(UIDSet.of([1, 2]), modseq=1, enabled={Extension.CONDSTORE, Extension.QRESYNC})
    told = tell(view, changes(4, flagged=[(1, SEEN, 4)], vanished=[2]), False)
    assert told == b"* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (4))\r\n"
    assert view.command_ended() == b"HIGHESTMODSEQ 1"
    assert tell(view, None, True) == b"* VANISHED 2\r\n"
    assert view.command_ended() == b"HIGHESTMODSEQ 4"
    assert view.command_ended() == b""


# -- a property: three sessions on one mailbox --------------------------------------------------------------------


@dataclass
class Model:
    """The mailbox: flags and modseq per UID, the log of what happened."""

    flags: dict[int, tuple[Flags, int]] = field(default_factory=dict)
    came: dict[int, int] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    modseq: int = 1
    uid_next: int = 1
    recent_after: int = 0

    def claim(self):
        after, self.recent_after = self.recent_after, self.uid_next - 1
        return after

    def since(self, modseq):
        appended = [(u, *self.flags[u]) for u in sorted(self.flags) if self.came[u] > modseq]
        flagged = [(u, *self.flags[u]) for u in sorted(self.flags) if self.came[u] <= modseq < self.flags[u][1]]
        vanished = [u for u, at in self.gone.items() if at > modseq and self.came[u] <= modseq]
        return changes(self.modseq, appended, flagged, vanished)


class Client:
    """Counts along, by what it is told and nothing else: a list of the flags it knows, a place per message."""

    def __init__(self, exists, recent):
        self.messages = [None] * exists
        self.recent = recent

    def hear(self, told, may_expunge):
        for line in told.splitlines():
            number, word = re.match(rb"\* (\d+) (\w+)", line).groups()
            number = int(number)
            if word == b"EXISTS":
                assert number >= len(self.messages)
                self.messages += [None] * (number - len(self.messages))
            elif word == b"EXPUNGE":
                assert may_expunge
                del self.messages[number - 1]
            elif word == b"RECENT":
                self.recent = number
            else:
                uid = int(re.search(rb"UID (\d+)", line)[1])
                self.messages[number - 1] = (uid, re.search(rb"FLAGS \((.*)\)\)", line)[1])


steps = st.lists(
    st.tuples(st.sampled_from(["append", "flag", "expunge", "tell", "quiet"]), st.integers(0, 2), st.integers(0, 30)),
    max_size=60,
)


@pytest.mark.parametrize("at_once", [1, 3, 500])
@settings(max_examples=150, deadline=None)
@given(script=steps, start=st.integers(0, 5))
def test_a_client_that_counts_along_always_agrees(at_once, script, start):
    with mock.patch.multiple(view_module, LINES_AT_ONCE=at_once, RUNS_AT_ONCE=at_once):
        count_along(script, start)


def count_along(script, start):
    model = Model()

    def append():
        model.modseq += 1
        model.flags[model.uid_next] = (NO_FLAGS, model.modseq)
        model.came[model.uid_next] = model.modseq
        model.uid_next += 1

    for _ in range(start):
        append()
    views, clients = [], []
    for _ in range(3):
        after = model.claim()
        uids = UIDSet.of(model.flags)
        view = View(uids, model.modseq, uids - UIDSet.span(1, after))
        views.append(view)
        clients.append(Client(len(uids), len(view.recent)))
    for word, who, which in script:
        view, client = views[who], clients[who]
        alive = sorted(model.flags)
        if word == "append":
            append()
        elif word == "flag" and alive:
            uid = alive[which % len(alive)]
            model.modseq += 1
            model.flags[uid] = (SEEN if which % 2 else NO_FLAGS, model.modseq)
            if uid in view.uids and which % 3:
                view.flags_changed_here(rows((uid, *model.flags[uid])))
        elif word == "expunge" and alive:
            uid = alive[which % len(alive)]
            model.modseq += 1
            del model.flags[uid]
            model.gone[uid] = model.modseq
        elif word in ("tell", "quiet"):
            news = model.since(view.modseq)
            if not view.knows_recent(news):
                view.claim_recent(model.claim(), model.uid_next)
            client.hear(tell(view, news, word == "tell"), word == "tell")
        assert len(client.messages) == len(view)
        assert client.recent == len(view.recent)
        for uid, place in zip(view.uids, client.messages, strict=True):
            assert place is None or place[0] == uid
    for view, client in zip(views, clients, strict=True):
        news = model.since(view.modseq)
        client.hear(tell(view, news, True), True)
        assert view.uids == UIDSet.of(model.flags)
        assert len(client.messages) == len(model.flags)
        assert view.expunged == EMPTY


@pytest.mark.parametrize("count", [1, 1000])
def test_expunging_all_leaves_nothing(count):
    view = View(UIDSet.span(1, count))
    told = tell(view, changes(vanished=range(1, count + 1)), True)
    assert told.count(b"EXPUNGE") == count
    assert len(view) == 0


def test_many_changes_are_told_in_pieces_and_the_view_is_what_was_told_so_far():
    view = View(UIDSet.span(1, 20_000))
    news = changes(flagged=[(uid, SEEN, 2) for uid in range(1, 5001)], vanished=range(1, 20_001, 2))
    told = 20_000
    for piece in view.tell(news, True):
        assert piece.count(b"\r\n") <= LINES_AT_ONCE
        told -= piece.count(b"EXPUNGE")
        assert len(view) == told
    assert told == 10_000
    assert view.uids == UIDSet.of(range(2, 20_001, 2))


def test_keywords_are_told_once_before_they_are_used():
    view = View(UIDSet.of([1, 2]), keywords=["$Known"])
    assert view.known_flags.keywords == ("$Known",)
    known, new = Flags.from_names(["$known"]), Flags.from_names(["\\Seen", "New", "$Known"])
    assert tell(view, changes(flagged=[(1, known, 2)]), False) == b"* 1 FETCH (UID 1 FLAGS ($known))\r\n"
    assert tell(view, changes(3, flagged=[(1, new, 3), (2, new, 3)]), False) == (
        b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Known New)\r\n"
        b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Known New \\*)] flags that last\r\n"
        b"* 1 FETCH (UID 1 FLAGS (\\Seen $Known New))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen $Known New))\r\n"
    )
    assert view.told_keywords([new, known]) == b""


def test_of_a_mailbox_that_cannot_be_changed_no_flags_last():
    view = View(UIDSet.of([1]), read_only=True)
    assert view.told_keywords([Flags.from_names(["New"])]) == (
        b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft New)\r\n"
    )
    assert view.permanent_flags() == b"* OK [PERMANENTFLAGS ()] flags that last\r\n"
