"""Two sessions on one mailbox, one of them another user's, and what happens in between two questions to the store."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.imap import selected
from twisted_mail_node.protocols.imap.shared_mailbox import SharedMailbox
from twisted_mail_node.store.memory.doors import MemoryMailbox

WORK = '"Other Users/joe@example.test/Work"'
BODY = b"A: b\r\n\r\nc"


@pytest.fixture
def shared(server_of):
    server = server_of(other_users="Other Users")
    server.add("ann")
    joe, ann = server.logged_in(), server("2")
    ann.take()
    ann.ask("LOGIN ann secret")
    joe.ask("CREATE Work")
    joe.ask("APPEND Work ($old)", BODY)
    return server, joe, ann


def test_flags_that_another_session_sets_during_a_replacement_are_not_lost(shared, monkeypatch):
    _, joe, ann = shared
    joe.ask("SETACL Work ann lrw")
    ann.ask(f"SELECT {WORK}")
    store_flags, steps = MemoryMailbox.store_flags, []

    def between(mailbox, uids, change, flags, unchanged_since=None):
        done = store_flags(mailbox, uids, change, flags, unchanged_since)
        steps.append(change)
        if len(steps) == 1:
            store_flags(mailbox, UIDSet.of([1]), FlagChange.ADD, Flags.from_names(["\\Seen", "\\Deleted"]))
        return done

    monkeypatch.setattr(MemoryMailbox, "store_flags", between)
    assert ann.ask("STORE 1 FLAGS (\\Flagged)") == b"* 1 FETCH (FLAGS (\\Flagged \\Deleted \\Seen))\r\n"
    assert steps == [FlagChange.ADD, FlagChange.REMOVE]


def test_a_replacement_is_made_only_where_nobody_else_changed_the_message(shared):
    _, joe, ann = shared
    joe.ask("SETACL Work ann lrws")
    ann.ask(f"SELECT {WORK} (CONDSTORE)")
    modseq = int(ann.ask("FETCH 1 (MODSEQ)").partition(b"MODSEQ (")[2].partition(b")")[0])
    status, _ = ann.try_(f"STORE 1 (UNCHANGEDSINCE {modseq}) FLAGS (\\Flagged $NEW)")
    assert status == b"OK stored\r\n"
    assert b"FLAGS (\\Flagged $NEW)" in ann.ask("FETCH 1 (FLAGS)")
    status, _ = ann.try_(f"STORE 1 (UNCHANGEDSINCE {modseq}) FLAGS ()")
    assert b"[MODIFIED 1]" in status
    assert b"FLAGS (\\Flagged $NEW)" in ann.ask("FETCH 1 (FLAGS)")


def test_a_client_that_idles_is_told_once_that_the_mailbox_is_gone_whatever_is_noticed_meanwhile(shared, monkeypatch):
    server, joe, ann = shared
    joe.ask("SETACL Work ann lr")
    ann.ask(f"SELECT {WORK}")
    ann.say(b"i IDLE\r\n")
    changes = selected.Selected._changes

    async def noticed_meanwhile(mine):
        found = await changes(mine)
        mine.dirty = mine.gone
        return found

    monkeypatch.setattr(selected.Selected, "_changes", noticed_meanwhile)
    joe.ask("DELETE Work")
    heard = b""
    for _ in range(5):
        server.advance(0)
        heard += ann.take()
    assert heard.count(b"* BYE the selected mailbox was deleted") == 1


def test_the_door_of_anothers_mailbox_copies_nowhere_by_name(shared):
    server, joe, _ = shared
    joe.ask("SETACL Work ann lr")
    door = SharedMailbox(server.store, server.mailbox("Work"), "ann@example.test", None)
    for method in (door.copy, door.move):
        failure = []
        method(UIDSet.of([1]), "INBOX").addErrback(failure.append)
        assert failure[0].value.text == "the target is in another account"


def test_what_a_client_annotates_for_another_user_hides_nothing_of_its_own_account(shared):
    server, joe, ann = shared
    joe.ask("SETACL Work ann lrw")
    ann.ask("ENABLE METADATA")
    ann.ask(f'SETMETADATA {WORK} (/shared/comment "x")')
    other = server("2")
    other.take()
    other.ask("LOGIN ann secret")
    for number in range(20):  # past the number of the change in the other account
        other.ask(f'SETMETADATA INBOX (/private/comment "{number}")')
        assert ann.ask("NOOP") == b"* METADATA INBOX /private/comment\r\n"


def test_who_has_logged_out_hears_nothing_more_of_any_account(shared):
    _, joe, ann = shared
    joe.ask("SETACL Work ann lrw")
    ann.ask("ENABLE METADATA")
    ann.ask(f"SELECT {WORK}")
    ann.ask("UNAUTHENTICATE")
    joe.ask("DELETE Work")
    joe.ask('SETMETADATA INBOX (/private/comment "x")')
    assert ann.say(b"a NOOP\r\n") == b"a OK done\r\n"
    ann.ask("LOGIN joe secret")
    joe.ask('SETMETADATA INBOX (/private/comment "y")')
    assert ann.ask("NOOP") == b""
