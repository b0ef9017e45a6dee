"""The engine: lines to commands, states, limits, any cutting."""

from __future__ import annotations

import itertools
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.pop3 import commands as c
from twisted_mail_node.wire.pop3.grammar import PARSERS
from twisted_mail_node.wire.pop3.phrases import Phrase
from twisted_mail_node.wire.pop3.server import (
    MAX_COMMAND_OCTETS,
    MAX_FAILED_LOGINS,
    MAX_UNENDED_OCTETS,
    MAX_VIOLATIONS,
    POP3Server,
)
from twisted_mail_node.wire.pop3.states import State
from twisted_mail_node.wire.wait import Wait

LOGIN = b"USER joe\r\nPASS secret\r\n"


def asked(engine, data):
    engine.receive_data(data)
    return engine.next_event()


def logged_in():
    engine = POP3Server()
    for line in (b"USER joe\r\n", b"PASS secret\r\n"):
        asked(engine, line)
        engine.send(b"+OK\r\n")
    assert engine.state is State.TRANSACTION
    return engine


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"CAPA", c.AskCapabilities()),
        (b"capa", c.AskCapabilities()),
        (b"CAPA  ", c.AskCapabilities()),
        (b"USER joe", c.NameUser("joe")),
        (b"user joe doe@x ", c.NameUser("joe doe@x")),
        ("USER jö".encode(), c.NameUser("jö")),
        (b"STLS", c.StartTLS()),
        (b"AUTH", c.AskMechanisms()),
        (b"AUTH PLAIN", c.Auth("PLAIN")),
        (b"AUTH plain AGpvZQBzZWNyZXQ=", c.Auth("plain", b"AGpvZQBzZWNyZXQ=")),
        (b"AUTH PLAIN =", c.Auth("PLAIN", b"=")),
        (b"AUTH PLAIN !", c.Auth("PLAIN", b"!")),
        (b"AUTH \xff\xfe", c.Auth("\ufffd\ufffd")),
        (b"UTF8", c.EnableUTF8()),
        (b"LANG", c.ListLanguages()),
        (b"LANG *", c.ChooseLanguage("*")),
        (b"lang de-CH-1996 ", c.ChooseLanguage("de-CH-1996")),
        (b"QUIT", c.Quit(False)),
        (b"UTF8 USER", c.Violated(Phrase.NO_ARGUMENT, False)),
        (b"LANG de en", c.Violated(Phrase.LANGUAGE_EXPECTED, False)),
        (b"LANG de-", c.Violated(Phrase.LANGUAGE_EXPECTED, False)),
        (b"LANG abcdefghi", c.Violated(Phrase.LANGUAGE_EXPECTED, False)),
        ("LANG dé".encode(), c.Violated(Phrase.LANGUAGE_EXPECTED, False)),
        (b"", c.Violated(Phrase.UNKNOWN_COMMAND, False)),
        (b"\0", c.Violated(Phrase.UNKNOWN_COMMAND, False)),
        (b" CAPA", c.Violated(Phrase.UNKNOWN_COMMAND, False)),
        (b"CAPA x", c.Violated(Phrase.NO_ARGUMENT, False)),
        (b"USER", c.Violated(Phrase.NAME_EXPECTED, False)),
        (b"USER j\0", c.Violated(Phrase.NAME_EXPECTED, False)),
        (b"USER j\xff", c.Violated(Phrase.NAME_EXPECTED, False)),
        ("USER j\u2028e".encode(), c.Violated(Phrase.NAME_EXPECTED, False)),
        ("USER j\ue000".encode(), c.Violated(Phrase.NAME_EXPECTED, False)),
        ("USER jö\u0237".encode(), c.NameUser("jö\u0237")),
        (b"USER j\ne", c.Violated(Phrase.NAME_EXPECTED, False)),
        (b"PASS secret", c.Violated(Phrase.USER_FIRST, False)),
        (b"STAT", c.Violated(Phrase.NOT_NOW, False)),
        (b"RETR 1", c.Violated(Phrase.NOT_NOW, False)),
        (b"XTND XMIT", c.Violated(Phrase.UNKNOWN_COMMAND, False)),
        (
            b"APOP joe doe c4c9334bac560ecc979e58001b3e22fb",
            c.ShowDigest("joe doe", b"c4c9334bac560ecc979e58001b3e22fb"),
        ),
        (b"APOP c4c9334bac560ecc979e58001b3e22fb", c.Violated(Phrase.DIGEST_EXPECTED, False)),
        (b"APOP joe c4c9334bac560ecc979e58001b3e22f", c.Violated(Phrase.DIGEST_EXPECTED, False)),
        (b"APOP joe C4C9334BAC560ECC979E58001B3E22FB", c.Violated(Phrase.DIGEST_EXPECTED, False)),
        (b"APOP j\xff c4c9334bac560ecc979e58001b3e22fb", c.Violated(Phrase.DIGEST_EXPECTED, False)),
        (b"APOP", c.Violated(Phrase.DIGEST_EXPECTED, False)),
    ],
)
def test_line_before_login(line, command):
    assert asked(POP3Server(), line + b"\r\n") == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"CAPA", c.AskCapabilities()),
        (b"LANG ja", c.ChooseLanguage("ja")),
        (b"STAT", c.AskStatus()),
        (b"LIST", c.ListSizes(None)),
        (b"LIST 2", c.ListSizes(2)),
        (b"UIDL", c.ListUniqueIds(None)),
        (b"uidl 2", c.ListUniqueIds(2)),
        (b"RETR 1", c.Retrieve(1)),
        (b"retr 0001 ", c.Retrieve(1)),
        (b"RETR 0", c.Retrieve(0)),
        (b"TOP 1 0", c.RetrieveTop(1, 0)),
        (b"TOP  1  10 ", c.RetrieveTop(1, 10)),
        (b"DELE 9999999999", c.Delete(9999999999)),
        (b"RSET", c.Reset()),
        (b"NOOP", c.DoNothing()),
        (b"QUIT", c.Quit(True)),
        (b"RETR", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"RETR x", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"RETR -1", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"RETR +1", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"RETR 1_0", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        ("RETR ٣".encode(), c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"RETR 1 2", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"DELE 99999999999", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"DELE " + b"9" * 240, c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"TOP 1", c.Violated(Phrase.NUMBER_EXPECTED, False)),
        (b"USER joe", c.Violated(Phrase.NOT_NOW, False)),
        (b"STLS", c.Violated(Phrase.NOT_NOW, False)),
        (b"UTF8", c.Violated(Phrase.NOT_NOW, False)),
        (b"AUTH PLAIN", c.Violated(Phrase.NOT_NOW, False)),
        (b"x" * (MAX_COMMAND_OCTETS - 2), c.Violated(Phrase.UNKNOWN_COMMAND, False)),
        (b"x" * (MAX_COMMAND_OCTETS - 1), c.Violated(Phrase.LINE_TOO_LONG, False)),
    ],
)
def test_line_after_login(line, command):
    assert asked(logged_in(), line + b"\r\n") == command


