"""What the node makes of a store that does only what it has to: how often it asks, and what it remembers."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from zope.interface import directlyProvides

from twisted_mail_node.interfaces.required_store import IBasicAccount, IBasicMailbox, IBasicStore
from twisted_mail_node.interfaces.store import IDirectory, IMaildropLock, IRecent
from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.errors import NoSuchAccount, PermanentFailure
from twisted_mail_node.mail.flags import NO_FLAGS, FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.completed import AccountDirectory, CompletedStore
from twisted_mail_node.store.completed.columns import GROUP_OCTETS
from twisted_mail_node.store.completed.memory import MadeOfMessages, MessageKey
from twisted_mail_node.store.completed.overview import ROWS
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.samples import DATE, body, filled_inbox, flags, message, place, transaction

ANN = "ann@example.test"
EVERYTHING = UIDSet.span(1, 2**32 - 1)
LACKING = {FetchItem.HEADER: "headers", FetchItem.ENVELOPE: "envelopes", FetchItem.EMAIL_ID: "email_ids"}


class Basic:
    """A door of MemoryStore that provides the required part alone, and counts how often it is asked for what."""

    def __init__(self, door, provided, asked):
        directlyProvides(self, provided)
        self._door, self._asked = door, asked

    def __getattr__(self, name):
        attribute = getattr(self._door, name)
        inner = {"account": IBasicAccount, "mailbox": IBasicMailbox}.get(name)
        if inner is None or not callable(attribute):
            return attribute
        return lambda key: attribute(key).addCallback(Basic, inner, self._asked)

    def fetch(self, uids, items):
        self._asked.append(items)
        columns = self._door.fetch(uids, items)
        return columns.addCallback(_without)


def _without(columns):
    for name in (*LACKING.values(), "body_structures", "guids"):
        setattr(columns, name, None)
    return columns


class Setting:
    """A completed store with one account."""

    def __init__(self, **settings):
        self.reactor = SteeredReactor()
        self.memory = MemoryStore(self.reactor)
        self.asked = []
        self.basic = Basic(self.memory, IBasicStore, self.asked)
        self.store = CompletedStore(self.basic, reactor=self.reactor, **settings)
        self.wait(self.store.start())
        self.wait(self.memory.create_account(ANN))

    def wait(self, deferred):
        return self.reactor.wait_for(deferred)

    def run(self, story):
        return self.wait(Deferred.fromCoroutine(story))

    def inbox(self, *messages):
        async def made():
            return await filled_inbox(await self.store.account(ANN), *messages)

        inbox = self.run(made())
        self.asked.clear()
        return inbox


@pytest.fixture
def setting():
    setting = Setting()
    yield setting
    setting.wait(setting.store.stop())


def test_what_was_computed_once_is_remembered(setting):
    inbox = setting.inbox(NO_FLAGS, NO_FLAGS)
    first = setting.wait(inbox.fetch(EVERYTHING, FetchItem.HEADER | FetchItem.EMAIL_ID))
    bodies = [items for items in setting.asked if FetchItem.BODY in items]
    again = setting.wait(inbox.fetch(EVERYTHING, FetchItem.HEADER | FetchItem.EMAIL_ID))
    assert len(bodies) == 1
    assert again == first
    assert [items for items in setting.asked if FetchItem.BODY in items] == bodies


def test_a_column_that_was_left_out_is_not_asked_for_again(setting):
    inbox = setting.inbox(NO_FLAGS)
    setting.wait(inbox.fetch(UIDSet.of([7]), FetchItem.HEADER))
    assert setting.asked == [FetchItem.HEADER], "of no message nothing can be told"
    setting.wait(inbox.fetch(EVERYTHING, FetchItem.HEADER))
    setting.asked.clear()
    setting.wait(inbox.fetch(EVERYTHING, FetchItem.HEADER | FetchItem.FLAGS))
    assert setting.asked == [FetchItem.FLAGS]


def test_memory_is_bounded_and_the_longest_unused_goes_first():
    made = MadeOfMessages(10_000)
    keys = [MessageKey(ANN, 1, 1, uid) for uid in range(100)]
    for key in keys:
        made.put(key, FetchItem.HEADER, b"h" * 500)
        assert made.get(keys[0], FetchItem.HEADER) is not None, "used all the time"
        assert made.octets <= 10_000
    assert made.get(keys[1], FetchItem.HEADER) is None
    assert made.get(keys[99], FetchItem.HEADER) == b"h" * 500


def test_memory_counts_what_it_has():
    made = MadeOfMessages(100_000)
    key = MessageKey(ANN, 1, 1, 1)
    made.put(key, FetchItem.ENVELOPE, b"e" * 1000)
    one = made.octets
    made.put(key, FetchItem.ENVELOPE, b"e" * 1000)
    assert made.octets == one
    made.put(key, FetchItem.BODY_STRUCTURE, b"s" * 1000)
    assert made.octets == one + 1000
    made.put(key, FetchItem.HEADER, b"h" * 50_000)
    assert made.get(key, FetchItem.HEADER) is None, "it would take the place of all others"


def test_an_account_made_anew_is_not_taken_for_the_old_one(setting):
    setting.inbox()

    async def one(subject):
        await setting.store.deliver(transaction(place(ANN), bodies=(body(message(subject=subject)),)))
        inbox = await (await setting.store.account(ANN)).mailbox("INBOX")
        return (await inbox.fetch(UIDSet.of([1]), FetchItem.HEADER)).headers[0]

    assert b"Subject: old" in setting.run(one("old"))
    setting.wait(setting.memory.remove_account(ANN))
    setting.wait(setting.memory.create_account(ANN))
    assert b"Subject: new" in setting.run(one("new"))


def test_others_have_their_turn_while_bodies_are_looked_through(setting, monkeypatch):
    inbox = setting.inbox()
    content = message("x" * 200_000)
    setting.wait(inbox.append([(body(content), NO_FLAGS, DATE)] * 10))
    turns, call_later = [], setting.reactor.callLater
    monkeypatch.setattr(setting.reactor, "callLater", lambda *call: turns.append(call) or call_later(*call))
    assert len(setting.wait(inbox.fetch(EVERYTHING, FetchItem.HEADER))) == 10
    assert len(turns) >= 10 * len(content) // GROUP_OCTETS


def test_keywords_are_looked_up_again_only_where_some_may_have_gone(setting):
    inbox = setting.inbox(flags("one"), NO_FLAGS)
    assert setting.wait(inbox.keywords()) == ["one"]
    assert setting.asked
    setting.inbox(flags("two"))
    assert setting.wait(inbox.keywords()) == ["one", "two"]
    assert setting.asked == [], "what came is told by the changes"
    setting.wait(inbox.store_flags(UIDSet.of([1]), FlagChange.REMOVE, flags("one")))
    assert setting.wait(inbox.keywords()) == ["two"]
    assert setting.asked == [FetchItem.FLAGS]


def test_the_flags_of_a_large_mailbox_are_looked_up_in_slices(setting):
    inbox = setting.inbox(*[flags("\\Seen")] * (ROWS + 10), NO_FLAGS, NO_FLAGS)
    assert setting.wait(inbox.first_unseen()) == ROWS + 11
    assert len(setting.asked) == 2


def test_one_large_body_is_in_memory_at_a_time(setting):
    setting.inbox()
    waiting, deliver = [], setting.memory.deliver

    def slow(transaction):
        waiting.append(Deferred())
        return waiting[-1].addCallback(lambda _: deliver(transaction))

    setting.memory.deliver = slow

    async def staged():
        writer = setting.store.stage_body()
        await writer.write(message("x" * 300_000))
        return await writer.finish(10, False)

    delivering = [setting.store.deliver(transaction(place(ANN), bodies=(setting.run(staged()),))) for _ in range(3)]
    for number in range(3):
        while len(waiting) == number:
            setting.wait(setting.reactor.turn())
        setting.wait(setting.reactor.turn())
        assert len(waiting) == number + 1
        waiting[number].callback(None)
    for deferred in delivering:
        setting.wait(deferred)


def test_a_commit_goes_on_though_nobody_waits_for_it(setting):
    inbox = setting.inbox(NO_FLAGS)
    held, copy = Deferred(), setting.memory.deliver
    setting.memory.deliver = lambda transaction: held.addCallback(lambda _: copy(transaction))
    given_up = setting.store.deliver(transaction(place(ANN)))
    given_up.addErrback(lambda failure: None)
    given_up.cancel()
    held.callback(None)
    assert setting.wait(inbox.uids()) == UIDSet.span(1, 2)


def test_what_else_the_store_provides_is_found_through_it(setting):
    whole = CompletedStore(setting.memory, reactor=setting.reactor)
    assert IDirectory(whole) is setting.memory
    assert IMaildropLock(whole) is setting.memory
    assert IMaildropLock(setting.store, None) is None
    assert not IRecent.providedBy(setting.wait(setting.basic.account(ANN)))


def test_accounts_are_users_without_passwords_of_ours(setting):
    directory = AccountDirectory(setting.store, setting.reactor)
    assert setting.wait(directory.password_hash(ANN)) == "!"
    assert setting.wait(directory.password_hash("nobody@example.test")) is None
    assert setting.wait(directory.users()) == [ANN]
    assert list(setting.wait(directory.alias("all@example.test"))) == []
    assert list(setting.wait(directory.aliases())) == []
    for refused in (
        directory.add_user("new@example.test", "hash"),
        directory.remove_user(ANN),
        directory.set_password_hash(ANN, "hash"),
        directory.set_alias("all@example.test", ()),
    ):
        with pytest.raises(PermanentFailure, match="application"):
            setting.wait(refused)
    before = directory.version
    setting.reactor.advance(5)
    assert directory.version > before, "accounts come and go without a word"


def test_accounts_of_a_store_that_makes_them_can_be_made(setting):
    directory = AccountDirectory(setting.memory, setting.reactor, setting.memory)
    before = directory.version
    setting.wait(directory.add_user("new@example.test", "hash", [("Sent", "\\Sent")]))
    assert directory.version > before
    assert setting.wait(directory.password_hash("new@example.test")) == "!"
    setting.wait(directory.set_alias("all@example.test", ()))
    setting.wait(directory.remove_user("new@example.test"))
    with pytest.raises(NoSuchAccount):
        setting.wait(setting.memory.account("new@example.test"))
