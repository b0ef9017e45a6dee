"""What a peer may try: only the standard's refusals come of it, memory stays bounded, the next one is served."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twisted_mail_node.mail.envelope import Service

WORDS = [
    b"EHLO c.test",
    b"LHLO c.test",
    b"MAIL FROM:<s@c.test>",
    b"MAIL FROM:<s@c.test> SIZE=1 BODY=8BITMIME",
    b"MAIL FROM:<>",
    b"RCPT TO:<alice@a.test>",
    b"RCPT TO:<x@far.test>",
    b"DATA",
    b".",
    b"..",
    b"AUTH PLAIN",
    b"AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=",
    b"AUTH LOGIN",
    b"STARTTLS",
    b"RSET",
    b"NOOP",
    b"VRFY x",
    b"EXPN x",
    b"ETRN x",
    b"HELP",
    b"MAIL FROM:<s@c.test> BODY=BINARYMIME SMTPUTF8 RET=FULL",
    b"RCPT TO:<alice@a.test> NOTIFY=NEVER",
    b"BDAT 7",
    b"BDAT 0 LAST",
    b"BDAT 9 LAST",
    b"BDAT 99999",
    b"BDAT x",
    b"XCLIENT ADDR=192.0.2.1",
    b"XFORWARD NAME=x",
    b"*",
    b"\x00",
    b"a\rb\nc",
]
KNOWN = {
    214,
    220,
    221,
    235,
    250,
    252,
    334,
    354,
    421,
    451,
    452,
    454,
    500,
    501,
    502,
    503,
    504,
    530,
    535,
    538,
    550,
    552,
    553,
    554,
    555,
}

garbage = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=30)), max_size=25)


def told(site, data: bytes, cuts: list[int], **options) -> bytes:
    connection, start = site.connections(**options)(), 0
    for end in [*sorted(cuts), len(data)]:
        connection.feed(data[start:end])
        start = end
    output = connection.take()
    connection.drop()
    assert site.clock.getDelayedCalls() == []
    return output


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([Service.SMTP, Service.SUBMISSION, Service.LMTP]),
    garbage,
    st.lists(st.integers(0, 400), max_size=6),
)
def test_garbage_gets_standard_answers_however_it_is_cut(site, service, lines, cuts):
    options = {"service": service, "auth": "off" if service is Service.LMTP else "optional"}
    data = b"\r\n".join(lines) + b"\r\n"
    site.intake.ids._random_octets = lambda count: b"\x01" * count
    whole = told(site, data, [], **options)
    assert whole.startswith(b"220 ")
    for line in whole.splitlines():
        assert int(line[:3]) in KNOWN
        assert line[3:4] in (b" ", b"-")
    if b"queued as" not in whole:
        assert told(site, data, cuts, **options) == whole


def test_commands_behind_starttls_in_one_packet_are_not_heard(site):
    connection = site.connections(tls_context=object())()
    connection.feed(b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@c.test>\r\nRCPT TO:<alice@a.test>\r\nDATA\r\n")
    assert connection.take().endswith(b"220 2.0.0 ready to start TLS\r\n")
    connection.feed(b"RCPT TO:<alice@a.test>\r\nDATA\r\n")
    assert [line[:3] for line in connection.take().splitlines()] == [b"503", b"503"]
    connection.drop()


def test_an_endless_line_ends_the_session_in_bounded_memory(site):
    connection = site.connections()()
    fed = 0
    while not connection.closed:
        connection.feed(b"x" * 60_000)
        fed += 60_000
        assert fed < 3_000_000
    assert connection.take().splitlines()[-1].startswith(b"421 4.5.2")
    connection.drop()
    assert site.connections()().take().startswith(b"220 ")


@pytest.mark.parametrize(
    "line",
    [
        b"AUTH PLAIN " + b"A" * 12_000,
        b"AUTH PLAIN " + b"A" * 20_000,
        b"AUTH PLAIN ====",
        b"AUTH PLAIN \xff\xfe",
        b"AUTH " + b"X" * 300,
    ],
)
def test_auth_garbage_is_refused(site, line):
    connection = site.connections(service=Service.SUBMISSION, auth="required")()
    connection.feed(b"EHLO c\r\n")
    connection.take()
    connection.feed(line + b"\r\nNOOP\r\n")
    answers = connection.take().splitlines()
    assert answers[0][:3] in (b"500", b"501", b"504", b"535")
    assert answers[1] == b"250 2.0.0 ok"
    connection.drop()


@pytest.mark.parametrize("response", [b"\x00", b"=", b"A" * 13_000, b"\xff" * 100, b"", b"AAAA", b"* "])
def test_auth_responses_of_garbage_are_refused(site, response):
    connection = site.connections(service=Service.SUBMISSION, auth="required")()
    connection.feed(b"EHLO c\r\nAUTH PLAIN\r\n")
    connection.take()
    connection.feed(response + b"\r\nNOOP\r\n")
    answers = connection.take().splitlines()
    assert answers[0][:3] in (b"500", b"501", b"535")
    assert answers[1] == b"250 2.0.0 ok"
    connection.drop()


def test_a_nul_has_no_place_in_a_command_nor_in_a_message(site):
    connection = site.connections()()
    connection.feed(
        b"HELO c\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<al\x00ice@a.test>\r\nRCPT TO:<alice@a.test>\r\nDATA\r\n"
    )
    connection.feed(b"A: b\r\n\r\n\x00\r\n.\r\n")
    assert [line[:3] for line in connection.take().splitlines()][3:] == [b"500", b"250", b"354", b"550"]
    assert site.messages("alice@a.test") == []
    connection.drop()


def test_nobody_tries_a_dictionary_of_names(site):
    connection = site.connections(max_refused_recipients=3)()
    connection.feed(b"HELO c\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<nobody@a.test>\r\n" * 6)
    assert [line[:3] for line in connection.take().splitlines()][3:] == [b"550", b"550", b"550", b"421"]
    assert connection.closed


def test_nobody_fills_the_log_with_refused_senders(site):
    connection = site.connections(service=Service.SUBMISSION, auth="required", max_errors=4)()
    connection.feed(b"EHLO c\r\n" + b"MAIL FROM:<>\r\n" * 6)
    assert [line[:3] for line in connection.take().splitlines()][-4:] == [b"530", b"530", b"530", b"421"]
    assert connection.closed


def test_refused_recipients_are_forgiven_who_delivers_mail_and_to_lmtp_clients(site):
    refused = b"MAIL FROM:<>\r\n" + b"RCPT TO:<nobody@a.test>\r\n" * 3
    for service, hello in ((Service.SMTP, b"HELO c\r\n"), (Service.LMTP, b"LHLO c\r\n")):
        connection = site.connections(service=service, max_refused_recipients=4)()
        connection.feed(hello + (refused + b"RCPT TO:<alice@a.test>\r\nDATA\r\nx\r\n.\r\n") * 3)
        assert connection.take().count(b"queued as") == 3
        connection.drop()
    connection = site.connections(service=Service.LMTP, max_refused_recipients=4)()
    connection.feed(b"LHLO c\r\n" + (refused + b"RSET\r\n") * 3)
    assert not connection.closed
    connection.drop()


def test_a_tls_handshake_that_never_comes_is_silence(site):
    connection = site.connections(hello_timeout_seconds=30)()
    connection.transport.producer.pauseProducing()
    site.clock.advance(31)
    site.clock.advance(11)
    assert connection.transport.aborted
    connection.drop()


def test_a_peer_that_reads_nothing_is_not_answered_any_more(site):
    connection = site.connections()()
    connection.transport.producer.pauseProducing()
    connection.feed(b"NOOP\r\n" * 100_000)
    assert len(connection.take()) < 200
    assert connection.transport.producerState == "paused"
    site.clock.advance(301)
    assert connection.closed
    connection.drop()
