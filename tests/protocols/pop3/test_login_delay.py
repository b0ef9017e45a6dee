"""The least time between two logins, and how much is remembered for it."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from twisted_mail_node.protocols.pop3 import login_delay
from twisted_mail_node.protocols.pop3.login_delay import LoggedInTooSoon, LoginDelay


def test_nobody_waits_and_nothing_is_remembered_without_a_delay():
    delay = LoginDelay(Clock(), 0)
    delay.logged_in("joe@x")
    delay.check("joe@x")
    assert len(delay) == 0


def test_the_next_login_waits_for_the_rest_of_the_delay():
    clock = Clock()
    delay = LoginDelay(clock, 60)
    delay.check("joe@x")
    delay.logged_in("joe@x")
    delay.check("ann@x")
    clock.advance(0.5)
    with pytest.raises(LoggedInTooSoon) as caught:
        delay.check("joe@x")
    assert caught.value.seconds == 60
    clock.advance(59.5)
    delay.check("joe@x")


def test_who_may_come_again_is_forgotten():
    clock = Clock()
    delay = LoginDelay(clock, 60)
    delay.logged_in("joe@x")
    clock.advance(30)
    delay.logged_in("ann@x")
    clock.advance(30)
    delay.logged_in("bob@x")
    assert len(delay) == 2
    clock.advance(3600)
    delay.logged_in("bob@x")
    assert len(delay) == 1


def test_the_first_to_come_is_forgotten_where_too_many_are_remembered(monkeypatch):
    monkeypatch.setattr(login_delay, "MAX_REMEMBERED", 3)
    delay = LoginDelay(Clock(), 60)
    for name in ("a@x", "b@x", "c@x", "a@x", "d@x"):
        delay.logged_in(name)
    assert len(delay) == 3
    delay.check("b@x")
    with pytest.raises(LoggedInTooSoon):
        delay.check("a@x")
