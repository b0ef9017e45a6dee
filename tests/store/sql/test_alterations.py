from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.flags import FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql import alterations
from twisted_mail_node.testing.samples import DATE, body, flags, message

EVERYTHING = UIDSet.span(1, 4_294_967_295)


@pytest.fixture
def filled(inbox, wait, monkeypatch):
    """INBOX with 20 messages, every second of them \\Deleted, and slices of 3 rows."""
    monkeypatch.setattr(alterations, "SLICE_ROWS", 3)
    wait(inbox.append([(body(message(str(i))), flags("\\Deleted") if i % 2 else flags(), DATE) for i in range(20)]))
    return inbox


@pytest.mark.parametrize("uids", [EVERYTHING, UIDSet.of([1, 2, 5, 6, 9, 15, 16, 17, 18, 20, 33])])
def test_flags_of_a_large_set_are_stored_slice_by_slice(filled, wait, uids):
    outcome = wait(filled.store_flags(uids, FlagChange.ADD, flags("\\Seen", "$Work")))
    existing = UIDSet.span(1, 20) & uids
    assert UIDSet.of(outcome.changed.uids) == existing
    assert list(outcome.changed.uids) == sorted(outcome.changed.uids)
    assert outcome.gone == outcome.modified == UIDSet()
    assert all(its.seen and its.has_keyword("$work") for its in outcome.changed.flags)
    assert wait(filled.status()).unseen == 20 - len(existing)


def test_a_condition_holds_in_every_slice(filled, wait):
    since = wait(filled.status()).highest_modseq
    wait(filled.store_flags(UIDSet.of([4, 11, 19]), FlagChange.ADD, flags("\\Flagged")))
    wait(filled.expunge(UIDSet.span(7, 8), only_deleted=False))
    outcome = wait(filled.store_flags(EVERYTHING, FlagChange.ADD, flags("\\Seen"), unchanged_since=since))
    assert outcome.modified == UIDSet.of([4, 11, 19])
    assert outcome.gone == UIDSet.span(7, 8)
    assert len(outcome.changed) == 15


@pytest.mark.parametrize(
    ("uids", "only_deleted", "removed"),
    [
        (None, True, UIDSet.of(range(2, 21, 2))),
        (EVERYTHING, True, UIDSet.of(range(2, 21, 2))),
        (UIDSet.of([1, 2, 3, 4, 8, 9, 12, 14, 16, 18]), True, UIDSet.of([2, 4, 8, 12, 14, 16, 18])),
    ],
)
def test_a_large_set_is_expunged_slice_by_slice(filled, wait, uids, only_deleted, removed):
    since = wait(filled.status()).highest_modseq
    assert wait(filled.expunge(uids, only_deleted)) == removed
    assert wait(filled.uids()) == UIDSet.span(1, 20) - removed
    status = wait(filled.status())
    assert status.messages == status.unseen == 20 - len(removed)
    assert status.deleted == 10 - len(removed & UIDSet.of(range(2, 21, 2)))
    assert wait(filled.changes(since)).vanished == removed


def test_a_large_set_is_moved_in_one_change(filled, store, wait):
    account = wait(store.account(filled.account))
    archive = wait(account.mailbox("Archive"))
    before = store.commits
    outcome = wait(filled.move(EVERYTHING, "Archive"))
    assert store.commits == before + 1
    assert (list(outcome.source_uids), list(outcome.target_uids)) == (list(range(1, 21)), list(range(1, 21)))
    source, target = wait(filled.status()), wait(archive.status())
    assert (source.messages, source.size, source.deleted) == (0, 0, 0)
    assert (target.messages, target.deleted) == (20, 10)
    assert source.highest_modseq == target.highest_modseq


def test_a_moved_message_keeps_its_guid_and_a_copy_gets_its_own(filled, store, wait):
    account = wait(store.account(filled.account))
    archive = wait(account.mailbox("Archive"))
    guids = wait(filled.fetch(UIDSet.span(1, 2), FetchItem.GUID | FetchItem.EMAIL_ID))
    wait(filled.move(UIDSet.span(1, 1), "Archive"))
    wait(filled.copy(UIDSet.span(2, 2), "Archive"))
    there = wait(archive.fetch(UIDSet.span(1, 2), FetchItem.GUID | FetchItem.EMAIL_ID))
    assert there.guids[0] == guids.guids[0]
    assert there.guids[1] != guids.guids[1]
    assert there.email_ids == guids.email_ids


def test_a_copy_that_fails_leaves_nothing(filled, store, wait, monkeypatch):
    account = wait(store.account(filled.account))
    archive = wait(account.mailbox("Archive"))
    store._machinery.writer.between_commits(
        lambda connection: connection.execute(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON main.entry "
            "WHEN new.uid = 15 BEGIN SELECT raise(ABORT, 'no'); END"
        )
    )
    with pytest.raises(TemporaryFailure):
        wait(filled.copy(EVERYTHING, "Archive"))
    assert wait(archive.status()).messages == 0
    assert wait(archive.uids()) == UIDSet()
    store._machinery.writer.between_commits(lambda connection: connection.execute("DROP TRIGGER temp.full"))
    assert len(wait(filled.copy(EVERYTHING, "Archive")).target_uids) == 20


def test_vanished_tells_only_of_what_had_come_before(inbox, wait):
    wait(inbox.append([(body(), flags(), DATE)]))
    since = wait(inbox.status()).highest_modseq
    wait(inbox.append([(body(), flags(), DATE)]))
    middle = wait(inbox.status()).highest_modseq
    wait(inbox.append([(body(), flags(), DATE)]))
    wait(inbox.expunge(UIDSet.span(1, 3), only_deleted=False))
    assert wait(inbox.changes(since)).vanished == UIDSet.span(1, 1)
    assert wait(inbox.changes(middle)).vanished == UIDSet.span(1, 2)
    assert wait(inbox.changes(0)).vanished == UIDSet()


@pytest.mark.parametrize("uids", [None, UIDSet.span(3, 19), UIDSet.of([1, 2, 5, 6, 9, 15, 16, 17, 18, 20])])
def test_an_update_of_a_large_set_is_one_commit_and_one_change(filled, store, wait, uids):
    since, commits = wait(filled.status()).highest_modseq, store.commits
    removed = uids or UIDSet.span(1, 20)
    assert wait(filled.expunge(uids, only_deleted=False)) == removed
    assert store.commits == commits + 1
    assert wait(filled.uids()) == UIDSet.span(1, 20) - removed
    status = wait(filled.status())
    assert status.highest_modseq == since + 1
    assert status.messages == 20 - len(removed)
    assert wait(filled.changes(since)).vanished == removed


@pytest.mark.parametrize(
    "change",
    [
        lambda inbox: inbox.expunge(),
        lambda inbox: inbox.store_flags(EVERYTHING, FlagChange.REMOVE, flags("\\Deleted")),
    ],
)
def test_a_large_change_whose_answer_is_given_up_is_finished(filled, wait, change):
    given_up = change(filled)
    given_up.addErrback(lambda failure: failure.trap(CancelledError))
    given_up.cancel()
    # Far more commits than there are slices; each lets one slice take its turn.
    assert any(wait(filled.claim_recent()).deleted == 0 for _ in range(50))
