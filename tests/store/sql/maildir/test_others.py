"""What mutt, mbsync and Dovecot do in a folder is seen when it is next asked for."""

from __future__ import annotations

import os
import shutil

import pytest

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.errors import NoSuchMailbox, NoSuchMessage, PermanentFailure
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.samples import message, place, transaction

from .conftest import ANN, Others


def flags(wait, mailbox):
    wait(mailbox.status())
    columns = wait(mailbox.fetch(wait(mailbox.uids()), FetchItem.FLAGS))
    return {uid: flags.wire.decode() for uid, flags in zip(columns.uids, columns.flags, strict=True)}


def store_flags(wait, mailbox, change, *names):
    return wait(mailbox.store_flags(UIDSet.span(1, 100), change, Flags.from_names(names)))


def test_a_new_file_is_a_message_with_the_flags_and_the_date_of_the_file(wait, inbox, others):
    path = others.deliver(b"Subject: one\n\ntwo\nthree\n", name="1.a.host:2,FS", part="cur")
    os.utime(path, (1_500_000_000, 1_500_000_000))
    status = wait(inbox.status())
    assert (status.messages, status.unseen, status.uid_next) == (1, 0, 2)
    columns = wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE))
    assert columns.flags[0].wire == b"\\Flagged \\Seen"
    assert columns.internal_dates[0].unix_seconds == 1_500_000_000
    assert list(columns.sizes) == [len(b"Subject: one\r\n\r\ntwo\r\nthree\r\n")]


def test_bare_newlines_of_others_are_sent_as_crlf_everywhere(wait, inbox, others):
    others.deliver(b"Subject: one\nX: y\r\n\nbody\r\nand\n")
    whole = b"Subject: one\r\nX: y\r\n\r\nbody\r\nand\r\n"
    assert wait(inbox.status()).size == len(whole)
    columns = wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.HEADER | FetchItem.BODY))
    assert list(columns.headers) == [b"Subject: one\r\nX: y\r\n\r\n"]
    assert list(columns.bodies) == [whole]
    opened = wait(inbox.open_body(1))
    assert (opened.size, wait(opened.read(0, 1000))) == (len(whole), whole)
    opened.close()


def test_a_large_file_of_others_is_read_in_pieces_with_crlf(wait, inbox, others):
    text = "".join(f"line {number}\n" for number in range(200_000)).encode()
    others.deliver(b"Subject: large\n\n" + text)
    whole = (b"Subject: large\n\n" + text).replace(b"\n", b"\r\n")
    assert wait(inbox.status()).size == len(whole)
    opened = wait(inbox.open_body(1))
    assert opened.size == len(whole)
    assert wait(opened.read(1_000_001, 77)) == whole[1_000_001:1_000_078]
    assert wait(opened.read(len(whole) - 3, 10)) == whole[-3:]
    opened.close()
    opened.close()
    assert wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.BODY)).bodies == [None]


def test_what_is_read_stays_what_it_was_however_it_is_renamed_or_removed(wait, inbox, others):
    others.deliver(b"Subject: large\n\n" + b"x" * 2_000_000)
    wait(inbox.status())
    opened = wait(inbox.open_body(1))
    others.reflag("S")
    again = wait(inbox.open_body(1))
    others.remove()
    for body in (opened, again):
        assert wait(body.read(1_000_000, 10)) == b"x" * 10
        body.close()
    with pytest.raises(NoSuchMessage):
        wait(inbox.open_body(1))


def test_a_removed_file_is_an_expunged_message(wait, inbox, others):
    for _ in range(3):
        others.deliver()
    before = wait(inbox.status())
    others.remove(1)
    after = wait(inbox.status())
    assert (before.messages, after.messages) == (3, 2)
    changes = wait(inbox.changes(before.highest_modseq))
    assert list(changes.vanished) == [2]


def test_flags_that_others_set_and_take_are_changes(wait, inbox, others):
    others.deliver()
    first = wait(inbox.status())
    others.reflag("FRS")
    assert flags(wait, inbox) == {1: "\\Answered \\Flagged \\Seen"}
    others.reflag("F")
    assert flags(wait, inbox) == {1: "\\Flagged"}
    changes = wait(inbox.changes(first.highest_modseq))
    assert list(changes.flagged.uids) == [1]
    assert wait(inbox.status()).unseen == 1


