"""Sequence sets against views."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.uid_set import EMPTY, UIDSet
from twisted_mail_node.wire.imap.sequence import SAVED, STAR, NoSuchMessageNumber, SequenceSet


class SmallView:
    """Numbers messages by walking through their UIDs."""

    def __init__(self, *uids):
        self.uids = UIDSet.of(uids)
        self.saved = EMPTY

    def uids_at(self, numbers):
        known = list(self.uids)
        return UIDSet.of(known[number - 1] for number in numbers)


@pytest.mark.parametrize(
    ("runs", "largest", "numbers"),
    [
        (((2, 4), (7, 7)), 9, [2, 3, 4, 7]),
        (((2, STAR),), 4, [2, 3, 4]),
        (((9, STAR),), 5, [5, 6, 7, 8, 9]),
        (((STAR, STAR),), 5, [5]),
        (((3, 3), (3, 3), (2, 4)), 9, [2, 3, 4]),
        (((1, STAR),), 0, []),
    ],
)
def test_a_star_is_the_largest_number(runs, largest, numbers):
    assert list(SequenceSet(runs).numbers(largest)) == numbers


def test_message_numbers_become_uids():
    view = SmallView(5, 8, 9, 20)
    assert SequenceSet(((2, 3), (STAR, STAR))).resolve_numbers(view) == UIDSet.of([8, 9, 20])


@pytest.mark.parametrize("runs", [((5, 5),), ((1, 5),), ((5, STAR),)])
def test_a_number_beyond_the_last_message_is_refused(runs):
    with pytest.raises(NoSuchMessageNumber):
        SequenceSet(runs).resolve_numbers(SmallView(5, 8, 9, 20))


def test_no_number_means_anything_in_an_empty_mailbox():
    with pytest.raises(NoSuchMessageNumber):
        SequenceSet(((STAR, STAR),)).resolve_numbers(SmallView())


def test_uids_that_are_not_there_are_passed_over():
    view = SmallView(5, 8, 9, 20)
    assert SequenceSet(((1, 8),)).resolve_uids(view) == UIDSet.of([5, 8])
    assert SequenceSet(((99, STAR),)).resolve_uids(view) == UIDSet.of([20])
    assert SequenceSet(((99, 100),)).resolve_uids(view) == EMPTY
    assert SequenceSet(((1, STAR),)).resolve_uids(SmallView()) == EMPTY


def test_a_set_is_written_as_it_came():
    assert SequenceSet(((2, 4), (7, 7), (9, STAR), (STAR, STAR))).wire == b"2:4,7,9:*,*"


def test_what_a_search_has_saved_is_meant_as_far_as_it_is_there():
    view = SmallView(3, 5, 8)
    assert SAVED.resolve_numbers(view) == SAVED.resolve_uids(view) == EMPTY
    view.saved = UIDSet.of((5, 8, 9))
    assert SAVED.resolve_numbers(view) == SAVED.resolve_uids(view) == UIDSet.of((5, 8))
    assert SAVED.wire == b"$"
