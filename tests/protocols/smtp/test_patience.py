"""What a client may use up, counted."""

from __future__ import annotations

from functools import partial

import pytest

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.protocols.smtp import SMTPSettings
from twisted_mail_node.protocols.smtp.patience import LONGEST_DELAY_SECONDS, Patience
from twisted_mail_node.wire.smtp.commands import Help, Mail, Noop


def patience(*, is_exempt=False, **settings):
    return Patience(SMTPSettings(hostname="mx.a.test", **settings), is_exempt=is_exempt)


def allowed(ask, times=50):
    """How often in a row it says yes."""
    answers = [ask() for _ in range(times)]
    assert answers == sorted(answers, reverse=True)
    return answers.count(True)


def test_commands_are_counted_and_idle_ones_apart():
    for settings, kind, times in (
        ({"max_commands": 7}, Mail, 7),
        ({"max_commands": 7}, Help, 7),
        ({"max_idle_commands": 3}, Noop, 3),
        ({"max_idle_commands": 3}, Mail, 50),
    ):
        of = patience(**settings)
        assert allowed(partial(of.command, kind)) == times


@pytest.mark.parametrize("settings", [{"is_exempt": True}, {"service": Service.LMTP}])
def test_who_is_trusted_may_send_commands_and_messages_without_end_and_never_waits(settings):
    of = patience(max_commands=1, max_idle_commands=1, max_messages=1, errors_before_delay=0, **settings)
    assert allowed(lambda: of.command(Noop)) == 50
    assert allowed(of.message) == 50
    assert allowed(of.mistake) == 19
    assert of.delay_seconds() == 0.0


def test_messages_are_counted_for_the_whole_connection():
    of = patience(max_messages=3)
    for _ in range(3):
        assert of.message()
        of.accepted()
    assert not of.message()


def test_the_last_mistake_is_one_too_many_and_the_later_ones_wait_longer_and_longer():
    of = patience(max_errors=6, errors_before_delay=2, error_delay_seconds=1.5)
    waited = []
    for _ in range(5):
        assert of.mistake()
        waited.append(of.delay_seconds())
    assert waited == [0.0, 0.0, 1.5, 3.0, 4.5]
    assert not of.mistake()


def test_no_delay_is_so_long_that_a_client_takes_the_connection_for_lost():
    of = patience(max_errors=1000, error_delay_seconds=7.0)
    for _ in range(100):
        of.mistake()
    assert of.delay_seconds() == LONGEST_DELAY_SECONDS


def test_an_accepted_message_makes_up_for_what_was_before():
    of = patience(max_commands=3, max_errors=3, max_refused_recipients=2, errors_before_delay=0)
    for ask, times in ((lambda: of.command(Mail), 3), (of.mistake, 2), (of.refused_recipient, 2)):
        assert allowed(ask, 5) == times
        of.accepted()
        assert of.delay_seconds() == 0.0
        assert allowed(ask, 5) == times