def test_our_flags_are_in_the_name(wait, inbox, others):
    others.deliver(name="1.a")
    wait(inbox.status())
    store_flags(wait, inbox, FlagChange.ADD, "\\Seen", "\\Deleted", "\\Draft")
    assert others.names() == ["cur/1.a:2,DST"]
    store_flags(wait, inbox, FlagChange.REPLACE)
    assert others.names() == ["cur/1.a:2,"]


def test_flags_changed_on_both_sides_since_the_last_look_are_both_kept(wait, inbox, others):
    others.deliver(name="1.a:2,S", part="cur")
    wait(inbox.status())
    others.reflag("FS")
    store_flags(wait, inbox, FlagChange.ADD, "\\Answered")
    store_flags(wait, inbox, FlagChange.REMOVE, "\\Seen")
    assert flags(wait, inbox) == {1: "\\Answered \\Flagged"}
    assert others.names() == ["cur/1.a:2,FR"]


def test_flags_taken_by_others_after_we_set_them_stay_taken(wait, inbox, others):
    others.deliver(name="1.a")
    wait(inbox.status())
    store_flags(wait, inbox, FlagChange.ADD, "\\Seen")
    others.reflag("")
    assert flags(wait, inbox) == {1: ""}
    assert others.names() == ["cur/1.a:2,"]


def test_keywords_are_the_letters_of_dovecot(wait, inbox, others):
    (others.folder / "dovecot-keywords").write_text("0 work\n3 $Label1\n")
    others.deliver(name="1.a:2,Sad", part="cur")
    assert flags(wait, inbox) == {1: "\\Seen $Label1 work"}
    store_flags(wait, inbox, FlagChange.ADD, "Later", "WORK")
    assert others.names() == ["cur/1.a:2,Sabd"]
    assert (others.folder / "dovecot-keywords").read_text() == "0 work\n1 Later\n3 $Label1\n"
    others.reflag("b")
    assert flags(wait, inbox) == {1: "Later"}


def test_a_keyword_beyond_the_letters_is_kept_though_others_change_flags(wait, inbox, others):
    (others.folder / "dovecot-keywords").write_text("".join(f"{n} k{n}\n" for n in range(26)))
    others.deliver(name="1.a")
    wait(inbox.status())
    store_flags(wait, inbox, FlagChange.ADD, "one-more", "k7")
    assert others.names() == ["cur/1.a:2,h"]
    others.reflag("S")
    assert flags(wait, inbox) == {1: "\\Seen one-more"}


def test_a_locked_list_of_keywords_is_left_alone_and_made_up_for_later(wait, inbox, others):
    lock = others.folder / "dovecot-keywords.lock"
    lock.write_text("")
    others.deliver(name="1.a")
    wait(inbox.status())
    store_flags(wait, inbox, FlagChange.ADD, "work")
    assert others.names() == ["cur/1.a:2,"]
    lock.unlink()
    store_flags(wait, inbox, FlagChange.ADD, "\\Seen")
    assert others.names() == ["cur/1.a:2,Sa"]


def test_a_delivery_is_a_file_with_what_is_before_it_and_its_date(wait, store, others):
    prefix = b"Delivered-To: ann@example.test\r\n"
    wait(store.deliver(transaction(place(ANN, prefix=prefix))))
    (name,) = others.names()
    path = others.folder / name
    assert name.startswith("new/")
    assert path.read_bytes() == prefix + message()
    assert path.stat().st_mode & 0o777 == 0o600
    assert f",S={len(prefix + message())},W={len(prefix + message())}" in name


