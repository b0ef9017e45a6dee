from __future__ import annotations

import pytest

from twisted_mail_node.moving.names import placed_or_none


@pytest.mark.parametrize(
    ("levels", "into", "name"),
    [
        ([], "", "INBOX"),
        ([], "Old", "Old"),
        (["Sent"], "", "Sent"),
        (["inbox", "x"], "Old", "Old/inbox/x"),
        (["a/b", "", "c\0d\x85"], "", "a_b/_/c_d_"),
        (["u\u0308"], "", "ü"),
        (["x" * 256], "", None),
        (["x"] * 51, "", None),
        (["x"], "a//b", None),
    ],
)
def test_a_name_is_made_to_fit(levels, into, name):
    assert placed_or_none(levels, into) == name
