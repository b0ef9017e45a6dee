"""An import as a whole, from sources of its own, into a store in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from twisted.internet.defer import fail

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.moving import importing
from twisted_mail_node.moving.source import CannotRead, Known, Original, Unreadable, guid_of
from twisted_mail_node.node.control.operations import Refusal
from twisted_mail_node.testing.deferreds import result_of

DATE = InternalDate(1_600_000_000, 90)


def original(number, uid=None, content=None, flags=NO_FLAGS, date=DATE):
    content = b"Subject: %d\n\n" % number if content is None else content
    return Original(f"message {number}", guid_of(b"%d" % number), flags, date, lambda: iter([content]), uid)


@dataclass
class Box:
    found: list
    levels: list = field(default_factory=list)
    special_use: str | None = None
    subscribed: bool = True
    uid_validity: int | None = None
    uid_next: int = 1
    highest_modseq: int | None = None
    opened: list = field(default_factory=list)

    @property
    def amount(self):
        return len(self.found)

    def messages(self, known):
        for message in self.found:
            if isinstance(message, Exception):
                raise message
            if isinstance(message, Original) and message.guid in known:
                yield Known()
            else:
                yield message


class Boxes:
    def __init__(self, *boxes):
        self._boxes = boxes

    def mailboxes(self):
        for box in self._boxes:
            if isinstance(box, Exception):
                raise box
            yield box


def append(shop, name="INBOX"):
    """A message that comes by another way."""
    body = Body(11, 11, b"Subject: x\r")
    return result_of(shop.mailbox(name).append([(body, NO_FLAGS, DATE)])).target_uids[0]


def test_messages_come_with_all_they_have(shop):
    flags = Flags.from_names(["\\Seen", "work"])
    box = Box([original(1, 7, flags=flags), original(2, 12)], uid_validity=77, uid_next=50, highest_modseq=1000)
    report = shop.bring(Boxes(box))
    first, second = shop.seen()
    assert first == (7, b"Subject: 1\r\n\r\n", flags, DATE, guid_of(b"1"))
    assert second.uid == 12
    inbox = shop.shelved()["INBOX"]
    assert (inbox.uid_validity, inbox.uid_next, inbox.messages) == (77, 50, 2)
    assert inbox.highest_modseq > 1000
    assert (report.imported, report.known, report.octets) == (2, 0, 28)
    assert [(mailbox.name, mailbox.keeps_uids) for mailbox in report.mailboxes] == [("INBOX", True)]


def test_a_second_time_nothing_comes_twice(shop):
    box = Box([original(1, 7), original(2, 12)], uid_validity=77, uid_next=50)
    shop.bring(Boxes(box))
    before = shop.seen(), shop.shelved()
    box.found.append(original(3, 60))
    report = shop.bring(Boxes(box))
    assert (report.imported, report.known) == (1, 2)
    assert shop.seen()[:2] == before[0]
    assert [message.uid for message in shop.seen()] == [7, 12, 60]


def test_without_uids_there_the_mailbox_counts_by_itself(shop):
    report = shop.bring(Boxes(Box([original(1), original(2)])))
    assert [message.uid for message in shop.seen()] == [1, 2]
    assert not report.mailboxes[0].keeps_uids


def test_a_mailbox_with_mail_keeps_its_own_uids(shop):
    append(shop)
    before = shop.shelved()["INBOX"]
    report = shop.bring(Boxes(Box([original(1, 700)], uid_validity=77, uid_next=900)))
    inbox = shop.shelved()["INBOX"]
    assert (inbox.uid_validity, inbox.uid_next) == (before.uid_validity, 3)
    assert (report.mailboxes[0].keeps_uids, report.mailboxes[0].lost_uids) == (False, False)


def test_mail_that_comes_in_between_makes_clients_read_anew(shop):
    shop.bring(Boxes(Box([original(1, 7)], uid_validity=77, uid_next=8)))
    assert append(shop) == 8
    box = Box([original(1, 7), original(2, 8), original(3, 9)], uid_validity=77, uid_next=10)
    report = shop.bring(Boxes(box))
    inbox = shop.shelved()["INBOX"]
    assert inbox.uid_validity != 77
    assert [message.uid for message in shop.seen()] == [7, 8, 9, 10]
    assert report.mailboxes[0].lost_uids
    assert report.imported == 2
    assert shop.bring(Boxes(box)).imported == 0


def test_a_source_without_order_is_brought_all_the_same(shop, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_MESSAGES", 2)
    uids = [5, 6, 3, 4, 7, 8, 9]
    box = Box([original(number, uid) for number, uid in enumerate(uids)], uid_validity=77)
    report = shop.bring(Boxes(box))
    assert sorted(message.guid for message in shop.seen()) == sorted(guid_of(b"%d" % n) for n in range(7))
    assert report.imported == 7
    assert shop.shelved()["INBOX"].uid_validity != 77


@pytest.mark.parametrize("batch", [1, 2, 3, 250])
def test_what_cannot_be_read_is_told_and_the_rest_comes(shop, monkeypatch, batch):
    monkeypatch.setattr(importing, "BATCH_MESSAGES", batch)

    def broken():
        yield b"Subject: "
        raise OSError(5, "Input/output error")

    found = [
        original(1),
        Unreadable("one", "its reason"),
        Original("two", guid_of(b"two"), NO_FLAGS, DATE, broken),
        original(3, content=b""),
        original(4, content=b"no header \0"),
        original(5),
    ]
    report = shop.bring(Boxes(Box(found), Unreadable("Sent", "locked"), Box([original(6)], ["Last"])))
    assert shop.contents() == [b"Subject: 1\r\n\r\n", b"no header \0", b"Subject: 5\r\n\r\n"]
    assert shop.contents("Last") == [b"Subject: 6\r\n\r\n"]
    assert report.left_out.first == [
        ("one", "its reason"),
        ("two", "Input/output error"),
        ("message 3", "there is nothing in it"),
        ("Sent", "locked"),
    ]
    assert [name for name, _ in report.remarks.first] == ["message 4", "message 4"]


def test_a_mailbox_that_breaks_off_keeps_what_came_and_the_others_come(shop):
    report = shop.bring(Boxes(Box([original(1), CannotRead("went away")]), Box([original(2)], ["Next"])))
    assert len(shop.seen()) == len(shop.seen("Next")) == 1
    assert report.left_out.first == [("INBOX", "went away")]


def test_a_source_that_goes_away_is_told(shop):
    with pytest.raises(CannotRead, match="went away"):
        shop.bring(Boxes(Box([original(1)]), CannotRead("went away")))
    assert len(shop.seen()) == 1


def test_names_that_cannot_be_are_told(shop):
    report = shop.bring(Boxes(Box([original(1)], ["x" * 300])))
    assert report.left_out.count == 1
    assert set(shop.shelved()) == {"INBOX"}


def test_mailboxes_are_made_for_what_they_are(shop):
    shop.bring(
        Boxes(
            Box([], ["Sent"]),
            Box([], ["Sent Items"], special_use="\\Sent"),
            Box([], ["Papierkorb"], special_use="\\Trash", subscribed=False),
        )
    )
    found = {name: (box.special_use, box.subscribed) for name, box in shop.shelved().items()}
    assert found == {
        "INBOX": (None, True),
        "Sent": ("\\Sent", True),
        "Sent Items": (None, True),
        "Papierkorb": ("\\Trash", False),
    }


def test_all_of_it_can_be_put_below_a_mailbox(shop):
    shop.bring(Boxes(Box([original(1)]), Box([original(2)], ["Sent"])), into="Old")
    assert shop.contents("Old") == [b"Subject: 1\r\n\r\n"]
    assert shop.contents("Old/Sent") == [b"Subject: 2\r\n\r\n"]


def test_a_large_message_comes_whole(shop):
    content = b"Subject: large\n\n" + b"a line\n" * 200_000
    shop.bring(Boxes(Box([original(1, content=content), original(2)])))
    assert shop.contents()[0] == content.replace(b"\n", b"\r\n")


def test_dates_that_have_no_form_on_the_wire_are_moved(shop):
    shop.bring(Boxes(Box([original(1, date=InternalDate(-5)), original(2, date=InternalDate(10**15))])))
    assert [message.date[0] for message in shop.seen()] == [0, 253_402_214_400]


def test_a_modseq_that_is_not_known_is_not_gone_below(shop):
    shop.bring(Boxes(Box([original(1, 7)], uid_validity=77)))
    assert shop.shelved()["INBOX"].highest_modseq > 1_600_000_000


def test_a_store_that_fails_ends_it(shop, monkeypatch):
    mailbox = type(shop.mailbox())
    monkeypatch.setattr(mailbox, "restore", lambda self, messages: fail(TemporaryFailure("the storage is full")))
    with pytest.raises(Refusal, match="full"):
        shop.bring(Boxes(Box([original(1)])))


def test_many_reasons_are_counted_and_not_all_kept(shop, monkeypatch):
    monkeypatch.setattr(importing, "TOLD_AT_MOST", 2)
    report = shop.bring(Boxes(Box([Unreadable(str(number), "broken") for number in range(5)])))
    assert (report.left_out.count, len(report.left_out.first)) == (5, 2)


def test_progress_tells_all_of_the_amount(shop, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_MESSAGES", 3)
    box = Box([original(number) for number in range(20)])
    amounts, counts = [], []

    def advance(amount, count):
        amounts.append(amount)
        counts.append(count)

    for brought in (20, 0):
        importing.Import(shop.shelf, "joe@example.test", "", lambda *_: None, advance).run(Boxes(box))
        assert (sum(amounts), sum(counts)) == (20, brought)
        amounts.clear()
        counts.clear()


def test_what_goes_at_once_is_bounded_whatever_it_is(shop, monkeypatch):
    batches = []
    restore = shop.shelf.restore

    def noted(account, mailbox, messages):
        batches.append(len(messages))
        return restore(account, mailbox, messages)

    monkeypatch.setattr(shop.shelf, "restore", noted)
    keywords = Flags(0, [f"{number:0200}" for number in range(100)])
    many_to = b"To: " + b", ".join(b"x%d@far.test" % number for number in range(5000)) + b"\n\n"
    shop.bring(Boxes(Box([original(number, flags=keywords) for number in range(100)])))
    shop.bring(Boxes(Box([original(number, content=many_to) for number in range(100, 150)], ["Many"])))
    assert sum(batches) == 150
    assert max(batches[:4]) <= importing.BATCH_OCTETS // 20_000 + 1
    assert max(batches[4:]) <= importing.BATCH_OCTETS // (2 * len(many_to)) + 1
