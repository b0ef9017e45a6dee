"""Numbers and UIDs, and sets cut into slices. RFC 3501 §2.3.1.2"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.wire.imap.numbering import Numbering, slices, slices_from_end


@given(st.sets(st.integers(1, 80)), st.sets(st.integers(1, 90)))
def test_numbers_and_uids_lead_to_each_other(uids, numbers):
    ordered = sorted(uids)
    messages = Numbering(UIDSet.of(uids))
    assert [messages.number_of(uid) for uid in ordered] == list(range(1, len(ordered) + 1))
    assert messages.numbers_of(ordered) == list(range(1, len(ordered) + 1))
    assert list(messages.uids_at(UIDSet.of(numbers))) == [ordered[n - 1] for n in sorted(numbers) if n <= len(ordered)]
    assert all(messages.number_of(uid) is None for uid in range(1, 82) if uid not in uids)


@pytest.mark.parametrize(("uids", "numbers"), [([3, 21, 39], [2, 11, 20]), ([21, 39, 1, 3], [11, 20, 1, 2]), ([], [])])
def test_numbers_keep_the_order_of_the_messages_asked_for(uids, numbers):
    assert Numbering(UIDSet.of(range(1, 40, 2))).numbers_in_order(uids) == numbers


def test_numbers_of_messages_far_apart_are_found():
    messages = Numbering(UIDSet.of(range(1, 40, 2)))
    assert messages.numbers_of([1, 3, 21, 39]) == [1, 2, 11, 20]


@given(st.sets(st.integers(1, 60)), st.integers(1, 9))
def test_slices_cover_the_set(uids, size):
    cut = list(slices(UIDSet.of(uids), size))
    assert [uid for piece in cut for uid in piece] == sorted(uids)
    assert all(len(piece) == size for piece in cut[:-1])
    backwards = list(slices_from_end(UIDSet.of(uids), size))
    assert [uid for piece in backwards for uid in reversed(list(piece))] == sorted(uids, reverse=True)
    assert all(len(piece) == size for piece in backwards[:-1])