EVERYWHERE = {b"CAPA", b"LANG", b"QUIT"}
BEFORE_LOGIN = EVERYWHERE | {b"STLS", b"UTF8", b"USER", b"PASS", b"APOP", b"AUTH"}
AFTER_LOGIN = EVERYWHERE | {b"STAT", b"LIST", b"UIDL", b"RETR", b"TOP", b"DELE", b"RSET", b"NOOP"}


def in_exchange():
    engine = POP3Server()
    asked(engine, b"AUTH LOGIN\r\n")
    engine.challenge(b"")
    return engine


def closed():
    engine = POP3Server()
    asked(engine, b"QUIT\r\n")
    engine.send(b"+OK\r\n")
    return engine


@pytest.mark.parametrize("verb", sorted(BEFORE_LOGIN | AFTER_LOGIN))
def test_every_command_in_every_state(verb):
    for engine, allowed in ((POP3Server(), BEFORE_LOGIN), (logged_in(), AFTER_LOGIN)):
        refused = asked(engine, verb + b"\r\n") == c.Violated(Phrase.NOT_NOW, False)
        assert refused is (verb not in allowed)
    assert asked(in_exchange(), verb + b"\r\n") == c.AuthLine(verb)
    assert asked(closed(), verb + b"\r\n") is Wait.PAUSED


