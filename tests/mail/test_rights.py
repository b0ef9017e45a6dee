"""Rights: their letters, the obsolete ones among them, and what several identifiers come to."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.rights import (
    ALL_RIGHTS,
    NO_RIGHTS,
    Right,
    RightsChange,
    changed,
    effective,
    letters_of,
    rights_of,
    told_letters,
)

ANN = "ann@example.test"


def test_every_right_has_the_letter_of_the_rfc():
    assert letters_of(ALL_RIGHTS) == "lrswipkxtea"
    assert {letter: rights_of(letter).name for letter in "lrswipkxtea"} == {
        "l": "LOOKUP",
        "r": "READ",
        "s": "SEEN",
        "w": "WRITE",
        "i": "INSERT",
        "p": "POST",
        "k": "CREATE",
        "x": "DELETE",
        "t": "DELETE_MESSAGES",
        "e": "EXPUNGE",
        "a": "ADMINISTER",
    }


# RFC 4314 §2.1.1, §3.1: what the server of the examples tells, but for the order of letters.
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("lrswida", "lrswideta"),
        ("lrswikda", "lrswikcdeta"),
        ("lrswicda", "lrswicdakxet"),
        ("rwipslxeta", "rwipslxcetda"),
        ("lrs", "lrs"),
        ("", ""),
        ("c", "kxc"),
        ("x", "xc"),
        ("e", "ed"),
    ],
)
def test_obsolete_rights_stand_for_their_members_and_are_told_with_any_of_them(given, told):
    answer = told_letters(rights_of(given))
    assert sorted(answer) == sorted(told)
    assert rights_of(given) in rights_of(answer)


def test_letters_are_told_in_the_order_that_clients_know():
    assert told_letters(ALL_RIGHTS) == "lrswipkxtecda"


@pytest.mark.parametrize("letters", ["q", "lrQs", "l r", "0", "é"])
def test_what_is_no_right_is_refused(letters):
    with pytest.raises(ValueError, match="there is no right"):
        rights_of(letters)


@pytest.mark.parametrize(
    ("change", "after"),
    [(RightsChange.REPLACE, "sw"), (RightsChange.ADD, "lrsw"), (RightsChange.REMOVE, "lr")],
)
def test_rights_are_replaced_added_or_taken(change, after):
    assert letters_of(changed(rights_of("lrs"), change, rights_of("sw"))) == after


@pytest.mark.parametrize(
    ("acl", "rights"),
    [
        ({}, ""),
        ({"bob@example.test": "lr"}, ""),
        ({ANN: "lr"}, "lr"),
        ({"anyone": "l", ANN: "r"}, "lr"),
        ({ANN: "lrw", "-" + ANN: "w"}, "lr"),
        ({"anyone": "lrw", "-" + ANN: "w"}, "lr"),
        ({ANN: "lrw", "-anyone": "lw"}, "r"),
        ({"-" + ANN: "lrswipkxtea"}, ""),
    ],
)
def test_rights_are_those_of_all_identifiers_without_what_negative_ones_take(acl, rights):
    given = {identifier: rights_of(letters) for identifier, letters in acl.items()}
    assert letters_of(effective(given, ANN)) == rights


def test_no_rights_are_none_of_all():
    assert not NO_RIGHTS & ALL_RIGHTS
    assert set(ALL_RIGHTS) == set(Right)
