from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.moving.formats.maildir_names import (
    OwnName,
    base_of,
    file_name_of,
    flags_of,
    folder_of,
    levels_of,
    own_name,
)

KEYWORDS = {"a": "work", "b": "$Label1", "c": "not an atom"}


@pytest.mark.parametrize(
    ("name", "base", "flags"),
    [
        (b"1.M1.host", b"1.M1.host", ()),
        (b"1.M1.host:2,", b"1.M1.host", ()),
        (b"1.M1.host:2,RS", b"1.M1.host", ("\\Answered", "\\Seen")),
        (b"1.M1.host:2,DFTP", b"1.M1.host", ("\\Draft", "\\Flagged", "\\Deleted", "$Forwarded")),
        (b"1.M1.host,S=3,W=4:2,Sab", b"1.M1.host,S=3,W=4", ("\\Seen", "work", "$Label1")),
        (b"1.M1.host;2,S", b"1.M1.host", ("\\Seen",)),
        (b"1.M1.host!2,S", b"1.M1.host", ("\\Seen",)),
        (b"1.M1.host:2,Scz?", b"1.M1.host", ("\\Seen",)),
        (b"1.M1.host:2,S,more", b"1.M1.host", ("\\Seen",)),
        (b"1.M1.host:1,S", b"1.M1.host:1,S", ()),
        (b"\xff.host:2,\xff", b"\xff.host", ()),
    ],
)
def test_a_files_name_tells_flags(name, base, flags):
    assert base_of(name) == base
    assert flags_of(name, KEYWORDS) == Flags.from_names(flags)


def test_flags_are_written_in_the_order_of_letters():
    flags = Flags.from_names(["\\Seen", "\\Flagged", "$forwarded", "work", "rare"])
    assert file_name_of(b"base", flags, {"a": "work"}) == b"base:2,FPSa"


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**33), st.integers(-1439, 1439), st.integers(0, 2**40))
def test_a_name_of_ours_is_known_again(guid, seconds, zone, size):
    name = OwnName(guid, InternalDate(seconds, zone), size)
    assert own_name(base_of(name.base() + b":2,S")) == name


@pytest.mark.parametrize("name", [b"1.G00.mailnode", b"1.M1.host", b"x" + b"0" * 40, b""])
def test_a_name_of_others_is_not_taken_for_ours(name):
    assert own_name(name) is None


@pytest.mark.parametrize(
    ("folder", "levels"),
    [
        (".Sent", ["Sent"]),
        (".Lists.Twisted", ["Lists", "Twisted"]),
        (".Entw&APw-rfe", ["Entwürfe"]),
        (".a &- b", ["a & b"]),
        (".1&AC4-2.x", ["1.2", "x"]),
        (".&ZeVnLIqe-.&AC4-", ["日本語", "."]),
    ],
)
def test_a_folders_name_is_that_of_a_mailbox(folder, levels):
    assert levels_of(folder[1:]) == levels
    assert folder_of(levels) == folder


@pytest.mark.parametrize(
    ("folder", "levels"),
    [
        ("&bad", ["&bad"]),
        ("Entwürfe", ["Entwürfe"]),
        ("caf\udce9", ["caf?"]),
        ("a&AGE-b", ["a&AGE-b"]),
    ],
)
def test_a_name_in_no_modified_utf_7_stays_as_it_is(folder, levels):
    assert levels_of(folder) == levels


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1), min_size=1))
def test_every_name_comes_back(levels):
    assert levels_of(folder_of(levels)[1:]) == levels
