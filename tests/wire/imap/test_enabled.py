"""What ENABLE names, and what comes along with it."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.enabled import Extension, named, with_implied


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["X-GOOD-IDEA", "QRESYNC"], [Extension.QRESYNC]),
        (["UTF8=ACCEPT", "IMAP4REV2", "utf8=accept"], [Extension.UTF8_ACCEPT, Extension.IMAP4REV2]),
    ],
)
def test_names_are_found_in_their_order_and_once(names, expected):
    assert named(names) == expected


def test_qresync_brings_condstore_along():
    assert with_implied([Extension.QRESYNC]) == {Extension.QRESYNC, Extension.CONDSTORE}
    assert with_implied([Extension.UIDONLY]) == {Extension.UIDONLY}
