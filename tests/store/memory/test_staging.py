from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.store.memory.answers import Life
from twisted_mail_node.store.memory.staging import STAGED_SECONDS, BodySource
from twisted_mail_node.testing.deferreds import result_of


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source(clock):
    life = Life(clock)
    life.running = True
    return BodySource(life)


def staged(source, content):
    writer = source.writer()
    result_of(writer.write(content))
    return result_of(writer.finish(0, False))


def test_a_finished_body_that_nobody_takes_is_swept(source, clock):
    old = staged(source, b"old")
    clock.advance(STAGED_SECONDS - 1)
    young = staged(source, b"young")
    assert [stored.content for stored in source.bodies([old, young])] == [b"old", b"young"]
    clock.advance(2)
    source.writer()
    assert [stored.content for stored in source.bodies([young])] == [b"young"]
    with pytest.raises(TemporaryFailure):
        source.bodies([old])


def test_a_body_that_was_used_is_kept_no_longer(source):
    body = staged(source, b"used")
    source.used([body])
    with pytest.raises(TemporaryFailure):
        source.bodies([body])


def test_every_stored_body_has_an_id_of_its_own(source):
    body = staged(source, b"once")
    one, two = source.bodies([body, body])
    assert one.body_id != two.body_id
