from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.moving.file_names import FileNames


@given(st.lists(st.binary(max_size=4)), st.binary(max_size=4))
def test_names_are_sorted_and_found(names, wanted):
    expected = sorted(names)
    found = FileNames(names)
    assert names == []
    assert list(found) == expected
    assert len(found) == len(expected)
    assert found.first_from(wanted) == bisect_left(expected, wanted)
