"""The server's engine: order, limits, pipelining. Sources: RFC 5321, RFC 2920, RFC 3207, RFC 4954, RFC 2033."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.mail.status import Reply, reply
from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.smtp import replies
from twisted_mail_node.wire.smtp.commands import (
    Auth,
    AuthLine,
    Connected,
    Content,
    ContentEnd,
    Data,
    Expn,
    Hello,
    Help,
    Mail,
    Mistake,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTLS,
    Verb,
    Vrfy,
)
from twisted_mail_node.wire.smtp.extensions import hello_reply
from twisted_mail_node.wire.smtp.offer import Extension, Offer
from twisted_mail_node.wire.smtp.server import ENDLESS_LINE_OCTETS, SMTPServerEngine
from twisted_mail_node.wire.smtp.states import TRANSITIONS, State
from twisted_mail_node.wire.wait import Wait

from .talk import OFFER, Talk, whole_and_cut


def test_one_mail_gives_its_events_in_order() -> None:
    talk = Talk().feed(b"EHLO c.example\r\nMAIL FROM:<a@x> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<b@y>\r\nDATA\r\n")
    talk.feed(b"Subject: t\r\n\r\n..dot\r\n.\r\nQUIT\r\n")
    assert talk.events == [
        Connected(),
        Hello(Verb.EHLO, "c.example"),
        Mail(Address("a", "x"), (("SIZE", "10"), ("BODY", "8BITMIME")), 10, BodyType.EIGHT_BIT_MIME),
        Rcpt(Address("b", "y")),
        Data(),
        Content(b"Subject: t\r\n\r\n.dot\r\n"),
        ContentEnd(20, False),
        Quit(),
    ]
    assert talk.codes == [220, 250, 250, 250, 354, 250, 221]
    assert talk.engine.closed


SESSION = (
    b"EHLO c\r\nNOOP x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\nA: b\r\n\r\n.\r\n"
    b"RSET\r\nVRFY joe\r\nHELP me\r\nWHAT\r\nMAIL FROM:<>\r\nRSET\r\nAUTH LOGIN\r\nam9l\r\nQUIT\r\n"
)


@given(st.lists(st.integers(0, len(SESSION)), max_size=20))
def test_any_cutting_gives_the_same_events_and_answers(cuts: list[int]) -> None:
    whole = whole_and_cut(SESSION, cuts)
    assert Vrfy("joe") in whole.events
    assert Help("me") in whole.events
    assert Rset() in whole.events
    assert Noop() in whole.events
    assert AuthLine(b"am9l") in whole.events


PREFIX = {
    State.STARTED: b"",
    State.GREETED: b"EHLO c\r\n",
    State.SENDER: b"EHLO c\r\nMAIL FROM:<a@x>\r\n",
    State.RECIPIENT: b"EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n",
}
LINES = {
    Verb.HELO: b"HELO c",
    Verb.EHLO: b"EHLO c",
    Verb.MAIL: b"MAIL FROM:<a@x>",
    Verb.RCPT: b"RCPT TO:<b@y>",
    Verb.DATA: b"DATA",
    Verb.RSET: b"RSET",
    Verb.NOOP: b"NOOP",
    Verb.HELP: b"HELP",
    Verb.VRFY: b"VRFY x",
    Verb.EXPN: b"EXPN x",
    Verb.QUIT: b"QUIT",
    Verb.STARTTLS: b"STARTTLS",
    Verb.AUTH: b"AUTH PLAIN AGEAYg==",
}


@pytest.mark.parametrize("state", PREFIX)
@pytest.mark.parametrize("verb", LINES)
def test_each_command_in_each_state_follows_the_table(state: State, verb: Verb) -> None:
    talk = Talk().feed(PREFIX[state])
    assert talk.engine.state is state
    talk.feed(LINES[verb] + b"\r\n")
    following = TRANSITIONS.get((state, verb))
    if following is None:
        assert talk.codes[-1] == 503
        assert talk.engine.state is state
    else:
        assert talk.codes[-1] in (220, 221, 235, 250, 354)
        assert talk.engine.state is following


@pytest.mark.parametrize("verb", [verb for verb in LINES if verb not in (Verb.QUIT, Verb.STARTTLS)])
def test_a_refused_command_leaves_the_state_alone(verb: Verb) -> None:
    for (state, of), _ in TRANSITIONS.items():
        if of is verb and state in PREFIX:
            talk = Talk().feed(PREFIX[state])
            talk.answers = dict.fromkeys(
                (Hello, Mail, Rcpt, Data, Auth, Rset, Noop, Help, Vrfy, Expn), reply(450, "4.0.0", "no")
            )
            talk.feed(LINES[verb] + b"\r\n")
            assert talk.engine.state is state


MISTAKES = [
    (b"", 500),
    (b"FOO", 500),
    (b" EHLO c", 500),
    (b"EHLO", 501),
    (b"EHLO a b", 501),
    (b"EHLO " + b"x" * 256, 501),
    (b"EHLO \xc3\xb6", 501),
    (b"LHLO c", 500),
    (b"MAIL", 501),
    (b"MAIL TO:<a@x>", 501),
    (b"MAIL FROM:a@x", 501),
    (b"MAIL FROM:<a@x> FOO=1", 555),
    (b"MAIL FROM:<a@x> SMTPUTF8", 555),
    (b"MAIL FROM:<a@x> RET=FULL", 555),
    (b"MAIL FROM:<a@x> SIZE=x", 501),
    (b"MAIL FROM:<a@x> SIZE", 501),
    (b"MAIL FROM:<a@x> SIZE=-1", 501),
    (b"MAIL FROM:<a@x> SIZE=" + b"1" * 21, 501),
    (b"MAIL FROM:<a@x> BODY=9BIT", 501),
    (b"MAIL FROM:<a@x> BODY=BINARYMIME", 501),
    (b"MAIL FROM:<a@x> AUTH=a=b", 501),
    (b"MAIL FROM:<a@x> AUTH=", 501),
    (b"MAIL FROM:<a@x> AUTH=a+3", 501),
    (b"RCPT FROM:<a@x>", 503),
    (b"EXPN", 501),
    (b"EXPN j\xc3\xb6", 501),
    (b"ETRN example.org", 502),
    (b"VRFY", 501),
    (b"RSET now", 501),
    (b"QUIT now", 501),
    (b"STARTTLS now", 501),
    (b"AUTH", 501),
    (b"AUTH PLAIN a b", 501),
    (b"NOOP \x00", 500),
    (b"NOOP \r", 500),
    (b"NOOP \n", 500),
    (b"NOOP a\rb\nc", 500),
    (b"NOOP \x7f", 500),
    (b"NOOP " + b"x" * 600, 500),
    (b"x" * 600, 500),
    (b"NOOP " + b"x" * 20000, 500),
    (b"MAIL FROM:<a@x> AUTH=" + b"x" * 2000, 500),
]


@pytest.mark.parametrize(("line", "code"), MISTAKES)
def test_a_mistake_gets_its_reply_and_the_session_goes_on(line: bytes, code: int) -> None:
    talk = Talk().feed(b"EHLO c\r\n" + line + b"\r\nNOOP\r\n")
    assert talk.codes == [220, 250, code, 250]
    assert talk.engine.state is State.GREETED


def test_lines_may_grow_by_what_extensions_allow() -> None:
    long_mail = b"MAIL FROM:<" + b"a" * 200 + b"@x> SIZE=1 AUTH=" + b"x" * 480
    assert Talk().feed(b"EHLO c\r\n" + long_mail + b"\r\n").codes[-1] == 250
    assert Talk().feed(b"EHLO c\r\nNOOP " + b"x" * 505 + b"\r\n").codes[-1] == 250
    assert Talk().feed(b"EHLO c\r\nNOOP " + b"x" * 506 + b"\r\n").codes[-1] == 500


def test_rcpt_has_to_say_to_whom() -> None:
    assert Talk().feed(PREFIX[State.SENDER] + b"RCPT FROM:<b@y>\r\n").codes[-1] == 501


@pytest.mark.parametrize(("verb", "kind"), [(b"VRFY", Vrfy), (b"EXPN", Expn)])
def test_addresses_beyond_ascii_are_asked_for_in_utf8(verb: bytes, kind: type) -> None:
    """RFC 6531 §3.7.4.2."""
    offer = Offer(extensions=frozenset({Extension.SMTPUTF8}))
    talk = Talk(offer).feed(b"EHLO c\r\n" + verb + b" joe smtputf8\r\n" + verb + b" j\xc3\xb6rg  SMTPUTF8\r\n")
    assert talk.events[2:] == [kind("joe", True), kind("jörg", True)]
    talk.feed(verb + b" j\xc3\xb6rg\r\n" + verb + b" j\xc3 SMTPUTF8\r\n" + verb + b" SMTPUTF8\r\n")
    assert talk.codes[-3:] == [553, 501, 250]
    assert talk.events[-1] == kind("SMTPUTF8", False)
    assert Talk().feed(b"EHLO c\r\n" + verb + b" joe SMTPUTF8\r\n").events[-1] == kind("joe SMTPUTF8")


def test_rcpt_parameters_are_unknown() -> None:
    assert Talk().feed(PREFIX[State.SENDER] + b"RCPT TO:<b@y> NOTIFY=NEVER\r\n").codes[-1] == 555


def test_a_line_without_end_ends_the_session_in_bounded_memory() -> None:
    talk = Talk().feed(b"EHLO c\r\n")
    for _ in range(ENDLESS_LINE_OCTETS // 10_000 + 2):
        talk.feed(b"x" * 10_000)
    assert talk.codes[-1] == 421
    assert talk.engine.closed


def test_a_long_pipeline_is_no_endless_line() -> None:
    talk = Talk().feed(b"EHLO c\r\n")
    talk.feed((b"NOOP " + b"x" * 500 + b"\r\n") * (ENDLESS_LINE_OCTETS // 500))
    assert set(talk.codes[1:]) == {250}


def test_starttls_drops_what_came_with_it_and_begins_anew() -> None:
    talk = Talk().feed(b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<b@y>\r\n")
    assert talk.codes == [220, 250, 220]
    assert talk.engine.state is State.STARTED
    talk.engine.offer = Offer(tls=True)
    assert talk.feed(b"MAIL FROM:<a@x>\r\nEHLO c\r\nSTARTTLS\r\nAUTH PLAIN\r\n").codes[3:] == [503, 250, 503, 502]


def test_starttls_without_a_context_is_not_implemented() -> None:
    assert Talk(Offer()).feed(b"EHLO c\r\nSTARTTLS\r\n").codes[-1] == 502


def test_a_refused_starttls_keeps_what_is_buffered() -> None:
    talk = Talk()
    talk.answers[StartTLS] = replies.TLS_NOT_AVAILABLE
    assert talk.feed(b"EHLO c\r\nSTARTTLS\r\nNOOP\r\n").codes == [220, 250, 454, 250]


def test_auth_goes_step_by_step_and_happens_once() -> None:
    talk = Talk().feed(b"EHLO c\r\nAUTH login\r\nNOOP\r\nAUTH PLAIN\r\nSTARTTLS\r\n")
    assert talk.events[2:5] == [Auth("LOGIN"), AuthLine(b"NOOP"), Mistake(replies.ALREADY_AUTHENTICATED)]
    assert talk.codes[2:5] == [334, 235, 503]
    talk.engine.offer = Offer(tls=True, mechanisms=("PLAIN",))
    assert talk.feed(b"EHLO c\r\nAUTH PLAIN AA==\r\n").codes[-1] == 235


def test_a_refused_auth_may_be_tried_again() -> None:
    talk = Talk()
    talk.answers[AuthLine] = replies.AUTH_FAILED
    assert talk.feed(b"EHLO c\r\nAUTH LOGIN\r\nx\r\nAUTH LOGIN\r\n*\r\nMAIL FROM:<a@x>\r\n").codes[2:] == [
        334,
        535,
        334,
        535,
        250,
    ]


def test_auth_lines_have_a_limit_of_their_own() -> None:
    talk = Talk().feed(b"EHLO c\r\nAUTH LOGIN\r\n" + b"x" * 12286 + b"\r\n")
    assert talk.events[-1] == AuthLine(b"x" * 12286)
    talk = Talk().feed(b"EHLO c\r\nAUTH LOGIN\r\n" + b"x" * 12287 + b"\r\nNOOP\r\n")
    assert talk.output.endswith(replies.render(replies.AUTH_LINE_TOO_LONG) + replies.render(replies.OK))


@pytest.mark.parametrize(("offer", "code"), [(Offer(), 502), (Offer(starttls=True, auth_needs_tls=True), 538)])
def test_auth_that_is_not_offered_is_refused(offer: Offer, code: int) -> None:
    assert Talk(offer).feed(b"EHLO c\r\nAUTH PLAIN AA==\r\n").codes[-1] == code


def test_the_auth_parameter_is_known_only_where_auth_is() -> None:
    assert Talk().feed(b"EHLO c\r\nMAIL FROM:<a@x> AUTH=<>\r\n").codes[-1] == 250
    assert Talk(Offer()).feed(b"EHLO c\r\nMAIL FROM:<a@x> AUTH=<>\r\n").codes[-1] == 555


def test_a_refused_greeting_leaves_only_quit() -> None:
    talk = Talk()
    talk.answers[Connected] = reply(554, "5.7.1", "no service")
    assert talk.feed(b"EHLO c\r\nNOOP\r\nQUIT\r\n").codes == [554, 503, 503, 221]
    talk = Talk()
    talk.answers[Connected] = reply(421, "4.3.2", "not now")
    assert talk.feed(b"EHLO c\r\n").codes == [421]
    assert talk.engine.closed


def test_lmtp_speaks_lhlo_only_and_answers_each_recipient() -> None:
    talk = Talk(lmtp=True).feed(b"EHLO c\r\nHELO c\r\nLHLO c\r\nMAIL FROM:<a@x>\r\nDATA\r\nRCPT TO:<b@y>\r\nDATA\r\n")
    assert talk.codes == [220, 500, 500, 250, 250, 503, 250, 354]
    talk.engine.receive_data(b".\r\n")
    assert talk.engine.next_event() == ContentEnd(0, False)
    assert talk.engine.next_event() is Wait.PAUSED
    assert talk.engine.send_each([replies.OK, replies.LOCAL_ERROR]).count(b"\r\n") == 2
    assert talk.engine.state is State.GREETED


def test_a_mistake_moves_nothing_whatever_is_answered() -> None:
    engine = SMTPServerEngine(OFFER)
    engine.next_event()
    engine.send(Reply(220, ("hi",)))
    engine.receive_data(b"WHAT\r\n")
    assert isinstance(engine.next_event(), Mistake)
    assert engine.awaits_answer
    engine.send(replies.OK)
    assert engine.state is State.STARTED


def test_answers_out_of_turn_are_our_own_mistake() -> None:
    engine = SMTPServerEngine(OFFER)
    with pytest.raises(MisuseError):
        engine.send(replies.OK)
    engine.next_event()
    with pytest.raises(MisuseError):
        engine.send_each([replies.OK])
    with pytest.raises(MisuseError):
        engine.challenge(b"")


def test_ehlo_advertises_what_is_to_be_had() -> None:
    assert hello_reply("mx.example", OFFER).lines == (
        "mx.example",
        "PIPELINING",
        "SIZE 1000",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "STARTTLS",
        "AUTH PLAIN LOGIN",
        "HELP",
    )
    assert hello_reply("x", Offer()).lines == ("x", "PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "HELP")


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(sorted(LINES.values()))), max_size=20))
def test_random_octets_give_only_the_standards_answers(pieces: list[bytes]) -> None:
    talk = Talk()
    for piece in pieces:
        talk.feed(piece + b"\r\n")
        if talk.engine.closed:
            break
    assert set(talk.codes) <= {220, 221, 235, 250, 334, 354, 421, 500, 501, 502, 503, 504, 555}
