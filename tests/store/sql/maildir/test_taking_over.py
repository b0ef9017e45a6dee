"""A Maildir++ that was there before the account, with what Dovecot keeps in one."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.maildir import comparing
from twisted_mail_node.testing.samples import place, transaction

from .conftest import ANN, Others


@pytest.fixture
def before(root):
    """The INBOX that was there before."""
    inbox = Others(root / ANN)
    inbox.make()
    return inbox


def account_of(open_store, wait):
    store = open_store()
    wait(store.create_account(ANN))
    return store, wait(store.account(ANN))


def test_uids_come_from_the_list_and_those_after_are_above_all_that_were_given(wait, open_store, before):
    for name in ("5.e:2,S", "1.a:2,", "9.new:2,F"):
        before.deliver(name=name, part="cur")
    lines = ["3 V1234567 N40 G0123456789abcdef0123456789abcdef", "7 :5.e", "12 :1.a", "30 :7.gone"]
    (before.folder / "dovecot-uidlist").write_text("\n".join(lines) + "\n")
    store, account = account_of(open_store, wait)
    inbox = wait(account.mailbox("INBOX"))
    status = wait(inbox.status())
    assert (status.uid_validity, status.uid_next) == (1234567, 41)
    columns = wait(inbox.fetch(UIDSet.span(1, 100), FetchItem.FLAGS))
    wire = [flags.wire for flags in columns.flags]
    assert list(zip(columns.uids, wire, strict=True)) == [(7, b"\\Seen"), (12, b""), (40, b"\\Flagged")]
    assert wait(store.deliver(transaction(place(ANN)))).placed[0].uid == 41
    assert wait(account.create("Later")).uid_validity > 1234567


def test_what_dovecot_lists_later_is_taken_where_it_can_be(wait, open_store, before):
    before.deliver(name="1.a")
    (before.folder / "dovecot-uidlist").write_text("3 V1234567 N2\n1 :1.a\n")
    _, account = account_of(open_store, wait)
    inbox = wait(account.mailbox("INBOX"))
    before.deliver(name="2.b")
    (before.folder / "dovecot-uidlist").write_text("3 V1234567 N9\n1 :1.a\n8 :2.b\n")
    assert list(wait(inbox.uids())) == [1, 8]


def test_without_a_list_messages_come_in_their_order(wait, open_store, before):
    for name in ("20.b", "3.a", "other"):
        before.deliver(f"Subject: {name}\r\n\r\n".encode(), name=name)
    _, account = account_of(open_store, wait)
    headers = wait(wait(account.mailbox("INBOX")).fetch(UIDSet.span(1, 3), FetchItem.HEADER)).headers
    assert [header.split()[1] for header in headers] == [b"3.a", b"20.b", b"other"]


@pytest.mark.parametrize(
    ("text", "subscribed"),
    [
        ("V\t2\n\nWork\nWork\tEntw&APw-rfe\nINBOX\n", ["INBOX", "Work", "Work/Entwürfe"]),
        ("Work\nINBOX\n", ["INBOX", "Work"]),
        ("Work.Entw&APw-rfe\n", ["INBOX", "Work/Entwürfe"]),
        (None, ["INBOX", "Work", "Work/Entwürfe"]),
    ],
)
def test_folders_come_and_are_subscribed_as_they_were(wait, open_store, before, root, text, subscribed):
    for folder in (".Work", ".Work.Entw&APw-rfe"):
        Others(root / ANN / folder).make()
    if text is not None:
        (before.folder / "subscriptions").write_text(text)
    _, account = account_of(open_store, wait)
    assert [info.name for info in wait(account.mailboxes())] == ["INBOX", "Work", "Work/Entwürfe"]
    assert wait(account.subscriptions()) == subscribed


def test_folders_of_the_group_may_be_written_by_it(wait, reactor, tmp_path, root):
    store = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor, tree=Tree(root, shared=True))
    wait(store.start())
    wait(store.create_account(ANN))
    wait(store.deliver(transaction(place(ANN))))
    (path,) = (root / ANN / "new").iterdir()
    assert path.stat().st_mode & 0o7777 == 0o660
    assert (root / ANN / "cur").stat().st_mode & 0o7777 == 0o2770
    wait(store.stop())


def test_files_come_in_order_though_they_are_sorted_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "SORTED_AT_ONCE", 3)
    for part in ("cur", "new"):
        (tmp_path / part).mkdir()
    names = [b"%d.a.host" % (1_600_000_000 + number) for number in range(10)]
    for name in names:
        (tmp_path / "new" / name.decode()).touch()
    lines = [b"3 V7 N20", *(b"%d :%s" % (uid, name) for uid, name in ((5, names[9]), (9, names[4])))]
    (tmp_path / "dovecot-uidlist").write_bytes(b"\n".join(lines))
    difference = comparing.compare(bytes(tmp_path), [], {})
    assert [base for base, _ in difference.new] == [names[9], names[4], *names[:4], *names[5:9]]
