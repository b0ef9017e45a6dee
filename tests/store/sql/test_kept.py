"""Kept texts, signatures and their filler: what is found by them is what is found by reading."""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from twisted_mail_node.mail.columns import FetchItem, InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS
from twisted_mail_node.mail.search import HeaderContains, TextContains, TextPlace
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.kept import filling
from twisted_mail_node.store.sql.kept.blocks import BLOCK_UIDS, progress
from twisted_mail_node.store.sql.kept.form import FORM
from twisted_mail_node.store.sql.mailbox import SQLMailbox
from twisted_mail_node.testing.samples import body, message
from twisted_mail_node.wire.imap import search as evaluation
from twisted_mail_node.wire.mime.headers import header_size

DATE = InternalDate(1_700_000_000)
EVERYTHING = UIDSet.span(1, 2**32 - 1)


@pytest.fixture
def fill(store, reactor, wait):
    """Lets time pass until the filler has nothing more to do."""

    def until_filled():
        filler = store._machinery.filler
        reactor.advance(1.0)
        for _ in range(20_000):
            if filler.at_rest and not filler._waiting:
                return
            reactor.advance(0.1)
            wait(reactor.turn())
        raise AssertionError("the filler does not come to rest")

    return until_filled


def append(inbox, wait, contents):
    for start in range(0, len(contents), 100):
        wait(inbox.append([(body(content), NO_FLAGS, DATE) for content in contents[start : start + 100]]))


def scan(inbox, wait, key):
    """The UIDs that match by reading the messages."""
    columns = wait(inbox.fetch(EVERYTHING, FetchItem.BODY))
    return {
        uid for uid, content in zip(columns.uids, columns.bodies, strict=True) if matches(columns, uid, content, key)
    }


def matches(columns, uid, content, key):
    known = evaluation.Message(columns, list(columns.uids).index(uid))
    known.header_read(content[: header_size(content)], evaluation.headers_needed(key))
    known.texts_found(evaluation.find_in_message(evaluation.needles_of(key), content, header_size(content)))
    return known.decide(key)


def find(inbox, wait, key):
    """(the UIDs that match by what is kept, those that had to be looked at)."""
    narrowed, left = wait(inbox.narrow(key))
    assert left == key
    columns = wait(inbox.fetch(narrowed, FetchItem.SEARCH_HEAD | FetchItem.SEARCH_TEXT))
    found = set()
    for row, (uid, head, text) in enumerate(zip(columns.uids, columns.search_heads, columns.search_texts, strict=True)):
        known = evaluation.Message(columns, row)
        known.head_known(head, evaluation.headers_needed(key))
        known.texts_found(evaluation.find_in_kept(evaluation.needles_of(key), head, text))
        if known.decide(key):
            found.add(uid)
    return found, set(columns.uids)