def test_there_are_no_other_commands():
    assert PARSERS.keys() == BEFORE_LOGIN | AFTER_LOGIN


def test_password_is_the_rest_of_the_line():
    engine = POP3Server()
    asked(engine, b"USER joe\r\n")
    engine.send(b"+OK\r\n")
    assert asked(engine, b"PASS  two words \r\n") == c.LogIn("joe", " two words ")


@pytest.mark.parametrize("argument", [b"", b"a\0b", b"\xff", b"x" * 1025, "a\ufffdb".encode(), "א1".encode()])
def test_password_that_is_no_text_is_a_violation_and_forgets_the_user(argument):
    engine = POP3Server()
    asked(engine, b"USER joe\r\n")
    engine.send(b"+OK\r\n")
    assert asked(engine, b"PASS " + argument + b"\r\n").phrase is Phrase.PASSWORD_EXPECTED
    engine.send(b"-ERR\r\n")
    assert asked(engine, b"PASS secret\r\n").phrase is Phrase.USER_FIRST


def test_refused_user_cannot_be_followed_by_a_password():
    engine = POP3Server()
    asked(engine, b"USER joe\r\n")
    engine.send(b"-ERR STLS first\r\n")
    assert isinstance(asked(engine, b"PASS secret\r\n"), c.Violated)


def test_exchange_takes_the_next_lines_as_responses():
    engine = POP3Server()
    asked(engine, b"AUTH LOGIN\r\n")
    assert engine.challenge(b"VXNlcm5hbWU6") == b"+ VXNlcm5hbWU6\r\n"
    assert engine.state is State.EXCHANGE
    assert asked(engine, b"QUIT\r\n") == c.AuthLine(b"QUIT")
    assert engine.challenge(b"") == b"+ \r\n"
    assert asked(engine, b"x" * 12_000 + b"\r\n") == c.AuthLine(b"x" * 12_000)
    engine.send(b"+OK\r\n")
    assert engine.state is State.TRANSACTION


def test_refused_line_ends_the_exchange():
    engine = POP3Server()
    asked(engine, b"AUTH PLAIN\r\n")
    engine.challenge(b"")
    assert asked(engine, b"*\r\n") == c.AuthLine(b"*")
    engine.send(b"-ERR\r\n")
    assert engine.state is State.AUTHORIZATION
    assert asked(engine, b"CAPA\r\n") == c.AskCapabilities()


def test_line_that_is_too_long_ends_the_exchange():
    engine = POP3Server()
    asked(engine, b"AUTH PLAIN\r\n")
    engine.challenge(b"")
    assert isinstance(asked(engine, b"A" * 20_000 + b"\r\n"), c.Violated)
    engine.send(b"-ERR\r\n")
    assert asked(engine, b"CAPA\r\n") == c.AskCapabilities()


@pytest.mark.parametrize("line", [b"", b"CAPA\r\n"])
def test_challenge_without_auth_is_misuse(line):
    engine = POP3Server()
    asked(engine, line)
    with pytest.raises(MisuseError):
        engine.challenge(b"")


def test_starttls_drops_what_came_behind_it():
    engine = POP3Server()
    asked(engine, b"USER joe\r\nSTLS\r\nPASS secret\r\nCAPA\r\n")
    engine.send(b"+OK\r\n")
    assert engine.next_event() == c.StartTLS()
    engine.send(b"+OK\r\n")
    assert engine.next_event() is Wait.NEED_DATA
    assert isinstance(asked(engine, b"PASS secret\r\n"), c.Violated)


def test_refused_starttls_drops_nothing():
    engine = POP3Server()
    asked(engine, b"STLS\r\nCAPA\r\n")
    engine.send(b"-ERR\r\n")
    assert engine.next_event() == c.AskCapabilities()


def test_utf8_mode_begins_with_a_positive_reply_and_keeps_tls_out():
    engine = POP3Server()
    asked(engine, b"UTF8\r\n")
    engine.send(b"-ERR\r\n")
    assert not engine.utf8
    for _ in range(2):
        asked(engine, b"UTF8\r\n")
        engine.send(b"+OK\r\n")
        assert engine.utf8
    assert asked(engine, b"STLS\r\n") == c.Violated(Phrase.NOT_IN_UTF8_MODE, False)