def test_a_copy_is_the_same_file_under_another_name_and_a_moved_one_leaves(wait, inbox, others, archive_of_others):
    others.deliver(name="1.a:2,F", part="cur")
    wait(inbox.status())
    wait(inbox.copy(UIDSet.span(1, 1), "Archive"))
    (copy,) = archive_of_others.names()
    assert copy.startswith("cur/")
    assert copy.endswith(":2,F")
    assert (archive_of_others.folder / copy).stat().st_ino == (others.folder / others.names()[0]).stat().st_ino
    wait(inbox.move(UIDSet.span(1, 1), "Archive"))
    assert others.names() == []
    assert len(archive_of_others.names()) == 2


def test_an_expunged_message_is_seen_by_others_no_more_and_read_here_for_an_hour(wait, reactor, inbox, others, root):
    others.deliver(b"Subject: x\r\n\r\n")
    wait(inbox.status())
    wait(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    assert others.names() == []
    assert wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.BODY)).bodies == [b"Subject: x\r\n\r\n"]
    assert len(list((root / ".mailnode" / "gone").iterdir())) == 1
    reactor.advance(3700)
    for _ in range(100):
        wait(reactor.turn())
        if not list((root / ".mailnode" / "gone").iterdir()):
            return
    raise AssertionError("it was never swept")


def test_folders_that_others_make_and_remove_are_mailboxes(wait, account, root):
    made = Others(root / ANN / ".Entw&APw-rfe.2026")
    made.make()
    made.deliver()
    names = [info.name for info in wait(account.mailboxes())]
    assert "Entwürfe/2026" in names
    assert wait(wait(account.mailbox("Entwürfe/2026")).status()).messages == 1
    shutil.rmtree(made.folder)
    assert "Entwürfe/2026" not in [info.name for info in wait(account.mailboxes())]
    with pytest.raises(NoSuchMailbox):
        wait(account.mailbox("Entwürfe/2026"))


def test_a_folder_that_no_mailbox_can_be_is_left_alone(wait, account, root):
    strange = Others(root / ANN / ".no&utf7")
    strange.make()
    strange.deliver()
    assert [info.name for info in wait(account.mailboxes())] == ["INBOX", "Archive"]
    assert len(strange.names()) == 1


def test_mailboxes_made_renamed_and_deleted_are_folders(wait, account, root):
    wait(account.create("Werk.1/Ä"))
    folders = {path.name for path in (root / ANN).iterdir() if path.name.startswith(".")}
    assert folders == {".Archive", ".Werk&AC4-1", ".Werk&AC4-1.&AMQ-"}
    assert (root / ANN / ".Werk&AC4-1" / "maildirfolder").exists()
    wait(account.rename("Werk.1", "Play"))
    wait(account.delete("Archive"))
    folders = {path.name for path in (root / ANN).iterdir() if path.name.startswith(".")}
    assert folders == {".Play", ".Play.&AMQ-"}


def test_a_missing_disk_is_not_taken_for_messages_that_were_removed(wait, store, inbox, others, root, tmp_path):
    others.deliver()
    assert wait(inbox.status()).messages == 1
    (root / ANN).rename(tmp_path / "unmounted")
    assert wait(inbox.status()).messages == 1
    (tmp_path / "unmounted").rename(root / ANN)
    others.deliver()
    assert wait(inbox.status()).messages == 2


def test_a_store_does_not_start_on_an_empty_place_where_its_maildirs_were(wait, store, open_store, root, tmp_path):
    wait(store.stop())
    root.rename(tmp_path / "unmounted")
    root.mkdir()
    with pytest.raises(PermanentFailure, match="is its disk mounted"):
        open_store()
    root.rmdir()
    (tmp_path / "unmounted").rename(root)


def test_a_store_without_its_maildirs_does_not_start(wait, store, reactor, tmp_path):
    wait(store.stop())
    with pytest.raises(PermanentFailure, match="are in Maildirs"):
        wait(SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor).start())
    wait(store.start())


