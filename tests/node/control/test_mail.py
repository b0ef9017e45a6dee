"""Mail in bulk through the control socket's operations, on a store in memory."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_mail_node.interfaces.store import IAccount
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.errors import UIDTaken
from twisted_mail_node.mail.flags import NO_FLAGS
from twisted_mail_node.mail.restoring import RestoredMailbox, RestoredMessage
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.node.control import mail
from twisted_mail_node.node.control.mail import MailDesk
from twisted_mail_node.node.control.operations import Refusal
from twisted_mail_node.node.control.shelf import NodeShelf
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE = "joe@example.test"
DATE = InternalDate(5, 60)


class Asking:
    """Asks a desk in this very process."""

    def __init__(self, desk):
        self.desk = desk

    def begin(self, name, arguments, octets=b""):
        answer = Deferred.fromCoroutine(self.desk.perform(name, arguments, octets))
        asking = type("Asked", (), {"wait": lambda self: result_of(answer)})
        return asking()


@pytest.fixture
def store():
    store = MemoryStore(Clock())
    result_of(store.start())
    result_of(store.create_account(JOE))
    return store


@pytest.fixture
def asking(store):
    return Asking(MailDesk(store))


@pytest.fixture
def shelf(asking):
    return NodeShelf(asking)


def message(number, uid=None, envelope=None, content=None):
    content = b"Subject: %d\r\n\r\n" % number if content is None else content
    return RestoredMessage(
        Body(len(content), len(content), content, envelope=envelope), NO_FLAGS, DATE, f"{number:032x}", uid
    )


def inbox_of(store):
    return result_of(result_of(store.account(JOE)).mailbox("INBOX"))


def test_messages_go_in_and_come_out_in_pages(store, shelf, monkeypatch):
    monkeypatch.setattr(mail, "GUIDS_AT_ONCE", 3)
    monkeypatch.setattr(mail, "MESSAGES_AT_ONCE", 4)
    (inbox,) = shelf.mailboxes(JOE)
    shelf.restore(JOE, inbox, [message(number, 3 * number + 1, b"(E%d)" % number) for number in range(10)]).wait()
    guids = [guid for page in shelf.guids(JOE, inbox) for guid in page]
    assert guids == [number.to_bytes(16, "big") for number in range(10)]
    found = list(shelf.messages(JOE, inbox))
    assert [row.uid for row in found] == list(range(1, 31, 3))
    assert [row.content for row in found] == [b"Subject: %d\r\n\r\n" % number for number in range(10)]
    assert {row.internal_date for row in found} == {DATE}
    assert shelf.accounts() == [JOE]


def test_an_answer_is_bounded_in_octets(asking, shelf, monkeypatch):
    monkeypatch.setattr(mail, "ANSWER_OCTETS", 30)
    (inbox,) = shelf.mailboxes(JOE)
    shelf.restore(JOE, inbox, [message(number) for number in range(5)]).wait()
    told, octets = asking.begin("mail.page", {"account": JOE, "mailbox": inbox.mailbox_id, "after": 0}).wait()
    assert (len(told["messages"]), told["last"], len(octets)) == (3, 3, 42)
    assert len(list(shelf.messages(JOE, inbox))) == 5


def test_a_large_message_goes_in_and_comes_out_in_parts(store, asking, shelf, monkeypatch):
    monkeypatch.setattr(mail, "ANSWER_OCTETS", 100_000)
    content = b"Subject: x\r\n\r\n" + b"y" * 400_000
    writer = asking.begin("mail.stage", {}).wait()[0]["writer"]
    for start in range(0, len(content), 150_000):
        asking.begin("mail.write", {"writer": writer}, content[start : start + 150_000]).wait()
    told = {"writer": writer, "header_size": 14, "eight_bit": False}
    staged = asking.begin("mail.finish", told).wait()[0]["staged"]
    (inbox,) = shelf.mailboxes(JOE)
    body = Body(len(content), 14, staged=staged)
    shelf.restore(JOE, inbox, [RestoredMessage(body, NO_FLAGS, DATE, "0" * 32)]).wait()
    (found,) = shelf.messages(JOE, inbox)
    assert found.content is None
    assert b"".join(shelf.pieces(JOE, inbox, found)) == content


def test_a_uid_that_is_taken_is_told_as_such(shelf):
    (inbox,) = shelf.mailboxes(JOE)
    shelf.restore(JOE, inbox, [message(1, 5)]).wait()
    with pytest.raises(UIDTaken):
        shelf.restore(JOE, inbox, [message(2, 5)]).wait()


def test_what_is_gone_is_left_out(store, shelf):
    (inbox,) = shelf.mailboxes(JOE)
    shelf.restore(JOE, inbox, [message(number) for number in range(3)]).wait()
    reading = shelf.messages(JOE, inbox)
    result_of(inbox_of(store).expunge(UIDSet.of([2]), only_deleted=False))
    assert [row.uid for row in reading] == [1, 3]


def test_a_body_that_nobody_finishes_is_given_up(asking, monkeypatch):
    for _ in range(mail.MAX_WRITERS):
        asking.begin("mail.stage", {}).wait()
    with pytest.raises(Refusal, match="too many"):
        asking.begin("mail.stage", {}).wait()
    aborted = []
    for number, writer in asking.desk._writers.items():
        monkeypatch.setattr(writer, "abort", lambda number=number: aborted.append(number))
    asking.desk.close()
    assert aborted == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "arguments", "octets"),
    [
        ("mail.mailboxes", {}, b""),
        ("mail.mailboxes", {"account": "nobody@example.test"}, b""),
        ("mail.guids", {"account": JOE, "mailbox": 99, "after": 0}, b""),
        ("mail.guids", {"account": JOE, "mailbox": 1, "after": "x"}, b""),
        ("mail.write", {"writer": 7}, b"x"),
        ("mail.prepare", {"account": JOE, "mailbox": ["a//b", None, None, 1, 0], "subscribed": True}, b""),
        ("mail.prepare", {"account": JOE, "mailbox": ["a", None, 0, 1, 0], "subscribed": True}, b""),
        ("mail.renew", {"account": JOE, "mailbox": "None"}, b""),
        ("mail.restore", {"account": JOE, "mailbox": 1, "messages": [[1, 2]]}, b""),
        (
            "mail.restore",
            {"account": JOE, "mailbox": 1, "messages": [["0" * 32, None, 0, "", 5, 0, 9, 9, False, None, None]]},
            b"short",
        ),
        ("mail.part", {"account": JOE, "mailbox": 1, "uid": 5, "offset": 0}, b""),
    ],
)
def test_what_cannot_be_done_is_refused(store, asking, name, arguments, octets):
    before = result_of(inbox_of(store).status())
    with pytest.raises(Refusal):
        asking.begin(name, arguments, octets).wait()
    assert result_of(inbox_of(store).status()) == before


def test_a_store_that_cannot_put_mail_back_says_so(monkeypatch):
    @implementer(IAccount)
    class Plain:
        pass

    class Store:
        def account(self, name):
            return Deferred.fromCoroutine(self._account())

        async def _account(self):
            return Plain()

    shelf = NodeShelf(Asking(MailDesk(Store())))
    with pytest.raises(Refusal, match="cannot put mail back"):
        shelf.prepare(JOE, RestoredMailbox("a"), True)


def test_what_was_begun_first_goes_in_first_though_its_mailbox_is_found_late(store, asking, shelf, monkeypatch):
    (inbox,) = shelf.mailboxes(JOE)
    account, late = store.account, []

    def found_late(name):
        late.append(Deferred())
        return late[-1]

    monkeypatch.setattr(store, "account", found_late)
    first = shelf.restore(JOE, inbox, [message(1, 5)])
    second = shelf.restore(JOE, inbox, [message(2, 6)])
    for deferred in reversed(late):
        deferred.callback(result_of(account(JOE)))
    first.wait()
    second.wait()
    assert [row.uid for row in shelf.messages(JOE, inbox)] == [5, 6]
