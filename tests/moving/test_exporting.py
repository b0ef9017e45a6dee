"""Out of a store and into another: what comes is what was."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import fail

from twisted_mail_node.mail.columns import FetchItem, InternalDate
from twisted_mail_node.mail.errors import Damaged
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.restoring import RestoredMailbox, RestoredMessage
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.moving.exporting import Export, NoSuchMailboxes, chosen
from twisted_mail_node.moving.formats.maildir import Maildir
from twisted_mail_node.moving.formats.maildir_writing import MaildirTarget
from twisted_mail_node.moving.formats.mbox import Mbox
from twisted_mail_node.moving.formats.mbox_writing import MboxTarget
from twisted_mail_node.testing.deferreds import result_of

from .conftest import JOE, Shop

OTHER = "other@example.test"
FORMS = {"maildir": (MaildirTarget, Maildir), "mbox": (MboxTarget, Mbox)}
CONTENTS = [
    b"Subject: usual\r\n\r\nbody\r\n",
    b"Subject: no end\r\n",
    b"Subject: not even a line's",
    b"\r\n",
    b"\r\nno header",
    b"From nowhere Tue Nov 14 22:13:20 2023\r\n\r\n>From x\r\nFrom ann@a.test Tue Nov 14 22:13:20 2023\r\n\r\n",
    b"Subject: x\r\n\r\n\r\n\r\n\r\n",
    b"Subject: x\r\n\r\nlone \r returns \r\r\n\r\r\n",
    b"A: \r\r\n\r\r\nB: x\r\n\r\n\r\r\n",
    b"Status: RO\r\nX-UID: 3\r\nX-IMAPbase: 1 2\r\nContent-Length: 4\r\nX-Keywords: mine\r\n\r\nbody",
    b"Status: O\r\nX-UID: 1\r\nX-Mailnode-Entry: " + b"0" * 32 + b" 1 0 5 e\r\n\r\nbody\r\n",
    b"no header at all \0\xff\xfe",
    b"Subject: " + b"x" * 3000 + b"\r\n\r\n" + b"y" * 300_000,
    b"Subject: large\r\n\r\n" + b"From a line\r\n" * 40_000,
    b"Subject: large and odd\r\n\r\n" + b"a line\r\r\n" * 40_000,
    b"no header\r\n" * 120_000,
]


def fill(shop, messages, name="INBOX", uid_validity=1_234_567):
    """Put messages, given as content, flags, date and UID, into a mailbox."""
    account = result_of(shop.store.account(JOE))
    result_of(account.restore_mailbox(RestoredMailbox(name, None, uid_validity)))
    result_of(account.subscribe(name, True))
    restored = []
    for number, (content, flags, date, uid) in enumerate(messages):
        end = 2 if content.startswith(b"\r\n") else content.find(b"\n\r\n") + 3
        body = Body(len(content), end if end > 2 or content.startswith(b"\r\n") else len(content), content)
        restored.append(RestoredMessage(body, flags, date, f"{number:032x}", uid))
    result_of(shop.mailbox(name).restore(restored))


def export(shop, form, folder, *names):
    target = FORMS[form][0](folder)
    exporting = Export(shop.shelf, lambda name, amount: None, lambda amount, messages: None)
    exporting.run(JOE, chosen(shop.shelf, JOE, names), target)
    return exporting.report


def taken(shop, name):
    mailbox = shop.shelved(OTHER)[name]
    return mailbox.uid_validity, mailbox.uid_next, mailbox.subscribed, shop.seen(name, OTHER)


@pytest.mark.parametrize("form", FORMS)
def test_what_was_exported_is_imported_as_it_was(form, tmp_path):
    shop = Shop()
    flags = [Flags.from_names(names) for names in ((), ("\\Seen", "work"), ("\\Deleted", "$Forwarded", "B", "c"))]
    for name in ("INBOX", "Sent", "Lists/Entwürfe", "1.2/..", "&/ "):
        fill(
            shop,
            [
                (
                    content,
                    flags[number % 3],
                    InternalDate(1_600_000_000 + number, 60 * (number % 5) - 120),
                    3 + 2 * number,
                )
                for number, content in enumerate(CONTENTS)
            ],
            name,
        )
    report = export(shop, form, tmp_path / "out")
    assert (report.exported, report.left_out) == (5 * len(CONTENTS), [])
    shop.account(OTHER)
    assert shop.bring(FORMS[form][1](tmp_path / "out"), account=OTHER).left_out.count == 0
    for name, mailbox in shop.shelved().items():
        if mailbox.messages:
            expected = mailbox.uid_validity, mailbox.uid_next, mailbox.subscribed, shop.seen(name)
            assert taken(shop, name) == expected
    assert shop.bring(FORMS[form][1](tmp_path / "out"), account=OTHER).imported == 0


_line = st.sampled_from(
    [b"", b"x", b"From a", b">From Tue Nov 14 22:13:20 2023", b"\r", b"A: b", b"Status: R", b"\0\xff"]
)
_content = st.lists(_line, min_size=1, max_size=6).map(b"\r\n".join).filter(bool)
_flags = st.sets(st.sampled_from(["\\Seen", "\\Flagged", "\\Draft", "work", "$Forwarded"])).map(Flags.from_names)
_date = st.builds(InternalDate, st.integers(0, 2**32), st.integers(-1439, 1439))


@pytest.mark.parametrize("form", FORMS)
def test_any_message_comes_back(form, tmp_path_factory):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(_content, _flags, _date, st.none()), min_size=1, max_size=4))
    def comes_back(messages):
        shop, folder = Shop(), tmp_path_factory.mktemp("out")
        fill(shop, messages)
        export(shop, form, folder)
        shop.account(OTHER)
        shop.bring(FORMS[form][1](folder), account=OTHER)
        assert shop.seen(account=OTHER) == shop.seen()

    comes_back()


def usual(count):
    return [(b"Subject: %d\r\n\r\n" % n, Flags.from_names(["\\Seen"]), InternalDate(n), None) for n in range(count)]


def test_a_maildir_is_one_that_others_read(tmp_path):
    shop = Shop()
    fill(shop, [(b"A: b\r\n\r\nx\r\n", Flags.from_names(["\\Seen", "work"]), InternalDate(5, 60), 9)], "Lists/Twisted")
    export(shop, "maildir", tmp_path / "out")
    folder = tmp_path / "out" / ".Lists.Twisted"
    (message,) = os.listdir(folder / "cur")
    assert message == f"5.G{0:032x}Z+60.mailnode,S=8:2,Sa"
    assert (folder / "cur" / message).read_bytes() == b"A: b\n\nx\n"
    assert (folder / "cur" / message).stat().st_mtime == 5
    assert (folder / "dovecot-keywords").read_text() == "0 work\n"
    assert (folder / "dovecot-uidlist").read_text().splitlines() == [
        f"3 V1234567 N0000000010 G{1234567:016x}{shop.shelved()['Lists/Twisted'].mailbox_id:016x}",
        f"9 :5.G{0:032x}Z+60.mailnode,S=8",
    ]
    assert (tmp_path / "out" / "subscriptions").read_text() == "V\t2\n\nINBOX\nLists\tTwisted\n"
    assert (folder / "maildirfolder").exists()
    assert list((folder / "new").iterdir()) == list((folder / "tmp").iterdir()) == []


def test_a_second_export_brings_a_maildir_up_to_date(tmp_path):
    shop = Shop()
    fill(shop, usual(3))
    export(shop, "maildir", tmp_path)
    files = sorted(os.listdir(tmp_path / "cur"))
    (tmp_path / "cur" / files[0]).write_bytes(b"cut o")
    inbox = shop.mailbox()
    result_of(inbox.store_flags(UIDSet.of([2]), FlagChange.ADD, Flags.from_names(["\\Flagged"])))
    result_of(inbox.append([(Body(2, 2, b"\r\n"), Flags(), InternalDate(9))]))
    report = export(shop, "maildir", tmp_path)
    assert (report.exported, report.there_already) == (2, 2)
    assert len(os.listdir(tmp_path / "cur")) == 4
    shop.account(OTHER)
    shop.bring(Maildir(tmp_path), account=OTHER)
    assert shop.seen(account=OTHER) == shop.seen()


def test_mail_of_others_is_not_mixed_with_ours(tmp_path):
    shop = Shop()
    fill(shop, usual(1))
    for part in ("cur", "new", "tmp"):
        (tmp_path / part).mkdir()
    (tmp_path / "cur" / "1.M1.host:2,S").write_bytes(b"theirs")
    report = export(shop, "maildir", tmp_path)
    ((where, reason),) = report.left_out
    assert where == f"{JOE} INBOX"
    assert "mail of others" in reason
    assert os.listdir(tmp_path / "cur") == ["1.M1.host:2,S"]


def test_keywords_beyond_the_alphabet_are_told(tmp_path):
    shop = Shop()
    flags = Flags.from_names([f"k{number:02}" for number in range(30)])
    fill(shop, [(b"A: b\r\n\r\n", flags, InternalDate(0), None)])
    report = export(shop, "maildir", tmp_path)
    assert report.left_out == [(f"{JOE} INBOX", "4 keywords were left out: a Maildir folder has 26 at most")]
    shop.account(OTHER)
    shop.bring(Maildir(tmp_path), account=OTHER)
    assert len(shop.seen(account=OTHER)[0].flags.keywords) == 26


def test_an_mbox_takes_the_place_of_the_one_before_when_it_is_whole(tmp_path):
    shop = Shop()
    fill(shop, usual(2))
    export(shop, "mbox", tmp_path)
    before = (tmp_path / "INBOX.mbox").read_bytes()
    export(shop, "mbox", tmp_path)
    assert (tmp_path / "INBOX.mbox").read_bytes() == before
    assert os.listdir(tmp_path) == ["INBOX.mbox"]


def test_mailboxes_are_chosen_by_name(tmp_path):
    shop = Shop()
    fill(shop, usual(1), "Sent")
    assert export(shop, "mbox", tmp_path, "Sent").mailboxes == 1
    assert os.listdir(tmp_path) == ["Sent.mbox"]
    with pytest.raises(NoSuchMailboxes, match="None"):
        export(shop, "mbox", tmp_path, "inbox", "None")


@pytest.mark.parametrize("form", FORMS)
def test_a_name_that_is_too_long_is_told_and_the_rest_comes(form, tmp_path):
    shop = Shop()
    fill(shop, usual(1), "é" * 127)
    fill(shop, usual(1), "y" * 200)
    report = export(shop, form, tmp_path, "é" * 127, "y" * 200)
    assert (report.exported, len(report.left_out)) == (1, 1)
    assert "too long" in report.left_out[0][1]


@pytest.mark.parametrize("form", FORMS)
def test_damaged_messages_are_told_and_the_rest_comes(form, tmp_path, monkeypatch):
    shop = Shop()
    large = b"Subject: large\r\n\r\n" + b"x" * 3_000_000
    fill(shop, [(large, Flags(), InternalDate(0), None), *usual(9)])
    door, opened = type(shop.mailbox()), type(result_of(shop.mailbox().open_body(1)))
    fetch, read = door.fetch, opened.read

    def fetch_with_damage(self, uids, items):
        return fail(Damaged("a body is damaged")) if items & FetchItem.BODY and 4 in uids else fetch(self, uids, items)

    def read_with_damage(self, offset, length):
        return fail(Damaged("a body is damaged")) if offset > 2_000_000 else read(self, offset, length)

    monkeypatch.setattr(door, "fetch", fetch_with_damage)
    monkeypatch.setattr(opened, "read", read_with_damage)
    report = export(shop, form, tmp_path)
    assert (report.exported, report.left_out) == (
        8,
        [(f"{JOE} INBOX, UID {uid}", "it is damaged in the store") for uid in (1, 4)],
    )
    monkeypatch.undo()
    shop.account(OTHER)
    assert shop.bring(FORMS[form][1](tmp_path), account=OTHER).imported == 8
    assert shop.seen(account=OTHER) == [row for row in shop.seen() if row.uid not in (1, 4)]
    assert shop.shelved(OTHER)["INBOX"].uid_validity == shop.shelved()["INBOX"].uid_validity
