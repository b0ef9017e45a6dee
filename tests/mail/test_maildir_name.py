from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.flags import MAX_KEYWORDS, NO_FLAGS, Flags
from twisted_mail_node.mail.maildir_name import (
    flags_in,
    info_of,
    is_keyword,
    parted,
    sizes_in,
    stem_of,
    unlettered,
    with_letters,
)

LETTERS = {"a": "work", "c": "$Label1"}


@pytest.mark.parametrize(
    ("name", "base", "info"),
    [
        (b"1.a.host", b"1.a.host", b""),
        (b"1.a.host:2,", b"1.a.host", b":2,"),
        (b"1.a.host,S=5:2,FS", b"1.a.host,S=5", b":2,FS"),
        (b"1.a.host;2,S", b"1.a.host", b";2,S"),
        (b"1.a.host!2,S", b"1.a.host", b"!2,S"),
        (b"1.a:1,x", b"1.a:1,x", b""),
        (b"1.a:2,S:2,F", b"1.a:2,S", b":2,F"),
    ],
)
def test_a_name_is_parted_at_its_info(name, base, info):
    assert parted(name) == (base, info)


@pytest.mark.parametrize(
    ("base", "sizes"),
    [
        (b"1.a.host", (None, None)),
        (b"1.a.host,S=5", (5, None)),
        (b"1.a.host,S=5,W=6", (5, 6)),
        (b"1.a.host,W=6,S=5", (5, 6)),
        (b"1.a.host,S=x,W=", (None, None)),
        (b"1.a.S=5", (None, None)),
    ],
)
def test_sizes_are_read_out_of_a_base(base, sizes):
    assert sizes_in(base) == sizes


@pytest.mark.parametrize("base", [b"1.a,U=7", b"1.a", b"1.a,U=7,U=8"])
def test_what_mbsync_adds_is_no_part_of_the_stem(base):
    assert stem_of(base) == b"1.a"


def test_other_fields_are_part_of_the_stem():
    assert stem_of(b"1.a,S=5,U=7,W=6") == b"1.a,S=5,W=6"
    assert stem_of(b"1.a,U=x") == b"1.a,U=x"


@pytest.mark.parametrize(
    ("info", "wire"),
    [
        (b"", b""),
        (b":2,", b""),
        (b":2,DFRST", b"\\Answered \\Flagged \\Deleted \\Seen \\Draft"),
        (b":2,SSS", b"\\Seen"),
        (b":2,Pac", b"$Forwarded $Label1 work"),
        (b":2,Szx?", b"\\Seen"),
        (b":2,S,n=1", b"\\Seen"),
        (b":2,\xff", b""),
    ],
)
def test_flags_are_read_out_of_an_info(info, wire):
    assert flags_in(info, LETTERS).wire == wire


def test_letters_of_names_that_imap_cannot_tell_are_passed_over():
    letters = {"a": "two words", "b": "ümlaut", "c": "x" * 256, "d": "\\Seen", "e": "fine", "f": "FINE"}
    assert flags_in(b":2,abcdef", letters) in (Flags.from_names(["fine"]), Flags.from_names(["FINE"]))


def test_an_info_tells_what_letters_there_are():
    flags = Flags.from_names(["\\Seen", "\\Draft", "WORK", "other", "$forwarded"])
    assert info_of(flags, LETTERS) == b":2,DPSa"
    assert info_of(NO_FLAGS, LETTERS) == b":2,"


def test_letters_are_given_while_there_are_any():
    assert with_letters(LETTERS, ["Work", "new", "newer"]) == LETTERS | {"b": "new", "d": "newer"}
    full = {chr(ord("a") + number): f"k{number}" for number in range(26)}
    assert with_letters(full, ["one-more"]) == full
    assert unlettered(["WORK", "x"], LETTERS) == ["x"]


@pytest.mark.parametrize(("text", "fits"), [("work", True), ("$x", True), ("", False), ("a b", False), ("a]", False)])
def test_what_can_be_a_keyword(text, fits):
    assert is_keyword(text) is fits


@given(
    st.integers(0, 31),
    st.lists(st.sampled_from(["work", "$Label1", "$Forwarded"]), unique=True),
    st.binary(max_size=30).filter(lambda octets: b":2," not in octets),
)
def test_what_is_told_is_read_again(bits, keywords, base):
    flags = Flags(bits, keywords)
    assert flags_in(parted(b"1." + base + b".x" + info_of(flags, LETTERS)).info, LETTERS) == flags


@given(st.binary(max_size=60))
def test_any_name_can_be_read(name):
    base, info = parted(name)
    assert base + info == name
    assert len(flags_in(info, LETTERS).keywords) <= MAX_KEYWORDS
    sizes_in(base)
