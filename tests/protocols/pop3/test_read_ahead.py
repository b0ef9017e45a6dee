"""Reading ahead: windows that grow in order, bounds, what has gone."""

from __future__ import annotations

from array import array

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem
from twisted_mail_node.mail.errors import Damaged, NoSuchMessage
from twisted_mail_node.protocols.pop3.maildrop import Maildrop
from twisted_mail_node.protocols.pop3.read_ahead import HEADER_OCTETS, WINDOW_MESSAGES, WINDOW_OCTETS, ReadAhead
from twisted_mail_node.protocols.pop3.snapshot import Snapshot


class Mailbox:
    """Messages by UID; remembers what was asked for."""

    def __init__(self, sizes):
        self.sizes = dict(sizes)
        self.asked = []
        self.damaged = 0

    def fetch(self, uids, items):
        found = [uid for uid in uids if uid in self.sizes]
        self.asked.append(list(uids))
        if self.damaged in uids:
            return fail(Damaged("the message is damaged"))
        if items is FetchItem.HEADER:
            return succeed(Columns(found, headers=[b"h%d" % uid for uid in found]))
        bodies = [b"b%d" % uid if self.sizes[uid] <= INLINE_BODY_OCTETS else None for uid in found]
        return succeed(Columns(found, bodies=bodies))


@pytest.fixture
def opened():
    def opened(sizes, item=FetchItem.BODY):
        mailbox = Mailbox(sizes)
        sizes = array("Q", mailbox.sizes.values())
        maildrop = Maildrop(mailbox, Snapshot(1, max(mailbox.sizes) + 1, array("I", mailbox.sizes), sizes, sum(sizes)))
        return mailbox, maildrop, ReadAhead(maildrop, item)

    return opened


@pytest.fixture
def got(resolved):
    """What a session would get for a number."""

    def got(ahead, number):
        content = ahead.take(number)
        return content if content is not None else resolved(Deferred.fromCoroutine(ahead.fetch(number)))

    return got


def test_window_grows_while_the_client_goes_on_in_order(opened, got):
    mailbox, _, ahead = opened({uid: 1000 for uid in range(101, 1101)})
    assert [got(ahead, number) for number in range(1, 1001)] == [b"b%d" % uid for uid in range(101, 1101)]
    counts = [len(uids) for uids in mailbox.asked]
    assert counts[:5] == [1, 4, 16, 64, 256]
    assert max(counts) == WINDOW_MESSAGES
    assert sum(counts) == 1000


def test_a_damaged_message_keeps_no_other_from_being_got(opened, got):
    mailbox, _, ahead = opened({uid: 1000 for uid in range(1, 31)})
    mailbox.damaged = 8
    for number in range(1, 31):
        if number == 8:
            with pytest.raises(Damaged):
                got(ahead, number)
        else:
            assert got(ahead, number) == b"b%d" % number
    # Behind it the windows grow again.
    assert [len(uids) for uids in mailbox.asked[-3:]] == [4, 16, 2]


def test_jumping_about_fetches_one_at_a_time(opened, got):
    mailbox, _, ahead = opened({uid: 1000 for uid in range(1, 101)})
    for number in (50, 3, 99, 20, 1):
        assert got(ahead, number) == b"b%d" % number
    assert mailbox.asked == [[50], [3], [99], [20], [1]]


def test_window_is_bounded_in_octets(opened, got):
    size = 100_000
    mailbox, _, ahead = opened({uid: size for uid in range(1, 101)})
    for number in range(1, 101):
        got(ahead, number)
    assert max(len(uids) for uids in mailbox.asked) == WINDOW_OCTETS // size


def test_headers_are_reckoned_small(opened, got):
    mailbox, _, ahead = opened({uid: 200_000 for uid in range(1, 101)}, FetchItem.HEADER)
    assert [got(ahead, number) for number in range(1, 101)] == [b"h%d" % number for number in range(1, 101)]
    assert max(len(uids) for uids in mailbox.asked) == WINDOW_OCTETS // HEADER_OCTETS


@pytest.mark.parametrize("item", [FetchItem.HEADER, FetchItem.BODY])
def test_what_may_be_large_is_not_read_ahead(opened, got, item):
    mailbox, _, ahead = opened({1: 10, 2: 10, 3: INLINE_BODY_OCTETS + 1, 4: 10}, item)
    got(ahead, 1)
    got(ahead, 2)
    assert mailbox.asked == [[1], [2, 4]]


def test_large_message_is_to_be_streamed_and_does_not_end_the_order(opened, got):
    _mailbox, _, ahead = opened({1: 10, 2: 10, 3: INLINE_BODY_OCTETS + 1, 4: 10, 5: 10})
    assert [got(ahead, number) for number in (1, 2)] == [b"b1", b"b2"]
    assert got(ahead, 3) is None
    assert [got(ahead, number) for number in (4, 5)] == [b"b4", b"b5"]


def test_marked_messages_are_not_read_ahead(opened, got):
    mailbox, maildrop, ahead = opened({uid: 10 for uid in range(1, 10)})
    maildrop.mark(3)
    got(ahead, 1)
    got(ahead, 2)
    assert mailbox.asked == [[1], [2, 4, 5]]
    ahead.forget(4)
    assert ahead.take(4) is None
    ahead.clear()
    assert ahead.take(5) is None


def test_what_is_gone_is_no_such_message_and_the_rest_is_kept(opened, got):
    mailbox, _, ahead = opened({uid: 10 for uid in range(1, 10)})
    got(ahead, 1)
    del mailbox.sizes[2], mailbox.sizes[4]
    with pytest.raises(NoSuchMessage):
        got(ahead, 2)
    assert got(ahead, 3) == b"b3"
    with pytest.raises(NoSuchMessage):
        got(ahead, 4)
