"""The server's engine: where commands end, which literals are read, states, and whatever hostile clients send."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.imap import commands as c
from twisted_mail_node.wire.imap.enabled import Extension
from twisted_mail_node.wire.imap.events import CommandRefused, ContinuationNeeded
from twisted_mail_node.wire.imap.limits import Limits
from twisted_mail_node.wire.imap.responses import bad, no, ok
from twisted_mail_node.wire.imap.server import IMAPServer
from twisted_mail_node.wire.imap.states import State
from twisted_mail_node.wire.wait import Wait

GO_AHEAD = ContinuationNeeded(b"+ go ahead\r\n")


def engine(state=State.SELECTED, **limits):
    return IMAPServer(state, Limits(**limits))


def next_events(server, data=b""):
    """Feed, and take events until one wants an answer or input runs out."""
    server.receive_data(data)
    events = []
    while not isinstance(event := server.next_event(), Wait):
        events.append(event)
    return events


def only_event(server, data):
    (event,) = next_events(server, data)
    return event


def dialogue(server, pieces):
    """Every event of a session in which all is accepted, with chunks of a message joined; and what was written."""
    events, written = [], []
    for piece in pieces:
        server.receive_data(piece)
        while not isinstance(event := server.next_event(), Wait):
            match event:
                case c.AppendChunk():
                    if events and isinstance(events[-1], bytes):
                        events[-1] += event.data
                    else:
                        events.append(event.data)
                    continue
                case ContinuationNeeded() | CommandRefused():
                    written.append(event.response)
                case c.AppendMessage():
                    written.append(server.accept_message())
                case c.Idle():
                    written.append(server.start_idling())
                case c.Authenticate():
                    written.append(server.challenge(b"go"))
                case c.StartTLS():
                    written.append(server.send(no("not here")))
                case _:
                    written.append(server.send(ok("done")))
            events.append(event)
    return events, b"".join(written)


# -- commands, answers ------------------------------------------------------------------------------------------------


def test_a_command_pauses_the_engine_until_it_is_answered():
    server = engine()
    server.receive_data(b"a NOOP\r\nb CHECK\r\n")
    assert server.next_event() == c.Noop(b"a")
    assert server.next_event() is Wait.PAUSED
    assert server.pending == c.Noop(b"a")
    assert server.part(b"* 3 EXISTS\r\n") == b"* 3 EXISTS\r\n"
    assert server.send(ok("done"), b"* 1 RECENT\r\n") == b"* 1 RECENT\r\na OK done\r\n"
    assert server.next_event() == c.Check(b"b")
    assert server.send(no("not now", b"INUSE")) == b"b NO [INUSE] not now\r\n"
    assert server.next_event() is Wait.NEED_DATA


def test_updates_are_pushed_between_commands_only():
    server = engine()
    assert server.push(b"* 3 EXISTS\r\n") == b"* 3 EXISTS\r\n"
    only_event(server, b"a NOOP\r\n")
    with pytest.raises(MisuseError):
        server.push(b"* 3 EXISTS\r\n")


@pytest.mark.parametrize(
    "call",
    [
        lambda server: server.send(ok("done")),
        lambda server: server.part(b""),
        lambda server: server.start_idling(),
        lambda server: server.challenge(b""),
        lambda server: server.start_tls(),
        lambda server: server.accept_message(),
        lambda server: server.abandon_message(no("x")),
    ],
)
def test_an_answer_that_nothing_waits_for_is_misuse(call):
    with pytest.raises(MisuseError):
        call(engine())


def test_the_answer_to_another_command_is_misuse():
    server = engine()
    only_event(server, b"a NOOP\r\n")
    with pytest.raises(MisuseError, match="Noop is pending"):
        server.accept_message()
    assert server.send(ok("done")) == b"a OK done\r\n"


@pytest.mark.parametrize(
    ("data", "response"),
    [
        (b"a FROB\r\n", b"a BAD unknown command\r\n"),
        (b"a\r\n", b"a BAD a space is missing\r\n"),
        (b"\r\n", b"* BAD a tag is missing\r\n"),
        (b"* NOOP\r\n", b"* BAD a tag is missing\r\n"),
        (b"a NO\0OP\r\n", b"a BAD unknown command\r\n"),
        (b"a NOOP\rb NOOP\r\n", b"a BAD something follows the command's arguments\r\n"),
        (b"a NOOP\nb NOOP\r\n", b"a BAD something follows the command's arguments\r\n"),
        (b'a STATUS "\0" (MESSAGES)\r\n', b"a BAD a mailbox name is missing\r\n"),
        (b"a STATUS \xff (MESSAGES)\r\n", b"a BAD a mailbox name is missing\r\n"),
        (b"a LIST " + b"(" * 50_000 + b"\r\n", b"a BAD a keyword is missing\r\n"),
        (b"a SEARCH " + b"(" * 50_000 + b"\r\n", b"a BAD search keys nested too deep\r\n"),
        (b"a FETCH 1 (" + b"FLAGS " * 9000 + b"\r\n", b"a BAD a list is not closed\r\n"),
        (b"GET / HTTP/1.1\r\n", b"GET BAD unknown command\r\n"),
    ],
)
def test_what_is_no_command_is_refused_and_counted(data, response):
    server = engine()
    event = only_event(server, data)
    if response.startswith(b"a BAD a keyword"):
        assert event.response.startswith(b"a BAD ")
    else:
        assert event == CommandRefused(response)
    assert server.mistakes == 1
    assert only_event(server, b"b NOOP\r\n") == c.Noop(b"b")


def test_what_is_well_formed_and_impossible_is_no_mistake():
    server = engine()
    assert only_event(server, b"a SELECT &\r\n").response.startswith(b"a NO [CANNOT] ")
    assert only_event(server, b"a SEARCH CHARSET x ALL\r\n").response.startswith(b"a NO [BADCHARSET (")
    assert server.mistakes == 0


# -- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "line", "why"),
    [
        (State.NOT_AUTHENTICATED, b"SELECT x", b"log in first"),
        (State.NOT_AUTHENTICATED, b"FETCH 1 FLAGS", b"log in first"),
        (State.AUTHENTICATED, b"LOGIN a b", b"already logged in"),
        (State.AUTHENTICATED, b"STARTTLS", b"already logged in"),
        (State.AUTHENTICATED, b"UID FETCH 1 FLAGS", b"no mailbox is selected"),
        (State.AUTHENTICATED, b"CLOSE", b"no mailbox is selected"),
        (State.SELECTED, b"AUTHENTICATE PLAIN", b"already logged in"),
    ],
)
def test_a_command_out_of_place_is_refused(state, line, why):
    server = engine(state)
    assert only_event(server, b"a %b\r\n" % line) == CommandRefused(b"a BAD %b\r\n" % why)
    assert server.state is state


@pytest.mark.parametrize(
    ("before", "line", "completion", "after"),
    [
        (State.NOT_AUTHENTICATED, b"LOGIN a b", ok("x"), State.AUTHENTICATED),
        (State.NOT_AUTHENTICATED, b"LOGIN a b", no("x"), State.NOT_AUTHENTICATED),
        (State.NOT_AUTHENTICATED, b"AUTHENTICATE PLAIN", ok("x"), State.AUTHENTICATED),
        (State.NOT_AUTHENTICATED, b"CAPABILITY", ok("x"), State.NOT_AUTHENTICATED),
        (State.AUTHENTICATED, b"SELECT x", ok("x"), State.SELECTED),
        (State.AUTHENTICATED, b"SELECT x", no("x"), State.AUTHENTICATED),
        (State.SELECTED, b"EXAMINE x", ok("x"), State.SELECTED),
        (State.SELECTED, b"SELECT x", no("x"), State.AUTHENTICATED),
        (State.SELECTED, b"SELECT x", bad("x"), State.SELECTED),
        (State.SELECTED, b"CLOSE", ok("x"), State.AUTHENTICATED),
        (State.SELECTED, b"CLOSE", no("x"), State.SELECTED),
        (State.SELECTED, b"UNSELECT", ok("x"), State.AUTHENTICATED),
        (State.SELECTED, b"UID FETCH 1 FLAGS", ok("x"), State.SELECTED),
        (State.SELECTED, b"LOGOUT", ok("x"), State.LOGOUT),
    ],
)
def test_answers_change_the_state(before, line, completion, after):
    server = engine(before)
    only_event(server, b"a %b\r\n" % line)
    server.send(completion)
    assert server.state is after


def test_logout_is_the_end():
    server = engine()
    only_event(server, b"a LOGOUT\r\nb NOOP\r\n")
    assert server.send(ok("done"), b"* BYE\r\n") == b"* BYE\r\na OK done\r\n"
    assert server.closed
    assert server.next_event() is Wait.PAUSED
    with pytest.raises(MisuseError):
        server.push(b"* 3 EXISTS\r\n")


def test_a_mailbox_that_is_gone_is_selected_no_more():
    server = engine()
    server.deselect()
    assert server.state is State.AUTHENTICATED
    server.deselect()
    assert server.state is State.AUTHENTICATED


def test_what_comes_behind_starttls_is_dropped():
    server = engine(State.NOT_AUTHENTICATED)
    only_event(server, b"a STARTTLS\r\nb LOGIN joe secret\r\nc NO")
    assert server.start_tls() == b"a OK begin TLS negotiation now\r\n"
    assert server.next_event() is Wait.NEED_DATA
    assert only_event(server, b"d CAPABILITY\r\n") == c.Capability(b"d")


def test_starttls_may_be_refused():
    server = engine(State.NOT_AUTHENTICATED)
    only_event(server, b"a STARTTLS\r\nb NOOP\r\n")
    assert server.send(bad("no TLS here")) == b"a BAD no TLS here\r\n"
    assert server.next_event() == c.Noop(b"b")


# -- literals ---------------------------------------------------------------------------------------------------------


def test_a_literal_is_asked_for_and_collected():
    server = engine(State.NOT_AUTHENTICATED)
    assert next_events(server, b"a LOGIN {3}\r\n") == [GO_AHEAD]
    assert next_events(server, b"joe {6}\r\n") == [GO_AHEAD]
    assert only_event(server, b"se\r\nct\r\n") == c.Login(b"a", "joe", "se\r\nct")


def test_a_literal_that_does_not_wait_is_not_asked_for():
    server = engine(State.NOT_AUTHENTICATED)
    assert only_event(server, b"a LOGIN {3+}\r\njoe {0+}\r\n\r\n") == c.Login(b"a", "joe", "")


def test_updates_may_come_while_a_literal_is_awaited_and_nothing_idles():
    server = engine()
    assert next_events(server, b"a IDLE {3}\r\n") == [GO_AHEAD]
    assert not server.is_idling
    assert only_event(server, b"abc\r\n").response.startswith(b"a BAD ")


@pytest.mark.parametrize("line", [b"a FROB {3}", b"a LOGIN {3}", b"{3}", b"a UID {3}"])
def test_who_may_not_give_the_command_is_told_before_its_literal(line):
    server = engine()
    assert isinstance(only_event(server, line + b"\r\n"), CommandRefused)
    assert only_event(server, b"b NOOP\r\n") == c.Noop(b"b")


@pytest.mark.parametrize("line", [b"a FROB {3+}", b"a LOGIN {3+}", b"{3+}", b"a UID {3+}"])
def test_a_literal_that_comes_anyway_is_thrown_away_with_the_rest_of_its_command(line):
    server = engine()
    events = next_events(server, line + b"\r\nx\r\n {4+}\r\ny\r\nz {9}\r\nb NOOP\r\n")
    assert [type(event) for event in events] == [CommandRefused, c.Noop]


def test_a_literal_beyond_the_limit_of_a_command_is_refused():
    server = engine()
    refused = CommandRefused(b"a BAD [TOOBIG] command too long\r\n")
    assert only_event(server, b"a SELECT {65536}\r\n") == refused
    assert only_event(server, b"a SELECT {4294967296}\r\n") == refused
    assert next_events(server, b"a SELECT {65536+}\r\n" + b"x" * 65536 + b"\r\nb NOOP\r\n") == [refused, c.Noop(b"b")]
    assert server.mistakes == 3


def test_literals_count_together():
    server = engine(State.NOT_AUTHENTICATED, command_octets=100)
    assert next_events(server, b"a LOGIN {50}\r\n" + b"x" * 50 + b" {50}\r\n") == [
        GO_AHEAD,
        CommandRefused(b"a BAD [TOOBIG] command too long\r\n"),
    ]
    events = next_events(server, b"a LOGIN {50+}\r\n" + b"x" * 50 + b"y" * 60 + b"\r\nb NOOP\r\n")
    assert events == [CommandRefused(b"a BAD [TOOBIG] command too long\r\n"), c.Noop(b"b")]
    events = next_events(engine(command_octets=100), b"a SELECT {50+}\r\n" + b"x" * 50 + b"y" * 200 + b"\r\nb NOOP\r\n")
    assert events == [CommandRefused(b"a BAD [TOOBIG] command too long\r\n"), c.Noop(b"b")]


@pytest.mark.parametrize(
    "line",
    [
        b"a SELECT {4294967296+}",
        b"a FROB {4294967296+}",
        b"a APPEND x {4294967296+}",
        b"a SELECT {%b+}" % (b"9" * 60),
    ],
)
def test_an_absurd_literal_that_comes_anyway_is_the_end(line):
    server = engine()
    event = only_event(server, line + b"\r\nxxx")
    assert event.response.startswith(b"a BAD ")
    assert event.response.endswith(b"* BYE [TOOBIG] too much data\r\n")
    assert server.closed


def test_a_number_too_long_for_any_literal_is_none():
    server = engine()
    assert only_event(server, b"a SELECT {%b}\r\n" % (b"9" * 100)).response.startswith(b"a BAD ")
    assert not server.closed


def test_literal_upon_literal_thrown_away_is_the_end_too():
    server = engine(discard_octets=100)
    events = next_events(server, b"a FROB {60+}\r\n" + b"x" * 60 + b" {60+}\r\n")
    assert [type(event) for event in events] == [CommandRefused, CommandRefused]
    assert events[1].response == b"* BYE [TOOBIG] too much data\r\n"
    assert server.closed


def test_a_line_too_long_behind_a_literal_thrown_away_is_thrown_away():
    server = engine(command_octets=100)
    events = next_events(server, b"a FROB {3+}\r\nxyz" + b"x" * 200 + b"\r\nb NOOP\r\n")
    assert events == [CommandRefused(b"a BAD unknown command\r\n"), c.Noop(b"b")]


def test_a_line_too_long_is_refused_and_skipped():
    server = engine()
    events = next_events(server, b"a SEARCH " + b"x" * 70_000 + b"\r\nb NOOP\r\n")
    assert events == [CommandRefused(b"* BAD [TOOBIG] command too long\r\n"), c.Noop(b"b")]


def test_an_endless_line_takes_no_memory():
    server = engine()
    for _ in range(60):
        assert next_events(server, b"x" * 16_384) == []
        assert len(server._input) <= 64 * 1024 + 16_384
    assert only_event(server, b"\r\n") == CommandRefused(b"* BAD [TOOBIG] command too long\r\n")
    assert not server.closed


@pytest.mark.parametrize(
    ("begun", "response"),
    [
        (b"a LOGIN ", b"* BAD [TOOBIG] command too long\r\n* BYE [TOOBIG] too much data\r\n"),
        (b"a SELECT {3+}\r\nabc", b"a BAD [TOOBIG] command too long\r\n* BYE [TOOBIG] too much data\r\n"),
    ],
)
def test_patience_with_an_endless_line_has_an_end(begun, response):
    server = engine(skip_octets=100_000)
    assert next_events(server, begun) == []
    assert next_events(server, b"x" * 99_000) == []
    assert only_event(server, b"x" * 2_000) == CommandRefused(response)
    assert server.closed


def test_patience_with_what_is_thrown_away_has_an_end():
    server = engine(skip_octets=100_000)
    next_events(server, b"a FROB {3+}\r\nabc")
    assert only_event(server, b"x" * 101_000).response.endswith(b"* BYE [TOOBIG] too much data\r\n")
    assert server.closed


def test_thousands_of_empty_literals_take_linear_time():
    server = engine()
    events = next_events(server, b"a SEARCH " + b"{0+}\r\n " * 8000 + b"ALL\r\n")
    assert [type(event) for event in events] == [CommandRefused]


# -- APPEND -----------------------------------------------------------------------------------------------------------


def test_a_message_is_announced_accepted_and_handed_on():
    server = engine(State.AUTHENTICATED)
    assert only_event(server, b"a APPEND x {5}\r\n") == c.AppendMessage(b"a", "x", NO_FLAGS, None, 5, True)
    assert server.accept_message() == b"+ go ahead\r\n"
    assert next_events(server, b"he") == [c.AppendChunk(b"he", False)]
    assert next_events(server, b"llo\r") == [c.AppendChunk(b"llo", True)]
    assert only_event(server, b"\n") == c.Append(b"a", "x", 1)
    assert server.send(ok("done")) == b"a OK done\r\n"


def test_a_message_that_does_not_wait():
    server = engine()
    assert only_event(server, b"a APPEND {1+}\r\nx {5+}\r\nhello\r\nb NOOP\r\n").synchronizing is False
    assert server.accept_message() == b""
    assert next_events(server) == [c.AppendChunk(b"hello", True), c.Append(b"a", "x", 1)]


def test_a_large_message_comes_in_pieces():
    server = engine(chunk_octets=1000)
    only_event(server, b"a APPEND x {2500}\r\n")
    server.accept_message()
    events = next_events(server, b"x" * 2500 + b"\r\n")
    assert [len(event.data) for event in events[:-1]] == [1000, 1000, 500]
    assert [event.last for event in events[:-1]] == [False, False, True]


def test_an_empty_message_is_one_empty_piece():
    server = engine()
    only_event(server, b"a APPEND x {0}\r\n\r\n")
    server.accept_message()
    assert next_events(server) == [c.AppendChunk(b"", True), c.Append(b"a", "x", 1)]


def test_a_refused_message_is_not_waited_for():
    server = engine()
    only_event(server, b"a APPEND x {5}\r\n")
    assert server.send(no("no such mailbox", b"TRYCREATE")) == b"a NO [TRYCREATE] no such mailbox\r\n"
    assert only_event(server, b"b NOOP\r\n") == c.Noop(b"b")


def test_a_refused_message_that_comes_anyway_is_thrown_away():
    server = engine()
    only_event(server, b"a APPEND x {5+}\r\na\r\nb\r\r\nb NOOP\r\n")
    server.send(no("no such mailbox"))
    assert next_events(server) == [c.Noop(b"b")]


def test_a_message_of_4_gib_is_announced_for_the_session_to_refuse():
    server = engine()
    assert only_event(server, b"a APPEND x {4294967296}\r\n").size == 1 << 32
    assert server.send(no("too big", b"TOOBIG")) == b"a NO [TOOBIG] too big\r\n"
    assert only_event(server, b"b NOOP\r\n") == c.Noop(b"b")


@pytest.mark.parametrize("cut", [0, 3, 5])
def test_a_message_is_abandoned_half_way(cut):
    server = engine()
    only_event(server, b"a APPEND x {5+}\r\n")
    server.accept_message()
    next_events(server, b"hello"[:cut])
    assert server.abandon_message(no("disk full")) == b"a NO disk full\r\n"
    assert next_events(server, b"hello"[cut:] + b"\r\nb NOOP\r\n") == [c.Noop(b"b")]


def test_a_message_that_is_complete_cannot_be_abandoned():
    server = engine()
    only_event(server, b"a APPEND x {1}\r\n")
    server.accept_message()
    next_events(server, b"x\r\n")
    with pytest.raises(MisuseError):
        server.abandon_message(no("x"))
    server.send(ok("done"))


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (b"x", b"a BAD something follows the message\r\n"),
        (b" (\\Seen)", b"a BAD something follows the message\r\n"),
        (b"{3+}\r\nabc", b"a BAD a space is missing\r\n"),
        (b" {3+", b"a BAD something follows the message\r\n"),
        (b" (\\Recent) {3+}\r\nabc", b"a BAD not a flag that can be set\r\n"),
        (b" x {3+}\r\nabc {4+}\r\nabcd", b"a BAD the message is missing\r\n"),
        (b" ~{3+}\r\nabc", b"a BAD no binary literals here\r\n"),
        (b" (\\Seen){3+}\r\nabc", b"a BAD a space is missing\r\n"),
        (b" {9+}\r\n", b"a BAD [TOOBIG] command too long\r\n* BYE [TOOBIG] too much data\r\n"),
    ],
)
def test_what_may_not_follow_a_message(line, refused):
    server = engine(discard_octets=8)
    only_event(server, b"a APPEND x {1}\r\n")
    server.accept_message()
    events = next_events(server, b"x" + line + b"\r\nb NOOP\r\n")
    assert events[:2] == [c.AppendChunk(b"x", True), CommandRefused(refused)]
    assert server.closed or events[2:] == [c.Noop(b"b")]


def test_one_message_follows_another():
    server = engine()
    server.enabled.add(Extension.UTF8_ACCEPT)
    only_event(server, b'a APPEND "\xc3\xa4" {1}\r\n')
    server.accept_message()
    dated = b' (\\Seen) " 1-Jan-1970 00:00:00 +0000" {2}\r\n'
    second = c.AppendMessage(b"a", "\xe4", Flags.from_names(["\\Seen"]), InternalDate(0), 2, True, 1)
    assert next_events(server, b"x" + dated) == [c.AppendChunk(b"x", True), second]
    assert server.accept_message() == b"+ go ahead\r\n"
    third = c.AppendMessage(b"a", "\xe4", NO_FLAGS, None, 3, False, 2)
    assert next_events(server, b"yy {3+}\r\n") == [c.AppendChunk(b"yy", True), third]
    assert server.accept_message() == b""
    assert next_events(server, b"zzz\r\n") == [c.AppendChunk(b"zzz", True), c.Append(b"a", "\xe4", 3)]


@pytest.mark.parametrize("announcement", [b" {3}\r\n", b" {3+}\r\na\r\n {4+}\r\nabcd\r\n"])
def test_a_message_refused_behind_another_ends_the_command(announcement):
    server = engine()
    only_event(server, b"a APPEND x {1}\r\n")
    server.accept_message()
    assert len(next_events(server, b"x" + announcement)) == 2
    assert server.send(no("too big", b"TOOBIG")) == b"a NO [TOOBIG] too big\r\n"
    with pytest.raises(MisuseError):
        server.abandon_message(no("x"))
    assert next_events(server, b"b NOOP\r\n") == [c.Noop(b"b")]


def test_a_line_too_long_behind_the_message_is_refused():
    server = engine(command_octets=100)
    only_event(server, b"a APPEND x {1}\r\n")
    server.accept_message()
    events = next_events(server, b"x" + b"y" * 200 + b"\r\nb NOOP\r\n")
    assert events[1:] == [CommandRefused(b"a BAD [TOOBIG] command too long\r\n"), c.Noop(b"b")]


def test_a_wrong_announcement_is_refused_before_the_message():
    server = engine()
    assert only_event(server, b"a APPEND x (\\Recent) {5}\r\n").response.startswith(b"a BAD ")
    assert only_event(server, b"a APPEND x& {5}\r\n").response.startswith(b"a NO [CANNOT] ")
    events = next_events(server, b"a APPEND x y {5+}\r\nhello\r\nb NOOP\r\n")
    assert [type(event) for event in events] == [CommandRefused, c.Noop]


# -- IDLE, AUTHENTICATE -----------------------------------------------------------------------------------------------


def test_idle_lasts_until_done():
    server = engine()
    assert only_event(server, b"a IDLE\r\n") == c.Idle(b"a")
    assert not server.is_idling
    assert server.start_idling() == b"+ idling\r\n"
    assert server.is_idling
    assert server.next_event() is Wait.NEED_DATA
    assert server.push(b"* 4 EXISTS\r\n") == b"* 4 EXISTS\r\n"
    assert only_event(server, b"done\r\nb NOOP\r\n") == c.Done(b"a")
    assert not server.is_idling
    assert server.send(ok("done")) == b"a OK done\r\n"
    assert server.next_event() == c.Noop(b"b")


def test_idle_may_be_refused():
    server = engine()
    only_event(server, b"a IDLE\r\n")
    assert server.send(no("too many")) == b"a NO too many\r\n"
    assert not server.is_idling


@pytest.mark.parametrize("line", [b"b NOOP", b"", b"DONE now", b"b LOGIN {3+}\r\njoe x", b"x" * 70_000])
def test_anything_but_done_ends_idle_badly(line):
    server = engine()
    only_event(server, b"a IDLE\r\n")
    server.start_idling()
    events = next_events(server, line + b"\r\nc NOOP\r\n")
    assert events[0].response.startswith(b"a BAD ")
    assert events[1:] == [c.Noop(b"c")]
    assert not server.is_idling


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (b"a NOOP \r\n", c.Noop(b"a")),
        (b'a LIST "" *  \r\n', c.List(b"a", "", ("*",))),
        (b"a LOGIN joe {2+}\r\nx  \r\n", c.Login(b"a", "joe", "x ")),
    ],
)
def test_spaces_behind_a_command_are_let_pass(data, command):
    assert only_event(engine(State.AUTHENTICATED if b"LIST" in data else State.NOT_AUTHENTICATED), data) == command


def test_spaces_behind_a_message_and_behind_done_are_let_pass():
    server = engine()
    only_event(server, b"a APPEND x {1}\r\n")
    server.accept_message()
    assert next_events(server, b"m \r\n") == [c.AppendChunk(b"m", last=True), c.Append(b"a", "x", 1)]
    server.send(ok("done"))
    only_event(server, b"b IDLE\r\n")
    server.start_idling()
    assert only_event(server, b"done \r\n") == c.Done(b"b")


def test_an_exchange_of_several_rounds():
    server = engine(State.NOT_AUTHENTICATED)
    assert only_event(server, b"a AUTHENTICATE login\r\n") == c.Authenticate(b"a", "LOGIN", None)
    assert server.challenge(b"Username:") == b"+ VXNlcm5hbWU6\r\n"
    assert only_event(server, b"am9l\r\n") == c.AuthenticateResponse(b"a", b"joe")
    assert server.challenge(b"") == b"+ \r\n"
    assert only_event(server, b"\r\n") == c.AuthenticateResponse(b"a", b"")
    assert server.send(ok("welcome", b"CAPABILITY IMAP4rev1")) == b"a OK [CAPABILITY IMAP4rev1] welcome\r\n"
    assert server.state is State.AUTHENTICATED


def test_an_exchange_is_given_up():
    server = engine(State.NOT_AUTHENTICATED)
    only_event(server, b"a AUTHENTICATE PLAIN\r\n")
    server.challenge(b"")
    assert only_event(server, b"*\r\n") == c.AuthenticateResponse(b"a", None)
    assert server.send(bad("given up")) == b"a BAD given up\r\n"
    assert server.state is State.NOT_AUTHENTICATED
    assert only_event(server, b"b NOOP\r\n") == c.Noop(b"b")


@pytest.mark.parametrize("line", [b"!", b"YQ", b"\xff\0", b"b NOOP", b"A" * 20_000, b"A" * 70_000])
def test_garbage_ends_an_exchange(line):
    server = engine(State.NOT_AUTHENTICATED)
    only_event(server, b"a AUTHENTICATE PLAIN\r\n")
    server.challenge(b"")
    assert only_event(server, line + b"\r\n").response.startswith(b"a BAD ")
    assert server.state is State.NOT_AUTHENTICATED
    assert only_event(server, b"c NOOP\r\n") == c.Noop(b"c")


# -- properties -------------------------------------------------------------------------------------------------------

SESSION = (
    b"a CAPABILITY\r\nb STARTTLS\r\nx FROB {4+}\r\n\r\n\r\n a\r\n"
    b"c AUTHENTICATE PLAIN\r\nAGpvZQBzZWNyZXQ=\r\n"
    b'd LIST {0}\r\n "*"\r\ne SELECT {5+}\r\ninbox\r\n'
    b"f UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (FROM {2}\r\nTo)]<0.10>)\r\n"
    b"g SEARCH CHARSET UTF-8 OR SUBJECT {3}\r\n\xe6\x97\xa5 NOT 3:5\r\nh IDLE\r\nDONE\r\n"
    b"i APPEND inbox (\\Seen) {12+}\r\nab\r\ncd\r\n{3}\r\r\n\r\nj\r\n* x\r\nk IDLE\r\nl NOOP\r\nm LOGOUT\r\nn NOOP\r\n"
)
WHOLE = dialogue(engine(State.NOT_AUTHENTICATED), [SESSION])


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pieces_give_the_same_events(size):
    assert dialogue(engine(State.NOT_AUTHENTICATED), cut(SESSION, size)) == WHOLE


@given(st.lists(st.integers(0, len(SESSION))))
def test_any_cutting_gives_the_same_events(cuts):
    ends = sorted({0, *cuts, len(SESSION)})
    pieces = [SESSION[start:end] for start, end in pairwise(ends)]
    assert dialogue(engine(State.NOT_AUTHENTICATED), pieces) == WHOLE


def test_the_whole_session_is_what_it_should_be():
    events, written = WHOLE
    assert [type(event).__name__ for event in events] == [
        *("Capability", "StartTLS", "CommandRefused", "Authenticate", "AuthenticateResponse"),
        *("ContinuationNeeded", "List", "Select", "ContinuationNeeded", "Fetch", "ContinuationNeeded", "Search"),
        *("Idle", "Done", "AppendMessage", "bytes", "Append"),
        *("CommandRefused", "CommandRefused", "CommandRefused", "Idle", "CommandRefused", "Logout"),
    ]
    assert events[15] == b"ab\r\ncd\r\n{3}\r"
    assert written.endswith(b"+ idling\r\nk BAD DONE was expected\r\nm OK done\r\n")


LINES = st.sampled_from(
    [b"a ", b"NOOP", b"LOGIN ", b"APPEND x ", b"IDLE", b"AUTHENTICATE PLAIN", b"{3}\r\n", b"{3+}\r\n", b"\r\n", b"UID "]
)


@given(st.lists(LINES | st.binary(max_size=8), max_size=20), st.sampled_from(list(State)[:3]))
def test_garbage_is_refused_and_the_next_command_served(pieces, state):
    server = engine(state)
    dialogue(server, pieces)
    events, _ = dialogue(server, [b"\r\n" * 12 + b"DONE\r\nzz NOOP\r\n"])
    assert events[-1] == c.Noop(b"zz")


def test_a_million_octets_one_at_a_time_take_linear_time():
    server = engine()
    line = b"a COPY 1 " + b"x" * 30_000 + b"\r\n"
    received = 0
    for octet in line * 10:
        server.receive_data(b"%c" % octet)
        while isinstance(server.next_event(), c.Copy):
            received += 1
            server.send(ok("done"))
    assert received == 10


def test_what_is_enabled_ends_with_the_session():
    server = engine()
    server.enabled |= {Extension.QRESYNC}
    assert only_event(server, b"a NOOP\r\n")
    server.send(ok("done"))
    assert server.enabled == {Extension.QRESYNC}
    assert only_event(server, b"b LOGOUT\r\n")
    server.send(ok("done"))
    assert not server.enabled
