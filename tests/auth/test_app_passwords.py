"""App passwords at a login."""

from __future__ import annotations

import pytest
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock

from twisted_mail_node.auth.app_passwords import NOTED_EVERY_SECONDS, AppPasswords
from twisted_mail_node.mail.app_password import AppPassword, digest_of, shown
from twisted_mail_node.mail.errors import TemporaryFailure

JOE, ANN = "joe@x", "ann@x"
PHONE, LAPTOP = shown(b"p" * 20), shown(b"l" * 20)


class Keeping:
    def __init__(self):
        self.by_name, self.used, self.asked = {}, [], 0

    def app_passwords(self, name):
        self.asked += 1
        return succeed(self.by_name.get(name, ()))

    def app_password_used(self, name, label, at):
        self.used.append((name, label, at))
        return succeed(None)


@pytest.fixture
def clock():
    clock = Clock()
    clock.advance(1_700_000_000)
    return clock


@pytest.fixture
def keeping():
    keeping = Keeping()
    keeping.by_name[JOE] = [
        AppPassword(label="phone", digest=digest_of(PHONE), created=0),
        AppPassword(label="lap", digest=digest_of(LAPTOP), created=0),
    ]
    return keeping


@pytest.fixture
def app_passwords(directory, keeping, clock):
    directory.hashes.update({JOE: "hash", ANN: "hash"})
    return AppPasswords(directory, keeping, clock.seconds)


def test_it_is_known_by_its_label(app_passwords, result_of):
    assert result_of(app_passwords.label_of(JOE, PHONE)) == "phone"
    assert result_of(app_passwords.label_of(JOE, LAPTOP.upper().replace("-", " "))) == "lap"


def test_it_is_its_own_users_alone(app_passwords, result_of):
    assert result_of(app_passwords.label_of(ANN, PHONE)) is None
    assert result_of(app_passwords.label_of(JOE, shown(b"x" * 20))) is None


def test_a_password_of_another_shape_costs_no_question(app_passwords, keeping, directory, result_of):
    assert result_of(app_passwords.label_of(JOE, "secret")) is None
    assert (keeping.asked, directory.asked) == (0, [])


def test_a_client_that_polls_costs_one_question_and_one_note(app_passwords, keeping, directory, clock, result_of):
    for _ in range(10):
        result_of(app_passwords.label_of(JOE, PHONE))
        clock.advance(60)
    assert keeping.asked == 1
    assert keeping.used == [(JOE, "phone", 1_700_000_000)]
    clock.advance(NOTED_EVERY_SECONDS)
    result_of(app_passwords.label_of(JOE, PHONE))
    assert len(keeping.used) == 2


def test_a_use_that_was_noted_lately_is_not_noted_again(app_passwords, keeping, directory, clock, result_of):
    (phone, _) = keeping.by_name[JOE]
    last = int(clock.seconds()) - 100
    keeping.by_name[JOE] = [AppPassword(label="phone", digest=phone.digest, created=0, last_used=last)]
    assert result_of(app_passwords.label_of(JOE, PHONE)) == "phone"
    assert keeping.used == []


def test_a_use_that_cannot_be_noted_does_not_hurt_the_login(app_passwords, keeping, result_of):
    keeping.app_password_used = lambda *_: fail(TemporaryFailure("disk full"))
    assert result_of(app_passwords.label_of(JOE, PHONE)) == "phone"


def test_what_is_noted_is_bounded(app_passwords, keeping, result_of, monkeypatch):
    monkeypatch.setattr("twisted_mail_node.auth.app_passwords.MOST_NOTED", 1)
    for password in (PHONE, LAPTOP, PHONE):
        result_of(app_passwords.label_of(JOE, password))
    assert [label for _, label, _ in keeping.used] == ["phone", "lap", "phone"]


def test_a_revoked_one_is_none_at_once(app_passwords, keeping, directory, result_of):
    result_of(app_passwords.label_of(JOE, PHONE))
    keeping.by_name[JOE] = ()
    directory.version += 1
    assert result_of(app_passwords.label_of(JOE, PHONE)) is None


def test_who_does_not_exist_any_more_does_not_come_in(app_passwords, directory, result_of):
    directory.remove_user(JOE)
    assert result_of(app_passwords.label_of(JOE, PHONE)) is None
