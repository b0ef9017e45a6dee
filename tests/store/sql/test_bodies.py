from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, gatherResults

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, FetchItem
from twisted_mail_node.mail.errors import NoSuchMessage, TemporaryFailure
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.bodies import CHUNK_OCTETS
from twisted_mail_node.testing.samples import DATE, body, flags, message, place, transaction

ANN = "ann@example.test"
PREFIX = b"Return-Path: <bob@example.test>\r\n"


def numbered(size):
    return (b"Subject: numbered\r\n\r\n" + b"".join(b"%08d\r\n" % number for number in range(size // 10)))[:size]


def stage(store, wait, content, piece=50_000, header_size=21):
    writer = store.stage_body()
    for at in range(0, len(content), piece):
        wait(writer.write(content[at : at + piece]))
    return wait(writer.finish(header_size, False))


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_OCTETS, CHUNK_OCTETS + 1, INLINE_BODY_OCTETS, 3 * CHUNK_OCTETS, 1_000_001]
)
def test_a_staged_body_of_any_size_is_read_back_in_any_pieces(store, inbox, wait, size):
    content = numbered(size)
    wait(store.deliver(transaction(place(ANN, prefix=PREFIX), bodies=(stage(store, wait, content),))))
    opened = wait(inbox.open_body(1))
    whole = PREFIX + content
    assert opened.size == len(whole)
    assert wait(opened.read(0, len(whole) + 10)) == whole
    for offset in (
        0,
        5,
        len(PREFIX) - 1,
        len(PREFIX),
        CHUNK_OCTETS + len(PREFIX) - 3,
        size,
        len(whole),
        len(whole) + 1,
    ):
        assert wait(opened.read(offset, 7)) == whole[offset : offset + 7]
    opened.close()
    opened.close()


def test_pieces_that_do_not_wait_for_each_other_stay_in_order(store, inbox, wait):
    content = numbered(1_000_000)
    writer = store.stage_body()
    pieces = [writer.write(content[at : at + 150_000]) for at in range(0, len(content), 150_000)]
    staged = writer.finish(21, False)
    wait(gatherResults(pieces))
    wait(inbox.append([(wait(staged), flags(), DATE)]))
    assert wait(wait(inbox.open_body(1)).read(0, 2_000_000)) == content


def test_a_writer_that_is_not_waited_for_keeps_every_piece(store, inbox, wait):
    content = numbered(500_000)
    writer = store.stage_body()
    for at in range(0, len(content), 150_000):
        given_up = writer.write(content[at : at + 150_000])
        given_up.addErrback(lambda failure: failure.trap(CancelledError))
        given_up.cancel()
    wait(inbox.append([(wait(writer.finish(21, False)), flags(), DATE)]))
    assert wait(wait(inbox.open_body(1)).read(0, 2_000_000)) == content


def test_a_body_of_which_a_piece_could_not_be_written_cannot_be_finished(store, inbox, wait):
    def set_pages(pages):
        store._machinery.writer.between_commits(lambda connection: connection.pragma("max_page_count", pages))

    writer = store.stage_body()
    wait(writer.write(numbered(200_000)))
    set_pages(1)
    with pytest.raises(TemporaryFailure):
        wait(writer.write(numbered(200_000)))
    set_pages(1_000_000)
    for late in (lambda: writer.write(b"late"), lambda: writer.finish(21, False)):
        with pytest.raises(TemporaryFailure):
            wait(late())
    assert wait(inbox.status()).messages == 0


def test_a_body_given_up_in_the_middle_of_a_piece_cannot_be_finished(store, inbox, wait):
    writer = store.stage_body()
    piece = writer.write(numbered(500_000))
    writer.abort()
    assert wait(piece) is None
    for late in (writer.write(b"late"), writer.finish(21, False)):
        with pytest.raises(TemporaryFailure):
            wait(late)


def test_a_body_given_up_while_it_is_finished_is_not_there(store, inbox, wait):
    writer = store.stage_body()
    finished = writer.finish(0, False)
    writer.abort()
    with pytest.raises(TemporaryFailure):
        wait(finished)


@pytest.mark.parametrize("size", [4_000, 65_000, 70_000, 250_000])
def test_an_inline_body_of_any_size_is_read_back(inbox, wait, size):
    content = numbered(size)
    wait(inbox.append([(body(content), flags(), DATE)]))
    opened = wait(inbox.open_body(1))
    assert wait(opened.read(0, size)) == content
    assert wait(opened.read(size - 5, 100)) == content[-5:]


def test_a_header_longer_than_a_chunk_is_fetched_whole(store, inbox, wait):
    header = b"".join(b"X-Line-%d: %s\r\n" % (number, b"y" * 60) for number in range(6_000)) + b"\r\n"
    content = header + b"text\r\n" * 10_000
    wait(
        store.deliver(
            transaction(place(ANN, prefix=PREFIX), bodies=(stage(store, wait, content, 50_000, len(header)),))
        )
    )
    columns = wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.HEADER | FetchItem.BODY | FetchItem.SIZE))
    assert columns.headers == [PREFIX + header]
    assert columns.bodies == [None]
    assert columns.sizes == [len(PREFIX + content)]


def test_bodies_of_all_kinds_come_in_one_column(store, inbox, wait):
    small, large = message("small \x00 \u00e9"), numbered(INLINE_BODY_OCTETS + 1)
    wait(inbox.append([(body(small), flags(), DATE), (stage(store, wait, large), flags(), DATE)]))
    wait(inbox.append([(stage(store, wait, numbered(10_000)), flags(), DATE), (body(b"\r\n"), flags(), DATE)]))
    assert wait(inbox.fetch(UIDSet.span(1, 9), FetchItem.BODY)).bodies == [small, None, numbered(10_000), b"\r\n"]


def test_a_staged_body_serves_one_transaction(store, inbox, wait):
    staged = stage(store, wait, numbered(500_000))
    first = store.deliver(transaction(place(ANN), bodies=(staged,)))
    second = store.deliver(transaction(place(ANN), bodies=(staged,)))
    other = store.deliver(transaction(place(ANN)))
    with pytest.raises(TemporaryFailure):
        wait(second)
    wait(gatherResults([first, other]))
    assert wait(inbox.status()).messages == 2


def test_a_message_that_never_was_cannot_be_opened(inbox, wait):
    with pytest.raises(NoSuchMessage):
        wait(inbox.open_body(7))
