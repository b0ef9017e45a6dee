"""Numbers, sizes and marks of one session's maildrop."""

from __future__ import annotations

from array import array

from twisted_mail_node.protocols.pop3.maildrop import Maildrop
from twisted_mail_node.protocols.pop3.snapshot import Snapshot


def test_numbers_stay_and_counts_follow_the_marks():
    maildrop = Maildrop(None, Snapshot(1, 10, array("I", [5, 7, 9]), array("Q", [100, 50, 25]), 175))
    assert (len(maildrop), maildrop.messages, maildrop.octets) == (3, 3, 175)
    assert not maildrop.has(0)
    assert not maildrop.has(4)
    maildrop.mark(2)
    assert (maildrop.messages, maildrop.octets, maildrop.has(2)) == (2, 125, False)
    assert list(maildrop.marked_uids) == [7]
    assert list(maildrop.scan_slices()) == [[(1, 100), (3, 25)]]
    assert list(maildrop.uid_slices()) == [{5: 1, 9: 3}]
    maildrop.unmark_all()
    assert (maildrop.messages, maildrop.octets) == (3, 175)
    assert not maildrop.marked_uids