def test_mail_that_was_in_the_database_before_is_served_beside_files(wait, reactor, tmp_path, open_store):
    before = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor)
    wait(before.start())
    wait(before.create_account(ANN, [("Archive", None)]))
    wait(before.deliver(transaction(place(ANN))))
    wait(before.stop())
    store = open_store()
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    wait(store.deliver(transaction(place(ANN, prefix=b"X: y\r\n"))))
    columns = wait(inbox.fetch(UIDSet.span(1, 2), FetchItem.BODY | FetchItem.HEADER))
    assert list(columns.bodies) == [message(), b"X: y\r\n" + message()]
    assert [len(header) for header in columns.headers] == [message().index(b"\r\n\r\n") + 4 + more for more in (0, 6)]
    opened = wait(inbox.open_body(1))
    assert wait(opened.read(0, 10_000)) == message()
    opened.close()
    assert len(wait(inbox.move(UIDSet.span(1, 2), "Archive")).target_uids) == 2
    archive = wait(wait(store.account(ANN)).mailbox("Archive"))
    assert list(wait(archive.fetch(UIDSet.span(1, 2), FetchItem.BODY)).bodies) == list(columns.bodies)


def test_mail_delivered_into_a_folder_that_others_just_removed_is_not_lost(wait, store, account, archive_of_others):
    shutil.rmtree(archive_of_others.folder)
    wait(store.deliver(transaction(place(ANN, "Archive"))))
    assert wait(wait(account.mailbox("Archive")).status()).messages == 1
    assert len(archive_of_others.names()) == 1


def test_nothing_is_lost_or_double_though_both_deliver_at_once(wait, store, inbox, others):
    waiting = []
    for number in range(50):
        waiting.append(store.deliver(transaction(place(ANN))))
        others.deliver()
        if number % 7 == 0:
            wait(inbox.status())
    for deferred in waiting:
        wait(deferred)
    assert wait(inbox.status()).messages == 100
    assert len(others.names()) == 100
    assert len(wait(inbox.uids())) == 100


def test_a_restart_finds_what_others_did_meanwhile(wait, store, open_store, others):
    wait(store.deliver(transaction(place(ANN), place(ANN))))
    wait(store.stop())
    others.remove(0)
    others.deliver(name="9.z")
    others.reflag("S", -2)
    store = open_store()
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    assert flags(wait, inbox) == {2: "\\Seen", 3: ""}


def test_a_uid_that_mbsync_writes_into_a_name_makes_no_new_message(wait, inbox, others):
    path = others.deliver(name="1.a,S=22")
    before = wait(inbox.status())
    path.rename(others.folder / "cur" / "1.a,S=22,U=7:2,S")
    after = wait(inbox.status())
    assert (after.messages, after.unseen, after.uid_next) == (1, 0, before.uid_next)
    store_flags(wait, inbox, FlagChange.ADD, "\\Flagged")
    assert others.names() == ["cur/1.a,S=22,U=7:2,FS"]
    assert wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.SIZE)).sizes == [25]


@pytest.mark.parametrize("by_us", [True, False])
def test_a_file_that_others_put_back_is_a_new_message(wait, inbox, others, by_us):
    path = others.deliver(b"Subject: back\r\n\r\n", name="1.a:2,S", part="cur")
    wait(inbox.status())
    if by_us:
        wait(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    else:
        path.unlink()
    assert wait(inbox.status()).messages == 0
    others.deliver(b"Subject: back\r\n\r\n", name="1.a:2,S", part="cur")
    assert wait(inbox.status()).messages == 1
    assert list(wait(inbox.uids())) == [2]
    assert list(wait(inbox.fetch(UIDSet.span(2, 2), FetchItem.BODY)).bodies) == [b"Subject: back\r\n\r\n"]
    assert list(wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.BODY)).bodies) == [None]
    with pytest.raises(NoSuchMessage):
        wait(inbox.open_body(1))


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"A: b\n" * 9000 + b"\nbody\n", b"A: b\r\n" * 9000 + b"\r\n"),
        (b"A: b\nC: d\n", b"A: b\r\nC: d\r\n"),
        (b"\nbody alone\n", b"\r\n"),
        (b"A: b\r\n\r\nmixed\n", b"A: b\r\n\r\n"),
        (b"", b""),
    ],
)
def test_the_header_of_any_file_is_found(wait, inbox, others, content, header):
    others.deliver(content)
    wait(inbox.status())
    assert list(wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.HEADER)).headers) == [header]
