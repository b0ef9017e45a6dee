"""The operator's operations on app passwords, on the memory store."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from twisted_mail_node.mail.app_password import digest_of
from twisted_mail_node.mail.password_marks import ELSEWHERE, NO_PASSWORD
from twisted_mail_node.node.control import app_passwords
from twisted_mail_node.node.control.app_passwords import AppPasswordDesk
from twisted_mail_node.node.control.arguments import Refusal
from twisted_mail_node.store.completed import AccountDirectory
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE = "joe@a.test"


@pytest.fixture
def store():
    store = MemoryStore(Clock())
    store.start()
    result_of(store.add_user(JOE, "hash"))
    return store


@pytest.fixture
def perform(store):
    desk = AppPasswordDesk(store, lambda: 1_700_000_000.9)
    return lambda operation, **arguments: _run(desk.by_name[f"user.app-password.{operation}"](arguments))


def _run(operation):
    try:
        operation.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the memory store answers at once")


def test_an_app_password_is_shown_once_and_kept_as_a_digest(perform, store):
    made = perform("add", name="Joe@A.test", label=" phone ")
    assert made["name"] == JOE
    assert made["label"] == "phone"
    (kept,) = result_of(store.app_passwords(JOE))
    assert kept.digest == digest_of(made["password"])
    assert perform("list", name=JOE) == [
        {"label": "phone", "created": "2023-11-14T22:13:20+00:00", "last_used": None},
    ]


def test_no_two_are_alike(perform):
    assert perform("add", name=JOE, label="a")["password"] != perform("add", name=JOE, label="b")["password"]


def test_its_last_use_is_listed(perform, store):
    perform("add", name=JOE, label="phone")
    result_of(store.app_password_used(JOE, "phone", 1_700_000_000))
    assert perform("list", name=JOE)[0]["last_used"] == "2023-11-14T22:13:20+00:00"


def test_a_revoked_one_is_gone(perform):
    perform("add", name=JOE, label="phone")
    assert perform("revoke", name=JOE, label="phone") == {"name": JOE, "label": "phone"}
    assert perform("list", name=JOE) == []


def test_who_is_known_elsewhere_may_have_some(perform, store):
    result_of(store.add_user("ann@a.test", ELSEWHERE))
    assert perform("add", name="ann@a.test", label="phone")["password"]


def test_who_cannot_log_in_gets_none(perform, store):
    result_of(store.add_user("postmaster@a.test", NO_PASSWORD))
    for name in ("postmaster@a.test", "nobody@a.test"):
        with pytest.raises(Refusal, match="there is no user"):
            perform("add", name=name, label="phone")


def test_a_label_has_to_be_one(perform):
    with pytest.raises(Refusal, match="a label has 1 to 64 characters"):
        perform("add", name=JOE, label="")


def test_one_user_has_so_many_and_no_more(perform, monkeypatch):
    monkeypatch.setattr(app_passwords, "MOST_OF_ONE_USER", 2)
    perform("add", name=JOE, label="a")
    perform("add", name=JOE, label="b")
    with pytest.raises(Refusal, match="has 2 app passwords already"):
        perform("add", name=JOE, label="c")


def test_a_directory_that_keeps_none_says_so(store):
    desk = AppPasswordDesk(AccountDirectory(store, Clock()), lambda: 0.0)
    with pytest.raises(Refusal, match="keeps no app passwords"):
        _run(desk.by_name["user.app-password.list"]({"name": JOE}))