def letter(number, text="hello", charset="utf-8", encoding="8bit"):
    octets = text.encode(charset, "replace")
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    subject = base64.b64encode(f"Brief {number} 日本語".encode()).decode()
    head = (
        f"From: Jörg <joerg{number}@example.test>\r\nSubject: =?utf-8?b?{subject}?=\r\n"
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + octets


def test_a_rare_word_is_found_by_looking_at_few_messages(inbox, fill, wait):
    words = [f"word{number * 7919 % 10_007}" for number in range(2 * BLOCK_UIDS + 20)]
    append(inbox, wait, [letter(number, f"this is {word} 東京都{number}") for number, word in enumerate(words)])
    fill()
    for key, rare in (
        (TextContains(TextPlace.BODY, words[5]), True),
        (TextContains(TextPlace.TEXT, "JOERG300@"), True),
        (HeaderContains("from", "joerg77@"), True),
        (HeaderContains("subject", "brief 99 日本"), True),
        (HeaderContains("x-none", "joerg77@"), True),
        (TextContains(TextPlace.BODY, "京都"), False),
        (TextContains(TextPlace.BODY, "京"), False),
        (TextContains(TextPlace.BODY, "is"), False),
        (TextContains(TextPlace.BODY, ""), False),
    ):
        found, looked_at = find(inbox, wait, key)
        assert found == scan(inbox, wait, key)
        assert (len(looked_at) < 100) == rare


_TEXTS = st.sampled_from(
    [
        "abc",
        "ABCD",
        "日本",
        "語",
        "Ｔｏｋｙｏ",
        "é",
        "e",
        "ß",
        "\0",
        "\n",
        " ",
        "ﬁ",
        "カナ",
        "ｶﾅ",
        "xyz" * 3000,
        "\ud800",
    ]
)
_LETTERS = st.builds(
    lambda texts, charset, encoding, kind: (
        (
            f"Subject: {texts[0].encode('ascii', 'replace').decode()}\r\nTo: =?utf-8?b?"
            f"{base64.b64encode(texts[-1].encode('utf-8', 'replace')[:30]).decode()}?=\r\n"
            f"Content-Type: {kind}; charset={charset}; boundary=b\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        ).encode()
        + (
            base64.encodebytes("".join(texts).encode(charset, "replace"))
            if encoding == "base64"
            else "".join(texts).encode(charset, "replace")
        )
    ),
    st.lists(_TEXTS, min_size=1, max_size=4),
    st.sampled_from(["utf-8", "iso-2022-jp", "shift_jis", "utf-16"]),
    st.sampled_from(["8bit", "base64", "quoted-printable"]),
    st.sampled_from(["text/plain", "message/rfc822", "multipart/mixed", "message/global-headers", "image/png"]),
)
_NEEDLES = st.lists(_TEXTS, max_size=2).map(lambda texts: "".join(texts)[:12])
_KEYS = st.one_of(
    st.builds(TextContains, st.sampled_from(TextPlace), _NEEDLES),
    st.builds(HeaderContains, st.sampled_from(["subject", "to", "x", "content-type"]), _NEEDLES),
)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_LETTERS, min_size=1, max_size=8), st.lists(_KEYS, min_size=1, max_size=8))
def test_what_is_kept_answers_as_a_full_scan(inbox, fill, wait, letters, keys):
    append(inbox, wait, letters)
    fill()
    for key in keys:
        assert find(inbox, wait, key)[0] == scan(inbox, wait, key)


def test_structures_are_kept_as_a_session_would_make_them(inbox, fill, wait):
    append(inbox, wait, [message("x"), letter(1)])
    fill()
    columns = wait(inbox.fetch(EVERYTHING, FetchItem.BODY_STRUCTURE | FetchItem.SEARCH_TEXT))
    assert columns.body_structures[0].startswith(b'("text" "plain"')
    assert b"base64" not in columns.body_structures[1]
    assert columns.search_texts[1].startswith(b"HELLO")


def test_large_messages_are_kept_by_their_text(inbox, fill, wait):
    attachment = base64.encodebytes(b"\0" * 300_000).replace(b"\n", b"\r\n")
    mixed = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nneedle\r\n--b\r\n"
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + attachment + b"\r\n--b--\r\n"
    )
    append(inbox, wait, [mixed, b"Subject: much\r\n\r\n" + b"text " * 60_000])
    fill()
    columns = wait(inbox.fetch(EVERYTHING, FetchItem.SEARCH_TEXT | FetchItem.SEARCH_HEAD))
    assert columns.search_texts[0] == b"NEEDLE\0"
    assert columns.search_heads[1] == b"SUBJECT: MUCH"
    assert columns.search_texts[1] is None  # too large: it is read when it is searched


def count_of(store, wait, table):
    (count,) = wait(store._read(lambda connection: connection.one(f"SELECT count(*) FROM {table}")))
    return count


