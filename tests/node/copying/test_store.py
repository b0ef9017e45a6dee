"""A store copied into another: by their doors, both in memory, and cut off at every step."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from twisted_mail_node.interfaces.store import IACL, IMetadata, IQuota
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.annotation import THE_ACCOUNT, Annotation
from twisted_mail_node.mail.app_password import AppPassword
from twisted_mail_node.mail.columns import FetchItem, InternalDate
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.mail.errors import Damaged, TemporaryFailure
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions
from twisted_mail_node.mail.quota import NO_RULES, QuotaLimits, QuotaRules
from twisted_mail_node.mail.restoring import RestoredMailbox, RestoredMessage
from twisted_mail_node.mail.rights import RightsChange, rights_of
from twisted_mail_node.mail.scram import ScramHash, ScramVerifier
from twisted_mail_node.mail.transaction import Body, Outgoing, Placement, Transaction
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.node.copying import mailboxes
from twisted_mail_node.node.copying.mailboxes import Unlike
from twisted_mail_node.node.copying.store import copy_store
from twisted_mail_node.node.doors import all_in_one
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE, ANN, LIST = "joe@a.test", "ann@a.test", "list@a.test"
ITEMS = FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.GUID | FetchItem.EMAIL_ID
SMALL = (Body(2, 2, b"\r\n"), Flags(), InternalDate(0))
LARGE = b"Subject: large\r\n\r\n" + b"a line\r\n" * 100_000


def new_storage(rules=NO_RULES):
    store = MemoryStore(Clock(), rules)
    result_of(store.start())
    return all_in_one(store)


@pytest.fixture
def source():
    """A store with everything in it."""
    storage = new_storage()
    store = storage.store
    result_of(store.add_user(JOE, "hash of joe", [("Sent", "\\Sent"), ("Trash", None)]))
    verifier = ScramVerifier.from_password("secret", ScramHash.SHA_256, b"salt", 4096)
    result_of(store.keep_verifiers(JOE, "hash of joe", [verifier]))
    for label in ("phone", "laptop"):
        result_of(store.add_app_password(JOE, AppPassword(label=label, digest=label.encode(), created=1, last_used=2)))
    result_of(store.add_user(ANN, "hash of ann"))
    result_of(store.create_account(LIST))
    result_of(store.set_alias("info@a.test", [Address("joe", "a.test"), Address("x", "far.test")]))
    account = result_of(store.account(JOE))
    result_of(account.subscribe("Trash", False))
    result_of(account.subscribe("INBOX", False))
    result_of(account.subscribe("Gone", True))
    result_of(account.restore_mailbox(RestoredMailbox("Old/Box", "\\Archive", 77, 1, 9000)))
    old = result_of(account.mailbox("Old/Box"))
    messages = []
    for number in range(30):
        content = LARGE if number == 7 else b"Subject: %d\r\n\r\n%s" % (number, b"\xe9" * number)
        size = content.index(b"\r\n\r\n") + 4
        flags = Flags.from_names(["\\Seen", "work"] if number % 2 else ["\\Deleted"])
        date = InternalDate(number, 60)
        messages.append(
            RestoredMessage(Body(len(content), size, content), flags, date, f"{number:032x}", 3 * number + 1)
        )
    result_of(old.restore(messages))
    result_of(old.expunge(UIDSet.of([1, 88]), only_deleted=False))
    box = old.mailbox_id
    result_of(store.annotate(JOE, box, JOE, {"/shared/comment": b"old", "/private/comment": b"mine"}, 10))
    result_of(store.annotate(JOE, box, ANN, {"/private/comment": b"ann's"}, 10))
    result_of(store.set_quota(JOE, QuotaLimits(10**9, 30)))
    result_of(store.annotate(JOE, THE_ACCOUNT, JOE, {"/private/x": b""}, 10))
    for identifier, letters in ((ANN, "lrs"), ("anyone", "l"), ("-" + LIST, "l")):
        result_of(store.change_rights(JOE, box, identifier, RightsChange.REPLACE, rights_of(letters)))
    content = b"Subject: sent\r\n\r\n"
    bodies = (Body(len(content), len(content), content), Body(len(content), len(content), content))
    outgoing = (
        Outgoing(0, Address("joe", "a.test"), Address("x", "far.test"), Address("info", "a.test")),
        Outgoing(
            1,
            None,
            Address("y", "far.test"),
            body_type=BodyType.EIGHT_BIT_MIME,
            options=MailOptions(hold_until=900.0, envelope_id="one"),
            recipient_options=RecipientOptions(notify=Notify.SUCCESS),
        ),
    )
    placements = (Placement(JOE, "INBOX", 0, InternalDate(5), prefix=b"Return-Path: <x@far.test>\r\n"),)
    result_of(store.deliver(Transaction("first", 5.0, bodies, placements, outgoing)))
    result_of(store.deliver(Transaction("second", 6.0, bodies[:1], (), outgoing[:1])))
    return storage


def run(source, target):
    copying = copy_store(source, target, lambda name, amount: None, lambda amount, messages: None)
    return result_of(Deferred.fromCoroutine(copying))


def contents(storage):
    """All that can be seen in a store, but for what is its own."""
    store = storage.store
    seen = {"aliases": dict(result_of(store.aliases()))}
    for name in result_of(store.accounts()):
        account = result_of(store.account(name))
        seen[name] = [result_of(store.password_hash(name)), result_of(account.subscriptions())]
        seen[name].append(list(result_of(store.all_annotations(name, THE_ACCOUNT))))
        seen[name].append(result_of(store.quota(name)))
        seen[name] += [tuple(result_of(store.verifiers(name))), list(result_of(store.app_passwords(name)))]
        for info in result_of(account.mailboxes()):
            mailbox = result_of(account.mailbox(info.name))
            status = result_of(mailbox.status())
            columns = result_of(mailbox.fetch(result_of(mailbox.uids()), ITEMS))
            bodies = []
            for uid in columns.uids:
                opened = result_of(mailbox.open_body(uid))
                bodies.append(result_of(opened.read(0, opened.size)))
            seen[name].append(
                (info.name, info.special_use, status.uid_validity, status.uid_next, status.unseen, status.size)
            )
            seen[name].append(list(result_of(store.all_annotations(name, info.mailbox_id))))
            seen[name].append(dict(result_of(store.acl(name, info.mailbox_id))))
            seen[name].append(
                (columns.uids, columns.flags, columns.internal_dates, columns.guids, columns.email_ids, bodies)
            )
    seen["queue"] = [
        (
            item.transaction_id,
            item.sender,
            item.recipient,
            item.original_recipient,
            item.body_type,
            item.body_size,
            item.header_size,
            item.created,
            item.options,
            item.recipient_options,
        )
        for item in result_of(store.items())
    ]
    return seen


def test_everything_is_copied(source):
    target = new_storage()
    counts = run(source, target)
    assert contents(target) == contents(source)
    assert (counts.accounts, counts.aliases, counts.messages, counts.items) == (3, 1, 29, 3)
    assert counts.differences == []
    copied = result_of(result_of(target.store.account(JOE)).mailbox("Old/Box"))
    assert result_of(copied.status()).highest_modseq > 9000


def test_annotations_are_copied_to_whose_they_are_and_missed_where_they_are_not(source, monkeypatch):
    target = new_storage()
    run(source, target)
    box = result_of(result_of(target.store.account(JOE)).mailbox("Old/Box")).mailbox_id
    assert list(result_of(target.store.all_annotations(JOE, box))) == [
        Annotation("/shared/comment", "", b"old"),
        Annotation("/private/comment", ANN, b"ann's"),
        Annotation("/private/comment", JOE, b"mine"),
    ]
    monkeypatch.setattr(MemoryStore, "annotate", lambda *args: succeed(0))
    assert run(source, new_storage()).differences == [
        f"{JOE} itself: annotations are missing",
        f"{JOE} Old/Box: annotations are missing",
    ]


def test_a_store_without_annotations_and_quotas_takes_the_rest(source, monkeypatch):
    monkeypatch.setattr(IMetadata, "providedBy", lambda door: False)
    monkeypatch.setattr(IQuota, "providedBy", lambda door: False)
    assert run(source, new_storage()).differences == []


def test_rights_become_what_they_are_in_the_source_and_differences_are_told(source, monkeypatch):
    target = new_storage()
    run(source, target)
    box = result_of(result_of(target.store.account(JOE)).mailbox("Old/Box")).mailbox_id
    wanted = {ANN: rights_of("lrs"), "-" + LIST: rights_of("l"), "anyone": rights_of("l")}
    assert dict(result_of(target.store.acl(JOE, box))) == wanted
    for identifier, change in ((ANN, RightsChange.REPLACE), (LIST, RightsChange.ADD)):
        result_of(target.store.change_rights(JOE, box, identifier, change, rights_of("a")))
    assert run(source, target).differences == []
    assert dict(result_of(target.store.acl(JOE, box))) == wanted
    result_of(target.store.change_rights(JOE, box, LIST, RightsChange.ADD, rights_of("a")))
    monkeypatch.setattr(MemoryStore, "change_rights", lambda *args: succeed(0))
    assert run(source, target).differences == [f"{JOE} Old/Box: rights of others differ"]


def test_a_store_without_rights_takes_the_rest(source, monkeypatch):
    monkeypatch.setattr(IACL, "providedBy", lambda store: False)
    assert run(source, new_storage()).differences == []


def test_a_second_time_nothing_is_copied_twice(source):
    target = new_storage()
    run(source, target)
    counts = run(source, target)
    assert (counts.messages, counts.items, counts.differences) == (0, 0, [])
    assert contents(target) == contents(source)


@pytest.mark.parametrize("limits", [QuotaLimits(None, 0), None])
def test_no_limit_stops_what_an_account_holds_already(source, limits):
    target = new_storage(QuotaRules(QuotaLimits(1, None)))
    for _ in range(2):
        result_of(source.store.set_quota(JOE, None))
        result_of(result_of(result_of(source.store.account(JOE)).mailbox("Sent")).append([SMALL]))
        result_of(source.store.set_quota(JOE, limits))
        assert run(source, target).differences == []
    quota = result_of(target.store.quota(JOE))
    assert (quota.messages, quota.is_own) == (31, limits is not None)
    assert not quota.has_room()


def test_limits_come_back_where_a_copy_is_cut_off(source, monkeypatch):
    target = new_storage(QuotaRules(QuotaLimits(1, None)))
    inbox = result_of(result_of(source.store.account(JOE)).mailbox("INBOX"))
    monkeypatch.setattr(type(inbox), "restore", lambda self, messages: fail(TemporaryFailure("cut off")))
    with pytest.raises(TemporaryFailure):
        run(source, target)
    assert result_of(target.store.quota(JOE)).limits == QuotaLimits(1, None)


def test_an_app_password_that_was_revoked_meanwhile_is_revoked_in_the_copy(source):
    target = new_storage()
    run(source, target)
    result_of(source.store.remove_app_password(JOE, "phone"))
    result_of(source.store.app_password_used(JOE, "laptop", 77))
    run(source, target)
    assert [(each.label, each.last_used) for each in result_of(target.store.app_passwords(JOE))] == [("laptop", 77)]


def test_what_was_cut_off_anywhere_is_gone_on_with(source, monkeypatch):
    monkeypatch.setattr(mailboxes, "MESSAGES_AT_ONCE", 4)
    target = new_storage()
    store, mailbox_door = MemoryStore, type(result_of(result_of(source.store.account(JOE)).mailbox("INBOX")))
    account_door = type(result_of(source.store.account(JOE)))
    failing = [
        (store, "add_user"),
        (store, "create_account"),
        (store, "set_alias"),
        (store, "keep_verifiers"),
        (store, "add_app_password"),
        (store, "deliver"),
        (account_door, "restore_mailbox"),
        (account_door, "subscribe"),
        *[(mailbox_door, "restore")] * 9,
    ]
    broken = 0
    for times in range(1, 10):
        for owner, name in dict.fromkeys(failing):
            original, calls = getattr(owner, name), []

            def breaks(self, *arguments, _original=original, _calls=calls, _times=times, **named):
                _calls.append(1)
                if len(_calls) == _times:
                    return fail(TemporaryFailure("cut off"))
                return _original(self, *arguments, **named)

            with monkeypatch.context() as patch:
                patch.setattr(owner, name, breaks)
                try:
                    run(source, target)
                except TemporaryFailure:
                    broken += 1
    assert broken > 5
    counts = run(source, target)
    assert counts.differences == []
    assert contents(target) == contents(source)


def test_a_target_with_mail_of_its_own_is_not_mixed(source):
    target = new_storage()
    result_of(target.store.add_user(JOE, "another"))
    inbox = result_of(result_of(target.store.account(JOE)).mailbox("INBOX"))
    result_of(inbox.append([(Body(2, 2, b"\r\n"), Flags(), InternalDate(0))]))
    with pytest.raises(Unlike, match=r"INBOX of joe@a\.test has mail of its own"):
        run(source, target)


def test_a_target_that_has_lost_mail_is_not_mended(source):
    target = new_storage()
    run(source, target)
    copied = result_of(result_of(target.store.account(JOE)).mailbox("Old/Box"))
    result_of(copied.expunge(UIDSet.of([4]), only_deleted=False))
    with pytest.raises(Unlike, match="Old/Box"):
        run(source, target)


def test_what_differs_in_the_end_is_told(source):
    target = new_storage()
    run(source, target)
    copied = result_of(result_of(target.store.account(JOE)).mailbox("Old/Box"))
    result_of(copied.store_flags(UIDSet.of([4]), FlagChange.REPLACE, Flags()))
    result_of(target.store.drop([item.item_id for item in result_of(target.store.items())][:1]))
    differences = run(source, target).differences
    assert any(line.startswith("joe@a.test Old/Box: ") for line in differences)
    assert "entries of the queue are missing: 1" in differences


def test_damaged_messages_are_told_and_the_rest_comes(source, monkeypatch):
    target = new_storage()
    old = result_of(result_of(source.store.account(JOE)).mailbox("Old/Box"))
    door, fetch, opening = type(old), type(old).fetch, type(old).open_body

    def fetch_with_damage(self, uids, items):
        return fail(Damaged("damaged")) if items & FetchItem.BODY and 4 in uids else fetch(self, uids, items)

    def open_with_damage(self, uid):
        return fail(Damaged("damaged")) if uid == 4 else opening(self, uid)

    with monkeypatch.context() as patch:
        patch.setattr(door, "fetch", fetch_with_damage)
        patch.setattr(door, "open_body", open_with_damage)
        counts = run(source, target)
    assert counts.messages == 28
    assert counts.differences[0] == "joe@a.test Old/Box, UID 4: it is damaged in the store that is copied from"
    assert counts.differences[1].startswith("joe@a.test Old/Box: ")
