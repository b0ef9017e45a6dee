"""`mailnode quota`, where no node runs: what a running one says is in test_journey."""

from __future__ import annotations

import pytest

JOE = "joe@a.test"


@pytest.fixture
def with_joe(mailnode):
    mailnode("user", "add", JOE, "--password-stdin", stdin="secret\n")
    return mailnode


def row_of(mailnode):
    return next(row for row in mailnode.json("quota", "list") if row["name"] == JOE)


def test_limits_are_given_and_taken_away(with_joe):
    assert row_of(with_joe) == {
        "name": JOE, "size": 0, "size_limit": None, "messages": 0, "messages_limit": None, "own": False,
    }  # fmt: skip
    told = with_joe("quota", "set", JOE, "--size", "2 KiB", "--messages", "7")
    assert told == f"{JOE} may hold 2048 octets and 7 messages\n"
    assert with_joe("quota", "set", JOE, "--size", "none") == f"{JOE} may hold 7 messages\n"
    assert with_joe.json("quota", "set", JOE, "--messages", "0")["messages_limit"] == 0
    assert with_joe("quota", "set", JOE, "--messages", "none") == f"{JOE} may hold any number of messages\n"
    assert row_of(with_joe)["own"] is True
    assert with_joe.json("quota", "set", JOE, "--default")["own"] is False


def test_a_table_shows_them(with_joe):
    with_joe("quota", "set", JOE, "--messages", "7")
    line = next(line for line in with_joe("quota", "list").splitlines() if line.startswith(JOE))
    assert line.split() == [JOE, "0", "0", "7", "yes"]


def test_the_limits_of_all_are_settings(with_joe, tmp_path):
    with (tmp_path / "mailnode.toml").open("a") as file:
        file.write('[quota]\nsize = "1 MiB"\nmessages = 5\n')
    assert row_of(with_joe) == {
        "name": JOE, "size": 0, "size_limit": 2**20, "messages": 0, "messages_limit": 5, "own": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "say --size or --messages, or --default alone"),
        (("--default", "--size", "1"), 2, "say --size or --messages, or --default alone"),
        (("--size", "much"), 2, "a size such as"),
        (("--messages", "-1"), 2, "a number, or none"),
        (("--messages", "9223372036854775808"), 1, "a limit is from 0"),
    ],
)
def test_what_is_no_limit_is_told(with_joe, arguments, status, words):
    assert words in with_joe("quota", "set", JOE, *arguments, status=status)


def test_an_account_that_is_not_there_has_no_limits(mailnode):
    assert "there is no account nobody@a.test" in mailnode("quota", "set", "Nobody@a.test", "--size", "1", status=1)
