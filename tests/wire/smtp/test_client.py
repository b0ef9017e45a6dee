"""The client's engine: dialogues, results per recipient, content on the wire, hostile servers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.smtp.client import SMTPClient
from twisted_mail_node.wire.smtp.client_events import (
    Addressed,
    Introduced,
    LoggedIn,
    LoginRefused,
    Message,
    SendContent,
    SessionEnded,
    Step,
    TLSAccepted,
    TLSRefused,
    TransactionEnded,
)
from twisted_mail_node.wire.wait import Wait

A, B, C = (Address(name, "b.test") for name in "abc")
SENDER = Address("s", "a.test")
EHLO_CHUNKS = b"250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250 CHUNKING\r\n"
EHLO_ALL = b"250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8bitmime\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"


def events(client, data=b""):
    client.receive_data(data)
    out = []
    while not isinstance(event := client.next_event(), Wait):
        out.append(event)
    return out


def session(ehlo=EHLO_ALL):
    client = SMTPClient("me.test")
    assert events(client, b"220 hello\r\n" + ehlo) == [Introduced()]
    assert client.take_output() == b"EHLO me.test\r\n"
    return client


def message(*recipients, sender=SENDER, size=10, body_type=BodyType.SEVEN_BIT, **asked):
    addressed = [r if isinstance(r, Addressed) else Addressed(r) for r in recipients or (A,)]
    return Message(sender, addressed, size, body_type, **asked)


def codes(event):
    return [reply.code for reply in event.results]


def ended(found):
    (event,) = [event for event in found if isinstance(event, TransactionEnded)]
    return event


def test_pipelining_sends_the_envelope_at_once():
    client = session()
    client.send_message(message(A, B, body_type=BodyType.EIGHT_BIT_MIME))
    assert client.take_output() == (
        b"MAIL FROM:<s@a.test> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"
    )
    assert client.step is Step.MAIL
    assert events(client, b"250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n") == [SendContent()]
    assert client.content(b"hi\r\n", last=True) == b"hi\r\n.\r\n"
    assert client.step is Step.END
    event = ended(events(client, b"250 2.0.0 queued as 1\r\n"))
    assert codes(event) == [550, 250]
    assert str(event.results[0].status) == "5.1.1"
    assert event.results[1].lines == ("queued as 1",)
    assert event.content_sent
    assert client.step is Step.IDLE


def test_without_pipelining_each_command_waits_for_its_answer():
    client = session(b"250 mx\r\n")
    client.send_message(message(A, B, sender=None))
    for sent, answer in [
        (b"MAIL FROM:<>\r\n", b"250 ok\r\n"),
        (b"RCPT TO:<a@b.test>\r\n", b"250 ok\r\n"),
        (b"RCPT TO:<b@b.test>\r\n", b"450 later\r\n"),
    ]:
        assert client.take_output() == sent
        assert events(client, answer) == []
    assert client.take_output() == b"DATA\r\n"
    assert events(client, b"354 go\r\n") == [SendContent()]
    client.content(b"", last=True)
    assert codes(ended(events(client, b"250 ok\r\n"))) == [250, 450]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (b"451 later\r\n", [451, 451]),  # MAIL refused: no more is asked
        (b"250 ok\r\n550 no\r\n450 later\r\n", [550, 450]),  # nobody left: DATA is not asked
        (b"250 ok\r\n250 ok\r\n550 no\r\n554 no\r\n", [554, 550]),  # DATA refused
        (b"250 ok\r\n250 ok\r\n550 no\r\n250 odd\r\n", [451, 550]),  # DATA answered as if it were done
        (b"354 odd\r\n", [451, 451]),
        (b"250 ok\r\n350 odd\r\n550 no\r\n", [451, 550]),
    ],
)
def test_refusals_one_by_one(answers, expected):
    client = session(b"250 mx\r\n")
    client.send_message(message(A, B))
    event = ended(events(client, answers))
    assert codes(event) == expected
    assert not event.content_sent
    assert client.step is Step.IDLE


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (b"550 no\r\n503 what\r\n503 what\r\n503 what\r\n", [550, 550]),
        (b"250 ok\r\n550 no\r\n452 full\r\n554 nobody\r\n", [550, 452]),
        (b"250 ok\r\n250 ok\r\n452 full\r\n421 bye\r\n", [421, 452]),
        (b"250 ok\r\n421 bye\r\n", [421, 421]),
    ],
)
def test_refusals_in_a_pipeline(answers, expected):
    client = session()
    client.send_message(message(A, B))
    assert codes(ended(events(client, answers))) == expected


@pytest.mark.parametrize("last", [b"250 taken\r\n", b"554 nobody\r\n"])
def test_a_server_that_wants_content_for_nobody_gets_none(last):
    client = session()
    client.send_message(message(A))
    client.take_output()
    assert events(client, b"250 ok\r\n550 no\r\n354 go\r\n") == []
    assert client.take_output() == b".\r\n"
    assert codes(ended(events(client, last))) == [550]


def test_a_session_is_reset_after_a_transaction_that_came_to_nothing_only():
    client = session()
    client.send_message(message(A))
    events(client, b"250 ok\r\n550 no\r\n554 no\r\n")
    client.take_output()
    client.send_message(message(B))
    assert client.take_output().startswith(b"RSET\r\nMAIL FROM:")
    assert events(client, b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n") == [SendContent()]
    client.content(b"", last=True)
    events(client, b"250 ok\r\n")
    client.send_message(message(B))
    assert client.take_output().startswith(b"MAIL FROM:")


def test_a_message_above_the_servers_size_is_refused_without_asking():
    client = session()
    client.send_message(message(A, B, size=1001))
    assert client.take_output() == b""
    event = ended(events(client))
    assert codes(event) == [552, 552]
    assert str(event.results[0].status) == "5.3.4"
    assert client.step is Step.IDLE


def test_extensions_that_are_ignored_are_passed_over():
    client = SMTPClient("me.test", ["CHUNKING", "PIPELINING"])
    events(client, b"220 hello\r\n" + EHLO_CHUNKS)
    assert client.extensions == {"8BITMIME": "", "BINARYMIME": ""}


def test_helo_is_said_where_ehlo_is_not_known():
    client = SMTPClient("me.test")
    assert events(client, b"220 hello\r\n502 what\r\n") == []
    assert client.take_output() == b"EHLO me.test\r\nHELO me.test\r\n"
    assert events(client, b"250 mx PIPELINING\r\n") == [Introduced()]
    assert not client.extensions


@pytest.mark.parametrize(
    ("answers", "code", "step"),
    [
        (b"554 no service\r\n", 554, Step.GREETING),
        (b"421 busy\r\n", 421, Step.GREETING),
        (b"220 hello\r\n450 later\r\n", 450, Step.HELLO),
        (b"220 hello\r\n502 what\r\n550 no\r\n", 550, Step.HELLO),
    ],
)
def test_a_session_may_be_refused(answers, code, step):
    client = SMTPClient("me.test")
    (event,) = events(client, answers)
    assert isinstance(event, SessionEnded)
    assert (event.reply.code, event.step) == (code, step)
    assert client.step is Step.OVER
    assert client.next_event() is Wait.PAUSED


def test_421_while_idle_ends_the_session():
    client = session()
    (event,) = events(client, b"421 4.3.2 closing\r\n")
    assert (event.reply.code, event.step) == (421, Step.IDLE)


def test_a_refusal_in_the_midst_of_the_content_is_the_result_and_the_end():
    client = session()
    client.send_message(message(A, B))
    events(client, b"250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n")
    client.content(b"some")
    event = ended(events(client, b"552 5.3.4 too much\r\n"))
    assert codes(event) == [550, 552]
    assert not event.content_sent
    assert client.step is Step.OVER


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_lost_leaves_what_was_said_and_makes_the_rest_temporary(when):
    client = session()
    client.send_message(message(A, B))
    events(client, b"250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n")
    if when == "after":
        client.content(b"", last=True)
    client.connection_lost()
    event = ended(events(client))
    assert codes(event) == [550, 421]
    assert str(event.results[1].status) == "4.4.2"
    assert event.content_sent is (when == "after")
    client.connection_lost()
    assert events(client) == []


def test_tls_begins_the_session_anew_and_drops_what_came_in_plain():
    client = session()
    client.start_tls()
    assert client.take_output() == b"STARTTLS\r\n"
    assert events(client, b"220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n") == [TLSAccepted()]
    assert not events(client)
    client.tls_started()
    assert client.take_output() == b"EHLO me.test\r\n"
    assert events(client, b"250-mx\r\n250 SIZE\r\n") == [Introduced()]
    assert client.extensions == {"SIZE": ""}


def test_tls_may_be_refused_and_the_session_goes_on():
    client = session()
    client.start_tls()
    (event,) = events(client, b"454 4.7.0 not now\r\n")
    assert isinstance(event, TLSRefused)
    assert client.step is Step.IDLE


def test_plain_is_preferred_and_hidden_in_the_transcript():
    client = session()
    client.login("joe", "secret")
    assert client.take_output() == b"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"
    assert events(client, b"235 ok\r\n") == [LoggedIn()]
    assert "AGpv" not in client.transcript
    assert "C: AUTH PLAIN [hidden]" in client.transcript


def test_login_answers_two_questions():
    client = session(b"250-mx\r\n250 AUTH LOGIN\r\n")
    client.login("joe", "secret")
    assert client.take_output() == b"AUTH LOGIN\r\n"
    events(client, b"334 VXNlcm5hbWU6\r\n")
    assert client.take_output() == b"am9l\r\n"
    events(client, b"334 UGFzc3dvcmQ6\r\n")
    assert client.take_output() == b"c2VjcmV0\r\n"
    assert events(client, b"235 ok\r\n") == [LoggedIn()]
    assert "am9l" not in client.transcript


@pytest.mark.parametrize("answers", [b"535 5.7.8 no\r\n", b"334 more\r\n501 cancelled\r\n"])
def test_a_login_may_be_refused(answers):
    client = session()
    client.login("joe", "secret")
    (event,) = events(client, answers)
    assert isinstance(event, LoginRefused)
    assert client.step is Step.IDLE


def test_a_server_without_a_mechanism_of_ours_is_a_refusal():
    client = session(b"250-mx\r\n250 AUTH GSSAPI\r\n")
    client.login("joe", "secret")
    (event,) = events(client)
    assert isinstance(event, LoginRefused)
    assert client.take_output() == b""


def test_a_message_needs_a_recipient():
    with pytest.raises(MisuseError):
        session().send_message(Message(SENDER, (), 1))


@pytest.mark.parametrize(
    ("data", "status", "lines"),
    [
        (b"550 5.1.1 no\r\n", "5.1.1", ("no",)),
        (b"550-5.1.1 no\r\n550 5.1.1 such\r\n", "5.1.1", ("no", "such")),
        (b"550-5.1.1\r\n550-5.1.1 x\r\n550 plain\r\n", "5.1.1", ("", "x", "plain")),
        (b"550-x\r\n550\r\n", "None", ("x", "")),
        (b"450 5.1.1 class differs\r\n", "None", ("5.1.1 class differs",)),
        (b"550 5.1.1000 out of range\r\n", "None", ("5.1.1000 out of range",)),
        (b"550 5.x.1 words\r\n", "None", ("5.x.1 words",)),
        (b"550 a\x07\xffb\r\n", "None", ("a?\ufffdb",)),
        (b"250-first\r\n550 last counts\r\n", "None", ("first", "last counts")),
    ],
)
def test_replies_are_read_with_their_status(data, status, lines):
    client = SMTPClient("me.test")
    (event,) = events(client, data.replace(b"250-", b"550-"))
    assert (str(event.reply.status), event.reply.lines) == (status, lines)


def test_quit_ends_the_session():
    client = session()
    client.quit()
    assert client.take_output() == b"QUIT\r\n"
    (event,) = events(client, b"221 bye\r\n")
    assert (event.step, client.step) == (Step.QUIT, Step.OVER)


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n",
        b"99 x\r\n",
        b"150 x\r\n",
        b"650 x\r\n",
        b"250x\r\n",
        b"\r\n",
        b"250 " + b"x" * 3000 + b"\r\n",
        b"250-more\r\n" * 200,
        b"\xff\x00\r\n",
    ],
)
def test_what_is_no_reply_ends_the_session_as_a_temporary_failure(garbage):
    client = session()
    client.send_message(message(A))
    event = ended(events(client, garbage))
    assert codes(event) == [451]
    assert str(event.results[0].status) == "4.5.0"
    assert client.step is Step.OVER


def test_an_answer_to_nothing_ends_the_session():
    client = session()
    (event,) = events(client, b"250 surprise\r\n")
    assert isinstance(event, SessionEnded)
    assert event.reply.code == 451


def test_the_transcript_holds_the_beginning_and_the_last_transaction():
    client = session(b"250 mx\r\n")
    for answer in (b"550 5.7.1 go away\r\n", b"550 5.1.1 no such\r\n"):
        client.send_message(message(A, sender=None))
        if answer.startswith(b"550 5.1.1"):
            events(client, b"250 ok\r\n250 ok\r\n")
        events(client, answer)
    assert client.transcript.splitlines() == [
        "S: 220 hello",
        "C: EHLO me.test",
        "S: 250 mx",
        "C: RSET",
        "S: 250 ok",
        "C: MAIL FROM:<>",
        "S: 250 ok",
        "C: RCPT TO:<a@b.test>",
        "S: 550 5.1.1 no such",
    ]


def test_the_transcript_is_bounded_and_counts_the_content():
    client = session()
    many = tuple(Address(f"r{n}", "b.test") for n in range(1000))
    client.send_message(message(*many))
    events(client, b"250 ok\r\n" * 1001)
    assert len(client.transcript) <= 16 * 1024
    client = session()
    client.send_message(message())
    events(client, b"250 ok\r\n250 ok\r\n354 go\r\n")
    client.content(b"secret")
    client.content(b"", last=True)
    assert client.transcript.endswith("C: [6 octets of content]")


@pytest.mark.parametrize(
    "call", [SMTPClient.quit, SMTPClient.start_tls, lambda client: client.content(b""), SMTPClient.tls_started]
)
def test_calls_out_of_turn_are_misuse(call):
    with pytest.raises(MisuseError):
        call(SMTPClient("me.test"))


def test_an_address_that_cannot_be_written_is_not_sent():
    client = session()
    with pytest.raises(MisuseError):
        client.send_message(message(A, Address("a\r\nRCPT TO:<x>", "b.test")))
    assert client.take_output() == b""


def test_a_domain_goes_out_in_a_labels():
    client = session(b"250 mx\r\n")
    client.send_message(message(A, sender=Address("s", "例え.テスト")))
    assert client.take_output() == b"MAIL FROM:<s@xn--r8jz45g.xn--zckzah>\r\n"


def cut(data, at):
    edges = [0, *sorted(min(n, len(data)) for n in at), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


REPLIES = st.sampled_from(
    [
        b"250 ok\r\n",
        b"250-a\r\n250 b\r\n",
        b"354 go\r\n",
        b"550 5.1.1 no\r\n",
        b"451 4.0.0 x\r\n",
        b"421 bye\r\n",
        b"junk\r\n",
        b"5\n",
    ]
)


def story(pieces, body_type=BodyType.SEVEN_BIT):
    client = SMTPClient("me.test")
    out = []
    sending = False
    for piece in pieces:
        client.receive_data(piece)
        while not isinstance(event := client.next_event(), Wait):
            out.append(event)
            if isinstance(event, Introduced) or (isinstance(event, TransactionEnded) and client.step is Step.IDLE):
                if not sending:
                    client.send_message(message(A, B, C, body_type=body_type))
                    sending = True
            elif isinstance(event, SendContent):
                client.content(b"some", last=False)
                if client.step is Step.CONTENT:
                    client.content(b"", last=True)
    return out, client.take_output(), client.transcript, client.step


@given(
    st.lists(REPLIES, max_size=14).map(lambda rest: b"220 hi\r\n" + EHLO_ALL + b"".join(rest)),
    st.lists(st.integers(0, 300), max_size=20),
)
def test_the_events_are_the_same_however_the_replies_are_cut(data, at):
    assert story(cut(data, at)) == story([data])


@given(
    st.sampled_from([EHLO_CHUNKS, EHLO_CHUNKS.replace(b"250-PIPELINING\r\n", b"")]),
    st.lists(REPLIES, max_size=14).map(b"".join),
    st.lists(st.integers(0, 300), max_size=20),
)
def test_chunks_make_no_difference_to_that(ehlo, rest, at):
    data = b"220 hi\r\n" + ehlo + rest
    assert story(cut(data, at), BodyType.BINARY_MIME) == story([data], BodyType.BINARY_MIME)


@given(st.binary(max_size=400))
def test_garbage_gives_events_only(data):
    story([data])
    story([b"220 hi\r\n" + EHLO_ALL, data])


def test_a_server_that_wants_no_session_is_told_quit_before_the_end():
    engine = SMTPClient("me.test")
    engine.receive_data(b"554 no service\r\n")
    assert isinstance(engine.next_event(), SessionEnded)
    assert engine.take_output() == b"QUIT\r\n"


@pytest.mark.parametrize(
    ("replies", "codes"),
    [
        (b"250 ok\r\n250 ok\r\n552 too many\r\n354 go\r\n", [250, 452]),
        (b"250 ok\r\n250 ok\r\n552 5.5.3 too many\r\n354 go\r\n", [250, 452]),
        (b"250 ok\r\n250 ok\r\n552 5.2.2 mailbox full\r\n354 go\r\n", [250, 552]),
        (b"250 ok\r\n552 no\r\n250 ok\r\n354 go\r\n", [552, 250]),
    ],
)
def test_too_many_recipients_for_one_transaction_come_later(replies, codes):
    engine = SMTPClient("me.test")
    engine.receive_data(b"220 hi\r\n250-b.test\r\n250 PIPELINING\r\n")
    engine.next_event()
    engine.next_event()
    engine.send_message(message(A, C))
    engine.receive_data(replies)
    assert isinstance(engine.next_event(), SendContent)
    engine.content(b"", last=True)
    engine.receive_data(b"250 taken\r\n")
    ended = engine.next_event()
    assert [reply.code for reply in ended.results] == codes