def test_text_goes_with_the_last_message_that_shows_it(store, inbox, fill, wait, reactor):
    append(inbox, wait, [letter(1)])
    wait(inbox.copy(UIDSet.of([1]), "Archive"))
    fill()
    assert count_of(store, wait, "search_text") == 1
    wait(inbox.expunge(only_deleted=False))
    reactor.advance(7300.0)
    wait(Deferred.fromCoroutine(store._machinery.sweep.sweep()))
    assert count_of(store, wait, "search_text") == 1
    account = wait(store.account("ann@example.test"))
    wait(account.delete("Archive"))
    reactor.advance(7300.0)
    wait(Deferred.fromCoroutine(store._machinery.sweep.sweep()))
    for table in ("search_text", "search_block"):
        assert count_of(store, wait, table) == 0


def test_a_mailbox_that_is_deleted_while_it_is_filled_is_left(store, inbox, fill, wait, monkeypatch):
    account, fetch = wait(store.account("ann@example.test")), SQLMailbox.fetch
    append(wait(account.mailbox("Archive")), wait, [letter(1)])

    def deleted_first(mailbox, uids, items):
        monkeypatch.undo()
        return account.delete("Archive").addCallback(lambda _: fetch(mailbox, uids, items))

    monkeypatch.setattr(SQLMailbox, "fetch", deleted_first)
    fill()
    append(inbox, wait, [letter(2)])
    fill()
    assert count_of(store, wait, "search_text") == 1


def test_a_message_that_cannot_be_understood_keeps_nothing_from_the_others(
    inbox, fill, wait, monkeypatch, logged_failures
):
    append(inbox, wait, [letter(1), message("x"), letter(3)])
    understood = filling.body_structure

    def body_structure(root):
        if root.body_start == header_size(message("x")):
            raise ZeroDivisionError
        return understood(root)

    monkeypatch.setattr(filling, "body_structure", body_structure)
    fill()
    assert wait(inbox.fetch(EVERYTHING, FetchItem.SEARCH_TEXT)).search_texts == [b"HELLO\0", None, b"HELLO\0"]
    assert logged_failures.pop().check(ZeroDivisionError)
    assert not logged_failures


def test_only_messages_wake_the_filler(store, inbox, fill, wait, reactor):
    append(inbox, wait, [letter(1)])
    fill()
    wait(wait(store.account("ann@example.test")).subscribe("Other", True))
    wait(reactor.turn())
    assert store._machinery.filler.at_rest
    append(inbox, wait, [letter(2)])
    wait(reactor.turn())
    assert not store._machinery.filler.at_rest


def test_a_block_that_a_stop_left_unsigned_is_signed_after_the_next_start(open_store, reactor, wait):
    store = open_store()
    wait(store.create_account("ann@example.test"))
    inbox = wait(wait(store.account("ann@example.test")).mailbox("INBOX"))
    append(inbox, wait, [b"\r\n"] * BLOCK_UIDS)
    kept = "INSERT INTO search_progress (account, mailbox, form, kept, sealed) VALUES (?, ?, ?, ?, 0)"
    wait(store._write(lambda state: state.run(kept, (*inbox._key, FORM, BLOCK_UIDS))))
    wait(store.stop())
    store = open_store()
    reactor.advance(1.0)
    while not store._machinery.filler.at_rest:
        reactor.advance(0.1)
        wait(reactor.turn())
    assert wait(store._read(lambda connection: progress(connection, inbox._key))) == (BLOCK_UIDS, 1)


def test_mail_from_before_is_filled_after_a_start(open_store, reactor, wait):
    store = open_store()
    wait(store.create_account("ann@example.test"))
    inbox = wait(wait(store.account("ann@example.test")).mailbox("INBOX"))
    append(inbox, wait, [letter(1)])
    wait(store.stop())
    store = open_store()
    reactor.advance(1.0)
    inbox = wait(wait(store.account("ann@example.test")).mailbox("INBOX"))
    while wait(inbox.fetch(EVERYTHING, FetchItem.SEARCH_TEXT)).search_texts == [None]:
        reactor.advance(0.1)
        wait(reactor.turn())
    assert wait(inbox.fetch(EVERYTHING, FetchItem.SEARCH_TEXT)).search_texts == [b"HELLO\0"]
