"""Ids of transactions."""

from __future__ import annotations

from twisted.internet.task import Clock

from twisted_mail_node.intake.identity import TransactionIds


def test_ids_sort_by_time_and_differ_by_chance():
    clock, chance = Clock(), iter((b"\xff\xff\xff\xff\xff", b"\x00\x00\x00\x00\x00", b"\x00\x00\x00\x00\x01"))
    clock.advance(1_800_000_000.5)
    ids = TransactionIds(clock, lambda count: next(chance))
    first = ids.next()
    clock.advance(0.001)
    second, third = ids.next(), ids.next()
    assert first < second < third
    assert len(first) == 22
    assert first.isalnum()
