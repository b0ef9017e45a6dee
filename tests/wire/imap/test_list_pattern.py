"""Patterns of LIST and LSUB."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.imap.list_pattern import ListPattern


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "a/b", True),
        ("%", "a", True),
        ("%", "a/b", False),
        ("%/%", "a/b", True),
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a%c", "a/c", False),
        ("*%", "a/b", True),
        ("", "", True),
        ("", "a", False),
        ("a", "A", False),
        ("inbox", "INBOX", True),
        ("In%", "INBOX", True),
        ("inbox", "inbox2", False),
        ("inbox/%", "INBOX/a", True),
        ("a\u0308%", "ärger", True),
    ],
)
def test_wildcards(pattern, name, expected):
    assert ListPattern(pattern).matches(name) is expected


words = st.text("ab/*%", max_size=12)


@given(words, st.text("ab/", max_size=10))
def test_it_agrees_with_a_regular_expression(pattern, name):
    expression = "".join({"*": ".*", "%": "[^/]*"}.get(c, re.escape(c)) for c in pattern)
    assert ListPattern(pattern).matches(name) == bool(re.fullmatch(expression, name))


def test_many_wildcards_take_no_longer():
    # The timeout of the suite is the judge: a backtracking matcher never ends here.
    assert not ListPattern("*a" * 20_000 + "b").matches("a" * 1000)
