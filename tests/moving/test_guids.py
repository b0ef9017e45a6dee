from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.moving.guids import GuidSet

_guid = st.binary(min_size=16, max_size=16) | st.integers(0, 9).map(lambda number: number.to_bytes(16, "big"))


@given(st.lists(st.lists(_guid, max_size=8), max_size=5), _guid)
def test_what_was_put_in_is_in_and_nothing_else(pages, other):
    guids = GuidSet(pages)
    every = [guid for page in pages for guid in page]
    assert len(guids) == len(every)
    assert all(guid in guids for guid in every)
    assert (other in guids) == (other in every)
