"""Answers kept under the directory's version."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, succeed

from twisted_mail_node.auth.kept import Kept


@pytest.fixture
def asked():
    return []


@pytest.fixture
def kept(directory, asked):
    def read(name):
        asked.append(name)
        return succeed(f"{name} of {directory.version}")

    return Kept(directory, read, at_most=2)


def test_an_answer_is_asked_for_once(kept, asked, result_of):
    assert [result_of(kept.get("a")) for _ in range(3)] == ["a of 1"] * 3
    assert asked == ["a"]


def test_a_change_of_the_directory_ends_it(kept, directory, result_of):
    result_of(kept.get("a"))
    directory.version += 1
    assert result_of(kept.get("a")) == "a of 2"


def test_the_least_recently_used_is_forgotten(kept, asked, result_of):
    for name in ("a", "b", "a", "c", "a", "b"):
        result_of(kept.get(name))
    assert asked == ["a", "b", "c", "b"]


def test_what_was_overtaken_by_a_change_is_told_and_not_kept(directory, result_of):
    late = Deferred()
    answers = [late, succeed("new")]
    kept = Kept(directory, lambda name: answers.pop(0))
    told = kept.get("a")
    directory.version += 1
    late.callback("old")
    assert result_of(told) == "old"
    assert result_of(kept.get("a")) == "new"
