"""Password hashes: what is computed, what is remembered, and when that ends."""

from __future__ import annotations

import argon2
import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock

from twisted_mail_node.auth.passwords import Cost, Passwords, Verified
from twisted_mail_node.mail.errors import TemporaryFailure

CHEAP = Cost(memory_kib=8, passes=1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def passwords(inline, clock):
    return Passwords(inline, clock, CHEAP)


@pytest.fixture
def stored(passwords, result_of, inline):
    stored = result_of(passwords.hash("secret"))
    inline.done = 0
    return stored


def test_hash_is_argon2id_at_the_given_cost(stored):
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_default_cost(inline, clock, result_of):
    assert result_of(Passwords(inline, clock).hash("x")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_two_hashes_of_one_password_differ(passwords, stored, result_of):
    assert result_of(passwords.hash("secret")) != stored


def test_right_and_wrong_password(passwords, stored, result_of):
    assert result_of(passwords.verify("joe@x", "secret", stored)) == Verified(True)
    assert result_of(passwords.verify("joe@x", "Secret", stored)) == Verified(False)


def test_password_is_the_same_composed_and_decomposed(passwords, result_of):
    stored = result_of(passwords.hash("J\u00f6rg"))
    assert result_of(passwords.verify("joe@x", "Jo\u0308rg", stored)).correct


@pytest.mark.parametrize("stored_hash", [None, "", "!", "plaintext", "$argon2id$v=19$broken", "$2b$12$abc"])
def test_unknown_user_and_unreadable_hash_cost_what_a_wrong_password_costs(
    stored_hash, passwords, stored, result_of, monkeypatch
):
    computed = []
    genuine = argon2.low_level.verify_secret

    def counted(*arguments):
        try:
            return genuine(*arguments)
        except argon2.exceptions.VerifyMismatchError:
            computed.append("mismatch")
            raise

    monkeypatch.setattr("argon2._password_hasher.verify_secret", counted)
    assert not result_of(passwords.verify("joe@x", "wrong", stored)).correct
    assert computed == ["mismatch"]
    assert not result_of(passwords.verify("ann@x", "wrong", stored_hash)).correct
    assert computed == ["mismatch", "mismatch"]


def test_right_password_is_remembered_without_computing(passwords, stored, result_of, inline):
    for _ in range(5):
        assert result_of(passwords.verify("joe@x", "secret", stored)) == Verified(True)
    assert inline.done == 1


def test_wrong_password_is_never_remembered(passwords, stored, result_of, inline):
    for _ in range(3):
        result_of(passwords.verify("joe@x", "wrong", stored))
    assert inline.done == 3


def test_memory_ends_with_time(passwords, stored, result_of, inline, clock):
    result_of(passwords.verify("joe@x", "secret", stored))
    clock.advance(299)
    result_of(passwords.verify("joe@x", "secret", stored))
    assert inline.done == 1
    clock.advance(1)
    result_of(passwords.verify("joe@x", "secret", stored))
    assert inline.done == 2


def test_memory_ends_with_a_password_change(passwords, stored, result_of):
    assert result_of(passwords.verify("joe@x", "secret", stored)).correct
    changed = result_of(passwords.hash("other"))
    assert not result_of(passwords.verify("joe@x", "secret", changed)).correct


def test_memory_is_of_one_name_and_one_password(passwords, stored, result_of, inline):
    result_of(passwords.verify("joe@x", "secret", stored))
    result_of(passwords.verify("ann@x", "secret", stored))
    result_of(passwords.verify("joe@", "xsecret", stored))
    assert inline.done == 3


def test_memory_can_be_ended_and_switched_off(inline, clock, stored, passwords, result_of):
    result_of(passwords.verify("joe@x", "secret", stored))
    passwords.forget_all()
    result_of(passwords.verify("joe@x", "secret", stored))
    assert inline.done == 2
    forgetful = Passwords(inline, clock, CHEAP, remember_seconds=0)
    result_of(forgetful.verify("joe@x", "secret", stored))
    result_of(forgetful.verify("joe@x", "secret", stored))
    assert inline.done == 4


def test_memory_is_bounded_and_forgets_the_least_recently_used(inline, clock, stored, result_of):
    passwords = Passwords(inline, clock, CHEAP, remember_at_most=2)
    for name in ("a", "b", "a", "c", "a"):
        result_of(passwords.verify(name, "secret", stored))
    assert inline.done == 3
    result_of(passwords.verify("b", "secret", stored))
    assert inline.done == 4


def test_hash_of_another_cost_is_stale(inline, clock, stored, result_of):
    dearer = Passwords(inline, clock, Cost(memory_kib=16, passes=1))
    assert result_of(dearer.verify("joe@x", "secret", stored)) == Verified(True, stale=True)
    assert result_of(dearer.verify("joe@x", "wrong", stored)) == Verified(False)


def test_same_question_at_the_same_time_is_computed_once(manual, clock, stored, result_of):
    passwords = Passwords(manual, clock, Cost(memory_kib=16, passes=1))
    answers = [passwords.verify("joe@x", "secret", stored) for _ in range(3)]
    assert len(manual.waiting) == 1
    manual.work_all()
    assert [result_of(answer) for answer in answers] == [Verified(True, stale=True), Verified(True), Verified(True)]


def test_one_who_gives_up_does_not_take_the_answer_from_others(manual, clock, stored, result_of):
    passwords = Passwords(manual, clock, CHEAP)
    one, other = (passwords.verify("joe@x", "secret", stored) for _ in range(2))
    one.cancel()
    with pytest.raises(CancelledError):
        result_of(one)
    manual.work_all()
    assert result_of(other).correct


def test_work_that_nobody_waits_for_is_dropped(manual, clock, stored, result_of):
    passwords = Passwords(manual, clock, CHEAP)
    asked = passwords.verify("joe@x", "secret", stored)
    asked.cancel()
    with pytest.raises(CancelledError):
        result_of(asked)
    assert manual.waiting == []
    again = passwords.verify("joe@x", "secret", stored)
    manual.work_all()
    assert result_of(again).correct


def test_failure_of_the_executor_reaches_all_who_asked(manual, clock, stored, result_of):
    passwords = Passwords(manual, clock, CHEAP)
    asked = [passwords.verify("joe@x", "secret", stored) for _ in range(2)]
    _, computed = manual.waiting.pop()
    computed.errback(TemporaryFailure("full"))
    for answer in asked:
        with pytest.raises(TemporaryFailure):
            result_of(answer)


@pytest.mark.parametrize("known", [True, False])
def test_argon2_that_cannot_work_is_temporary_and_no_wrong_password(known, inline, clock, result_of):
    passwords = Passwords(inline, clock, Cost(memory_kib=1, passes=1))
    stored_hash = passwords._nobodys_hash if known else None
    with pytest.raises(TemporaryFailure):
        result_of(passwords.verify("joe@x", "secret", stored_hash))


def test_what_is_remembered_shows_neither_name_nor_password(passwords, stored, result_of):
    result_of(passwords.verify("joe@x", "secret", stored))
    assert all(len(digest) == 32 for digest in passwords._remembered)