def test_next_command_waits_for_the_reply():
    engine = POP3Server()
    assert asked(engine, b"CAPA\r\nQUIT\r\n") == c.AskCapabilities()
    assert engine.next_event() is Wait.PAUSED
    assert engine.send(b"+OK\r\n.\r\n") == b"+OK\r\n.\r\n"
    assert engine.next_event() == c.Quit(False)
    engine.send(b"+OK bye\r\n")
    assert engine.closed
    assert engine.next_event() is Wait.PAUSED


def test_reply_without_a_command_is_misuse():
    with pytest.raises(MisuseError):
        POP3Server().send(b"+OK\r\n")


@pytest.mark.parametrize("reply", [b"+OK\r\n", b"-ERR [SYS/TEMP] not removed\r\n"])
def test_quit_ends_the_session_whatever_the_reply(reply):
    engine = logged_in()
    asked(engine, b"QUIT\r\n")
    engine.send(reply)
    assert engine.closed


def test_failed_logins_are_bounded():
    engine = POP3Server()
    for left in range(MAX_FAILED_LOGINS, 0, -1):
        assert not engine.closed, left
        asked(engine, b"AUTH PLAIN " + b64encode(b"\0joe\0wrong") + b"\r\n")
        engine.send(b"-ERR [AUTH] no\r\n")
    assert engine.closed


def test_violations_are_bounded_and_the_last_one_says_so():
    engine = POP3Server()
    for _ in range(MAX_VIOLATIONS - 1):
        assert asked(engine, b"HELO\r\n") == c.Violated(Phrase.UNKNOWN_COMMAND, False)
        engine.send(b"-ERR unknown command\r\n")
    last = asked(engine, b"HELO\r\n")
    assert last == c.Violated(Phrase.TOO_MANY_MISTAKES, True)
    engine.send(b"-ERR\r\n")
    assert engine.closed


def test_endless_line_ends_the_connection_with_bounded_memory():
    engine = POP3Server()
    for _ in range(MAX_UNENDED_OCTETS // 1024):
        assert asked(engine, b"x" * 1024) is Wait.NEED_DATA
        assert len(engine._buffer) < 20_000
    event = asked(engine, b"x")
    assert event == c.Violated(Phrase.LINE_TOO_LONG, True)
    engine.send(b"-ERR\r\n")
    assert engine.closed


def test_password_is_not_in_the_repr():
    assert "secret" not in repr(c.LogIn("joe", "secret"))


def dialogue(pieces):
    """All commands of a session whose every command is answered well."""
    engine, events = POP3Server(), []
    for piece in pieces:
        engine.receive_data(piece)
        while not isinstance(event := engine.next_event(), Wait):
            events.append(event)
            match event:
                case c.Auth():
                    engine.challenge(b"")
                case c.AuthLine(b"*"):
                    engine.send(b"-ERR\r\n")
                case _:
                    engine.send(b"-ERR\r\n" if isinstance(event, c.Violated) else b"+OK\r\n")
    return events


SCRIPT = (
    b"CAPA\r\nLANG de\r\nUTF8\r\nAPOP a b\r\n"
    b"USER joe\r\nAUTH PLAIN\r\n*\r\nbad\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nRETR 2\r\n"
    b"DELE 1\r\nTOP 2 3\r\n\r\nLIST\r\nUIDL 7\r\nNOOP\r\nRSET\r\nQUIT\r\n"
)


@given(st.lists(st.integers(0, len(SCRIPT)), max_size=12))
def test_any_cutting_gives_the_same_commands(cuts):
    edges = [0, *sorted(cuts), len(SCRIPT)]
    pieces = [SCRIPT[a:b] for a, b in itertools.pairwise(edges)]
    assert dialogue(pieces) == dialogue([SCRIPT])


WORDS = st.sampled_from(
    [
        b"USER ",
        b"PASS ",
        b"AUTH ",
        b"PLAIN",
        b"RETR ",
        b"TOP ",
        b"1",
        b" ",
        b"\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"=",
        b"*",
        b".",
    ]
)


@given(st.lists(st.one_of(WORDS, st.binary(max_size=8)), max_size=40))
def test_garbage_gives_only_commands(pieces):
    for event in dialogue(pieces):
        assert isinstance(event, c.Command)
