"""An octet of the file changes by itself: what was written is served, or an error is told, and never anything else."""

from __future__ import annotations

import random

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, FetchItem
from twisted_mail_node.mail.errors import MailError
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.sqlite import opening, page_checksums
from twisted_mail_node.store.sql.sqlite.opening import PAGE_SIZE_OCTETS
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

ANN = "ann@example.test"
SIZES = (10, 3_000, 9_000, 70_000, 300_000, 1_000, 20_000)
ITEMS = (
    FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.HEADER | FetchItem.ENVELOPE
    | FetchItem.GUID | FetchItem.BODY
)  # fmt: skip
COLUMNS = ("flags", "internal_dates", "sizes", "headers", "envelopes", "guids", "bodies")


async def fill(store):
    await store.create_account(ANN)
    for number, size in enumerate(SIZES):
        content = message("z" * size, subject=f"Number {number}")
        if size > INLINE_BODY_OCTETS:
            writer = store.stage_body()
            await writer.write(content)
            told = await writer.finish(content.index(b"\r\n\r\n") + 4, False)
        else:
            told = body(content, b"(ENVELOPE)")
        parts = (place(ANN, prefix=b"Delivered-To: ann\r\n"), outgoing("eve@far.test"))
        await store.deliver(transaction(*parts, bodies=(told,)))


async def columns(inbox, uid):
    found = await inbox.fetch(UIDSet.span(uid, uid), ITEMS)
    return [list(map(str, getattr(found, name))) for name in COLUMNS]


async def bulk(inbox, uid):
    return list((await inbox.fetch(UIDSet.span(uid, uid), FetchItem.BODY)).bodies)


async def whole(inbox, uid):
    opened = await inbox.open_body(uid)
    try:
        return [await opened.read(at, 100_000) for at in range(0, opened.size, 100_000)]
    finally:
        opened.close()


async def served(store):
    """What is served, by name. What fails with an error is not in it."""
    found = {}
    try:
        inbox = await (await store.account(ANN)).mailbox("INBOX")
        for item in await store.items():
            found["item", item.item_id] = (str(item.recipient), item.body_size, item.attempts)
    except MailError:
        return found
    for uid in range(1, len(SIZES) + 1):
        for read in (columns, bulk, whole):
            try:
                found[read.__name__, uid] = await read(inbox, uid)
            except MailError:
                continue
    return found


def with_store(path, reactor, wait, story):
    """What the story gives with the store of that file; nothing where it cannot be opened."""
    store = SQLiteStore(path, reactor=reactor)
    try:
        wait(store.start())
    except MailError:
        return {}
    try:
        return wait(Deferred.fromCoroutine(story(store)))
    finally:
        wait(store.stop())


def flipped(whole_file, at):
    return whole_file[:at] + bytes([whole_file[at] ^ 0x20]) + whole_file[at + 1 :]


@pytest.fixture
def told():
    """The events that tell the operator of damage."""
    events = []

    def observe(event):
        if "is damaged" in (event.get("log_format") or ""):
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def test_nothing_wrong_is_served_wherever_an_octet_changes(path, reactor, wait, told):
    with_store(path, reactor, wait, fill)
    before = path.read_bytes()
    right = with_store(path, reactor, wait, served)
    assert len(right) == 4 * len(SIZES)
    assert told == []
    chance = random.Random(1)
    missing = 0
    for page in range(len(before) // PAGE_SIZE_OCTETS):
        path.write_bytes(flipped(before, page * PAGE_SIZE_OCTETS + chance.randrange(PAGE_SIZE_OCTETS)))
        found = with_store(path, reactor, wait, served)
        assert found == {name: right[name] for name in found}, f"page {page + 1}"
        missing += len(found) < len(right)
    # Most pages are those of the large messages, and each was missed.
    assert missing > 100
    assert len(told) >= missing // 2


def test_no_body_is_served_wrong_from_a_file_without_checksums_in_its_pages(path, reactor, wait, told, monkeypatch):
    monkeypatch.setattr(opening, "checking_vfs", lambda: None)
    with_store(path, reactor, wait, fill)
    before = path.read_bytes()
    assert before[20] != page_checksums.RESERVED_OCTETS
    right = with_store(path, reactor, wait, served)
    missing = 0
    for page in range(len(before) // PAGE_SIZE_OCTETS):
        at = page * PAGE_SIZE_OCTETS + PAGE_SIZE_OCTETS // 2
        if before[at - 50 : at + 50] != b"z" * 100:
            continue
        path.write_bytes(flipped(before, at))
        found = with_store(path, reactor, wait, served)
        for uid, size in enumerate(SIZES, 1):
            if size <= INLINE_BODY_OCTETS:
                for name in (("bulk", uid), ("whole", uid)):
                    assert name not in found or found[name] == right[name]
        missing += len(found) < len(right)
    assert missing > 20
    assert len(told) >= missing


def test_the_operator_is_told_which_message_it_is(path, reactor, wait, told):
    with_store(path, reactor, wait, fill)
    before = path.read_bytes()
    at = before.index(b"z" * 4_000)
    path.write_bytes(flipped(before, at + 2_000))
    found = with_store(path, reactor, wait, served)
    (uid,) = {uid for uid in range(1, len(SIZES) + 1) if ("whole", uid) not in found}
    what = {event["what"] for event in told}
    assert f"UID {uid}, body {uid}, in mailbox 1 of {ANN}" in what
    assert all(event["database"] == str(path) for event in told)
