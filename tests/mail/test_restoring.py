from __future__ import annotations

import pytest

from twisted_mail_node.mail.restoring import (
    MAX_RESTORED_MODSEQ,
    MAX_RESTORED_UID,
    MAX_RESTORED_UID_VALIDITY,
    RestoredMailbox,
)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({"uid_validity": 0}, "UIDVALIDITY that cannot be kept: 0"),
        ({"uid_validity": MAX_RESTORED_UID_VALIDITY + 1}, "UIDVALIDITY that cannot be kept"),
        ({"uid_next": 0}, "UIDNEXT that cannot be kept: 0"),
        ({"uid_next": MAX_RESTORED_UID + 2}, "UIDNEXT that cannot be kept"),
        ({"highest_modseq": -1}, "HIGHESTMODSEQ that cannot be kept: -1"),
        ({"highest_modseq": MAX_RESTORED_MODSEQ + 1}, "HIGHESTMODSEQ that cannot be kept"),
    ],
)
def test_numbers_that_leave_no_room_to_go_on_are_refused(numbers, told):
    with pytest.raises(ValueError, match=told):
        RestoredMailbox("Archive", **numbers)


def test_numbers_at_their_bounds_are_kept():
    RestoredMailbox(
        "Archive",
        uid_validity=MAX_RESTORED_UID_VALIDITY,
        uid_next=MAX_RESTORED_UID + 1,
        highest_modseq=MAX_RESTORED_MODSEQ,
    )
