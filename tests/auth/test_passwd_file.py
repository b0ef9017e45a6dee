"""A passwd file: what its lines say, and what happens when it changes."""

from __future__ import annotations

import os

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from twisted_mail_node.auth import passwd_file
from twisted_mail_node.auth.passwd_file import LOOK_EVERY_SECONDS, PasswdFile, read_passwd
from twisted_mail_node.auth.passwords import Cost, Passwords
from twisted_mail_node.mail.errors import TemporaryFailure

from .test_old_hashes import HASHES

JOE, ANN = "joe@a.test", "ann@b.test"
BCRYPT = HASHES["bcrypt"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "passwd"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def passwords(inline, clock):
    return Passwords(inline, clock, Cost(memory_kib=8, passes=1))


@pytest.fixture
def write(path, clock):
    def write(text):
        """The time of a change is set, for changes that follow each other faster than the disk's clock goes."""
        path.write_text(text, encoding="utf-8")
        clock.advance(LOOK_EVERY_SECONDS)
        os.utime(path, ns=(int(clock.seconds() * 1e9), int(clock.seconds() * 1e9)))

    return write


@pytest.fixture
def file(path, passwords, inline, clock):
    return PasswdFile(path, ["a.test", "b.test"], passwords, inline, clock)


@pytest.mark.parametrize(
    ("line", "hashes"),
    [
        (f"{JOE}:{BCRYPT}", {JOE: BCRYPT}),
        (f"joe:{BCRYPT}", {JOE: BCRYPT}),
        (f"Joe@A.test:{BCRYPT}:1000:1000::/home/joe:/bin/sh", {JOE: BCRYPT}),
        (f"joe:{{BLF-CRYPT}}{BCRYPT}", {JOE: BCRYPT}),
        (f"joe:{BCRYPT}:18000:0:99999:7:::", {JOE: BCRYPT}),
        (f"joe:!{BCRYPT}", {JOE: None}),
        ("daemon:*:18000:0:99999:7:::", {}),
        ("root:x:0:0:root:/root:/bin/bash", {}),
        ("# a word", {}),
        ("   ", {}),
    ],
)
def test_a_line_says(line, hashes, write, path):
    write(f"{line}\n")
    content = read_passwd(path, ["a.test", "b.test"])
    assert (content.hashes, list(content.mistakes)) == (hashes, [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("joe", "expected NAME:HASH"),
        (f":{BCRYPT}", "not a mail address"),
        (f"joe@far.test:{BCRYPT}", "far.test is not a domain of this node"),
        ("joe:secret", "not a hash of argon2"),
        ("joe:{PLAIN}secret", "not a hash of argon2"),
        ("joe:$1$salt$ez2vlPGdaLYkJam5pWs/Y1", "not a hash of argon2"),
        (f"bob:{BCRYPT}", "bob@a.test stands in an earlier line as well"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_others_count(line, reason, write, path):
    write(f"# users\nbob:{BCRYPT}\n{line}\nann@b.test:{BCRYPT}\n")
    content = read_passwd(path, ["a.test", "b.test"])
    assert set(content.hashes) == {"bob@a.test", ANN}
    ((number, told),) = content.mistakes
    assert number == 3
    assert reason in told


def test_a_hash_that_this_system_cannot_verify_is_a_mistake(write, path, monkeypatch):
    monkeypatch.setattr(passwd_file, "can_verify", lambda: False)
    write(f"joe:{BCRYPT}\n")
    assert read_passwd(path, ["a.test"]).mistakes == [(1, "this hash needs libcrypt, which this system has not")]


def test_a_file_has_a_bound(write, path, monkeypatch):
    monkeypatch.setattr(passwd_file, "MAX_OCTETS", 10)
    write("# 2345678901\n")
    with pytest.raises(ValueError, match="has more than 10 octets"):
        read_passwd(path, ["a.test"])


def test_users_log_in_by_hashes_old_and_new(file, write, passwords, result_of):
    write(f"joe:{BCRYPT}\nann@b.test:{{ARGON2ID}}{result_of(passwords.hash('word'))}\n")
    assert result_of(file.check(JOE, "secret")) is True
    assert result_of(file.check(ANN, "word")) is True
    assert result_of(file.check(JOE, "word")) is False
    assert result_of(file.check("bob@a.test", "secret")) is None
    assert result_of(file.knows(JOE))
    assert not result_of(file.knows("bob@a.test"))


def test_a_client_that_polls_costs_one_hash(file, write, inline, result_of):
    write(f"joe:{BCRYPT}\n")
    for _ in range(5):
        assert result_of(file.check(JOE, "secret"))
    # The file was read, and one hash computed.
    assert inline.done == 2


def test_who_is_locked_exists_and_cannot_log_in(file, write, inline, result_of):
    write(f"joe:!{BCRYPT}\n")
    assert result_of(file.knows(JOE))
    assert result_of(file.check(JOE, "secret")) is False
    assert inline.done == 2


def test_a_change_is_seen_and_is_another_version(file, write, clock, result_of):
    write(f"joe:{BCRYPT}\n")
    assert result_of(file.check(JOE, "secret"))
    version = file.version
    write(f"ann@b.test:{BCRYPT}\n")
    assert result_of(file.check(JOE, "secret")) is None
    assert result_of(file.knows(ANN))
    assert file.version > version


def test_a_file_that_stays_is_read_once(file, write, clock, inline, result_of):
    write(f"joe:{BCRYPT}\n")
    for _ in range(5):
        result_of(file.knows(JOE))
        clock.advance(LOOK_EVERY_SECONDS)
    assert inline.done == 1


def test_a_file_that_goes_away_leaves_what_it_said_and_is_told_once(file, write, path, clock, result_of):
    write(f"joe:{BCRYPT}\n")
    result_of(file.knows(JOE))
    path.unlink()
    with capturedLogs() as events:
        for _ in range(3):
            clock.advance(LOOK_EVERY_SECONDS)
            assert result_of(file.knows(JOE))
    assert len(events) == 1
    write("")
    assert not result_of(file.knows(JOE))


def test_a_file_that_was_never_there_decides_nothing(file, result_of):
    for _ in range(2):
        with pytest.raises(TemporaryFailure):
            result_of(file.knows(JOE))


def test_who_asks_while_it_is_read_waits_for_it(path, write, passwords, manual, clock, result_of):
    write(f"joe:{BCRYPT}\n")
    file = PasswdFile(path, ["a.test"], passwords, manual, clock)
    asked = [file.knows(JOE), file.knows(JOE)]
    assert not any(each.called for each in asked)
    assert len(manual.waiting) == 1
    manual.work_all()
    assert [result_of(each) for each in asked] == [True, True]


def test_mistakes_are_logged_with_their_lines(file, write, result_of):
    write("joe\n")
    with capturedLogs() as events:
        assert not result_of(file.knows(JOE))
    assert [event["line"] for event in events if "line" in event] == [1]
