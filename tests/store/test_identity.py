from __future__ import annotations

import re

from twisted_mail_node.store.identity import new_guid, next_uid_validity


def test_guids_are_short_printable_and_differ():
    guids = {new_guid() for _ in range(100)}
    assert len(guids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", guid) for guid in guids)


def test_uid_validity_follows_the_clock():
    assert next_uid_validity(1_700_000_000.9, 5) == 1_700_000_000


def test_uid_validity_grows_while_the_clock_stands_or_goes_back():
    assert next_uid_validity(7.0, 7) == 8
    assert next_uid_validity(3.0, 8) == 9
    assert next_uid_validity(0.0, 0) == 1
