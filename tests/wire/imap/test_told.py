"""Which HIGHESTMODSEQ the end of a command gives, and what a client counts by itself."""

from __future__ import annotations

from twisted_mail_node.wire.imap.told import ToldModSeq


def test_a_client_that_counts_right_is_told_nothing():
    told = ToldModSeq(5)
    told.show([6, 8, 7])
    assert told.shown == 8
    told.modseq = 8
    assert told.command_ended(by_uid=True) == b""
    assert told.shown == 0


def test_a_client_that_would_count_too_high_is_told_what_is_safe():
    told = ToldModSeq(5)
    told.show([8])
    assert told.command_ended(by_uid=True) == b"HIGHESTMODSEQ 5"
    assert told.command_ended(by_uid=True) == b""


def test_the_end_of_a_command_that_told_of_expunges_gives_the_new_one():
    told = ToldModSeq(5)
    told.expunges_told()
    told.modseq = 9
    assert told.command_ended(by_uid=True) == b"HIGHESTMODSEQ 9"
    assert told.command_ended(by_uid=True) == b""


def test_who_does_not_resynchronise_by_it_is_told_nothing():
    told = ToldModSeq(5)
    told.show([8])
    told.expunges_told()
    assert told.command_ended(by_uid=False) == b""


def test_who_is_told_the_highest_counts_from_there():
    told = ToldModSeq(5)
    told.show([8])
    assert told.highest() == b"* OK [HIGHESTMODSEQ 5] told so far\r\n"
    assert told.command_ended(by_uid=True) == b""
