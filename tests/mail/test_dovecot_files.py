from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.dovecot_files import UIDList, keywords_text, read_keywords, read_uidlist


def test_version_3_tells_uids_with_and_without_fields():
    lines = [
        b"3 V1700000000 N9 G0123456789abcdef0123456789abcdef\n",
        b"1 :1.a.host,S=5,W=6\n",
        b"3 W20 S19 :2.b.host:2,S\r\n",
        b"no line\n",
        b"4294967295 :3.c\n",
        b"8 :\n",
    ]
    assert read_uidlist(lines) == UIDList(1700000000, 9, {b"1.a.host,S=5,W=6": 1, b"2.b.host": 3})


def test_version_1_tells_names_alone():
    assert read_uidlist([b"1 1600000000 3\n", b"2 1.a.host:2,\n"]) == UIDList(1600000000, 3, {b"1.a.host": 2})


def test_the_next_uid_is_above_all_that_are_told():
    assert read_uidlist([b"3 V5 N2\n", b"7 :a\n"]).uid_next == 8


@pytest.mark.parametrize(
    "first", [b"", b"2 V1 N1\n", b"3\n", b"1 5\n", b"3 V0 N1\n", b"3 V99999999999 N1\n", b"3 V1 N4294967295\n", b"x\n"]
)
def test_a_list_that_cannot_be_used_tells_nothing(first):
    assert read_uidlist([first, b"1 :a\n"]) == UIDList()


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_file_can_be_read(lines):
    read_uidlist(lines)


def test_keywords_have_letters_by_their_number():
    letters = read_keywords("0 work\n25 last\n26 beyond\nx y\n1\n²  no\n3 $Label1\n".splitlines())
    assert letters == {"a": "work", "z": "last", "d": "$Label1"}
    assert keywords_text(letters) == "0 work\n3 $Label1\n25 last\n"
    assert read_keywords(keywords_text(letters).splitlines(keepends=True)) == letters
