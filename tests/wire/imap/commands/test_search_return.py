"""RETURN of SEARCH, as values. RFC 4731 §3.1; RFC 5182 §2.4; RFC 9394 §3.1, §3.2"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.uid_set import EMPTY, UIDSet
from twisted_mail_node.wire.imap.commands.search_return import EVERYTHING, ReturnOption, Wanted, Window
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax

MIN, MAX, ALL, COUNT, SAVE = ReturnOption


def wanted(text):
    return parse_command(b"a SEARCH RETURN (%b) ALL" % text).wanted


def test_options_are_a_set_and_none_of_them_means_all():
    assert wanted(b"MIN max COUNT MIN") == Wanted(frozenset((MIN, MAX, COUNT)))
    assert wanted(b"") == EVERYTHING
    assert wanted(b"SAVE") == Wanted(frozenset((SAVE,)))
    assert wanted(b"PARTIAL 5:1 SAVE") == Wanted(frozenset((SAVE,)), Window(1, 5, False, b"5:1"))
    assert wanted(b"PARTIAL -1:-100").window == Window(1, 100, True, b"-1:-100")
    assert parse_command(b"a SEARCH ALL").wanted is None


@pytest.mark.parametrize(
    "text",
    [
        b"LEAST",
        b"PARTIAL",
        b"PARTIAL 1",
        b"PARTIAL 0:3",
        b"PARTIAL 1:-3",
        b"PARTIAL -1:3",
        b"PARTIAL 1:4294967296",
        b"PARTIAL 1:2 ALL",
        b"PARTIAL 1:2 PARTIAL 3:4",
    ],
)
def test_what_cannot_be_asked_for(text):
    with pytest.raises(BadSyntax):
        wanted(text)


@pytest.mark.parametrize("line", [b"a SEARCH RETURN MIN ALL", b"a SEARCH RETURN (MIN)", b"a SEARCH YOUNGER 0"])
def test_what_is_no_search(line):
    with pytest.raises(BadSyntax):
        parse_command(line)


# What of the result 3, 5, 8, 9 is saved, and has its modseqs told.
CHOICES = [
    ((MIN,), None, (3,)),
    ((MAX, SAVE), None, (9,)),
    ((MIN, MAX, SAVE), None, (3, 9)),
    ((SAVE,), None, (3, 5, 8, 9)),
    ((MIN, COUNT), None, (3, 5, 8, 9)),
    ((MAX, ALL), None, (3, 5, 8, 9)),
    ((SAVE,), Window(2, 3, False, b"2:3"), (5, 8)),
    ((SAVE,), Window(1, 2, True, b"-1:-2"), (8, 9)),
    ((SAVE, MIN), Window(2, 2, False, b"2:2"), (3, 5)),
    ((SAVE, COUNT), Window(2, 2, False, b"2:2"), (3, 5, 8, 9)),
]


@pytest.mark.parametrize(("options", "window", "chosen"), CHOICES)
def test_what_is_chosen(options, window, chosen):
    asked = Wanted(frozenset(options), window)
    found = (3, 5, 8, 9)
    places = range(0) if window is None else window.within(4)
    shown = UIDSet.of(found[places.start : places.stop])
    assert asked.chosen_of(UIDSet.of(found), UIDSet.of(found), shown) == UIDSet.of(chosen)
    assert asked.chosen_of(EMPTY, EMPTY, EMPTY) == EMPTY
    assert asked.is_told is (options != (SAVE,) or window is not None)


def test_the_ends_of_an_ordered_result_are_its_first_and_its_last():
    asked = Wanted(frozenset((MIN, MAX)))
    assert asked.chosen_of(UIDSet.of((3, 5, 8, 9)), [8, 3, 9, 5], EMPTY) == UIDSet.of((5, 8))


@given(st.integers(0, 30), st.integers(1, 8), st.booleans())
def test_windows_put_together_are_the_whole(count, size, from_end):
    windows = [Window(first, first + size - 1, from_end, b"") for first in range(1, count + 1, size)]
    pieces = [window.within(count) for window in windows]
    if from_end:
        pieces.reverse()
    assert [place for piece in pieces for place in piece] == list(range(count))
    assert not Window(count + 1, count + size, from_end, b"").within(count)
