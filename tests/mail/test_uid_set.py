"""UIDSet against the same operations on Python's set."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.uid_set import EMPTY, UIDSet

numbers = st.sets(st.integers(1, 60))


@given(numbers, numbers)
def test_operations_agree_with_those_of_set(a, b):
    mine, theirs = UIDSet.of(a), UIDSet.of(b)
    assert list(mine | theirs) == sorted(a | b)
    assert list(mine & theirs) == sorted(a & b)
    assert list(mine - theirs) == sorted(a - b)
    assert len(mine) == len(a)
    assert [n in mine for n in range(62)] == [n in a for n in range(62)]


@given(st.sets(st.integers(1, 400), min_size=100), st.sets(st.integers(1, 400), max_size=3), st.integers(0, 150))
def test_few_runs_against_many_agree_too(many, some, length):
    few = {number + n for number in some for n in range(length)}
    mine, theirs = UIDSet.of(many), UIDSet.of(few)
    assert mine & theirs == theirs & mine == UIDSet.of(many & few)
    assert mine - theirs == UIDSet.of(many - few)
    assert theirs - mine == UIDSet.of(few - many)
    assert mine | theirs == theirs | mine == UIDSet.of(many | few)
    assert len(mine & theirs) == len(many & few)


MANY = [(first, first + 9) for first in range(1, 800, 12)]


@pytest.mark.parametrize("further", [(), ((61, 70),), ((62, 75), (600, 601)), ((790, 900),)])
def test_a_few_runs_cut_many_wherever_they_begin_and_end(further):
    mine = UIDSet(MANY)
    inside = set(mine)
    for first in range(1, 15):
        for last in range(first, 28):
            theirs = UIDSet([(first, last), *further])
            assert list(mine - theirs) == sorted(inside - set(theirs))
            assert list(mine & theirs) == sorted(inside & set(theirs))


@given(numbers, st.integers(0, 60))
def test_what_a_set_has_in_common_with_part_of_it_is_the_part(a, after):
    mine = UIDSet.of(a)
    part = mine - UIDSet.span(1, after)
    assert mine & part == part & mine == part
    assert mine & mine == mine


@given(numbers)
def test_ascending_numbers_make_the_same_set(a):
    assert UIDSet.of_ascending(sorted(a)) == UIDSet.of(a)


@given(numbers)
def test_runs_neither_touch_nor_overlap(a):
    runs = UIDSet.of(a).runs
    assert all(first <= last for first, last in runs)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(runs))


def test_a_million_without_gaps_is_one_run():
    assert UIDSet.span(1, 1_000_000).runs == ((1, 1_000_000),)


@pytest.mark.parametrize(("uids", "wire"), [([], b""), ([4], b"4"), ([1, 2, 3, 7], b"1:3,7"), ([9, 8, 1], b"1,8:9")])
def test_wire_form(uids, wire):
    assert UIDSet.of(uids).wire == wire


def test_a_backward_run_is_refused():
    with pytest.raises(ValueError, match="ends before"):
        UIDSet([(3, 2)])


def test_empty():
    assert not EMPTY
    assert len(EMPTY) == 0
    assert UIDSet.span(5, 4) == EMPTY


def test_a_set_tells_itself_as_imap_writes_it():
    assert repr(UIDSet.of([1, 2, 3, 7])) == "UIDSet(1:3,7)"
