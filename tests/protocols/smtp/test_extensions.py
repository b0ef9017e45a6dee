"""What extensions of SMTP come to: the message in the mailbox, and what goes with it into the queue."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType, Service
from twisted_mail_node.mail.options import ByMode, DeliverBy, MailOptions, Notify, RecipientOptions, Return
from twisted_mail_node.protocols.smtp.dispatch import EVENTS
from twisted_mail_node.wire.smtp.commands import ChunkEnd
from twisted_mail_node.wire.smtp.offer import Extension

MAIL = b"EHLO c.test\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\n"
LOGIN = b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\n"
MESSAGE = b"Subject: x\r\n\r\ntext\r\n"


def last_code(output: bytes) -> int:
    return int(output.splitlines()[-1][:3])


@pytest.fixture
def submission(site):
    """A connection of alice's, logged in, that may use every extension."""
    connections = site.connections(service=Service.SUBMISSION, auth="required", extensions=frozenset(Extension))
    connection = connections()
    connection.feed(LOGIN)
    assert last_code(connection.take()) == 235
    yield connection
    connections.drop_all()


def test_chunks_become_one_message(site):
    connection = site.connections()()
    connection.feed(MAIL + b"BDAT 12\r\nSubject: x\r\nBDAT 9\r\n\r\n.\r\n.\r\ntBDAT 3 LAST\r\next")
    assert last_code(connection.take()) == 250
    [content] = site.messages("alice@a.test")
    assert content.endswith(b"Subject: x\r\n\r\n.\r\n.\r\ntext\r\n")


def test_where_chunks_are_withheld_nothing_tells_of_them(site):
    connection = site.connections(extensions=frozenset())()
    connection.feed(b"EHLO c.test\r\nHELP\r\nHELP BDAT\r\n")
    said = connection.take()
    assert b"CHUNKING" not in said
    assert b"BDAT" not in said
    assert last_code(said) == 504


def test_binary_content_is_kept_octet_for_octet(site):
    connection = site.connections(extensions=frozenset(Extension))()
    body = b"A: b\r\n\r\n" + bytes(range(256)) + b"\n.\r"
    connection.feed(MAIL.replace(b"c.test>\r", b"c.test> BODY=BINARYMIME\r") + b"BDAT %d LAST\r\n" % len(body) + body)
    assert last_code(connection.take()) == 250
    [content] = site.messages("alice@a.test")
    assert content.endswith(b"\r\n" + body)


def test_chunks_that_are_too_much_are_refused_and_leave_nothing(site):
    connection = site.connections(max_message_size=1000)()
    connection.feed(MAIL + b"BDAT 1000\r\n" + b"x" * 1000 + b"BDAT 1\r\nx")
    assert connection.take().endswith(b"250 2.0.0 chunk taken\r\n552 5.3.4 message too big\r\n")
    connection.feed(MAIL + b"BDAT 1001 LAST\r\n" + b"x" * 1001 + b"NOOP\r\n")
    assert connection.take().endswith(b"552 5.3.4 message too big\r\n250 2.0.0 ok\r\n")
    connection.feed(MAIL + b"BDAT %d\r\n" % 10**19 + b"x" * 100_000)
    assert connection.take().endswith(b"recipient ok\r\n")
    connection.drop()
    assert site.messages("alice@a.test") == []
    assert site.intake.room.held_octets == 0


def test_who_leaves_between_chunks_or_resets_leaves_nothing(site):
    connections = site.connections()
    connection = connections()
    connection.feed(MAIL + b"BDAT 20\r\n" + b"x" * 20)
    assert site.intake.room.held_octets == 20
    connection.feed(b"RSET\r\n")
    assert site.intake.room.held_octets == 0
    connection.feed(MAIL + b"BDAT 20\r\n" + b"x" * 10)
    assert site.intake.room.held_octets == 10
    connections.drop_all()
    assert site.intake.room.held_octets == 0
    assert site.messages("alice@a.test") == []


def test_between_chunks_the_time_for_content_runs(site):
    connection = site.connections(content_timeout_seconds=10.0)()
    connection.feed(MAIL + b"BDAT 1\r\nx")
    connection.take()
    site.clock.advance(11)
    assert connection.take().startswith(b"421 4.4.2")


@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_a_chunk_has_to_come_at_some_pace(site, last):
    # The second is read, and not kept.
    for size in (4000, 6000):
        connection = site.connections(content_timeout_seconds=10.0, min_content_rate=100, max_message_size=5000)()
        connection.feed(MAIL + b"BDAT %d%b\r\n" % (size, last))
        connection.take()
        for _ in range(4):
            site.clock.advance(4)
            connection.feed(b"x" * 10)
        assert connection.take().startswith(b"421 4.4.2")


def test_after_a_reset_between_chunks_the_time_for_commands_runs(site):
    connection = site.connections(content_timeout_seconds=10.0)()
    connection.feed(MAIL + b"BDAT 1\r\nxRSET\r\n")
    connection.take()
    site.clock.advance(11)
    assert connection.take() == b""


def test_what_was_asked_for_goes_into_the_queue(site, submission):
    site.clock.advance(100)
    submission.feed(
        b"MAIL FROM:<alice@a.test> RET=HDRS ENVID=e+2B1 SMTPUTF8 HOLDFOR=100 BY=300;RT MT-PRIORITY=4 AUTH=<>\r\n"
        + "RCPT TO:<jörg@bücher.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;jörg@x\r\n".encode()
        + b"RCPT TO:<x@d.test> NOTIFY=NEVER\r\nRCPT TO:<y@d.test>\r\nBDAT %d LAST\r\n" % len(MESSAGE)
        + MESSAGE
    )
    assert last_code(submission.take()) == 250
    items = site.queued()
    assert {item.options for item in items} == {
        MailOptions(
            smtputf8=True,
            ret=Return.HEADERS,
            envelope_id="e+2B1",
            hold_until=200.0,
            deliver_by=DeliverBy(400.0, ByMode.RETURN, trace=True),
            priority=4,
            submitter="<>",
        )
    }
    assert {str(item.recipient): item.recipient_options for item in items} == {
        "jörg@xn--bcher-kva.example": RecipientOptions(notify=Notify.SUCCESS | Notify.DELAY, original="utf-8;jörg@x"),
        "x@d.test": RecipientOptions(notify=Notify.NEVER),
        "y@d.test": RecipientOptions(),
    }
    assert {item.due for item in items} == {200.0}


def test_binary_content_is_told_to_the_queue(site, submission):
    submission.feed(b"MAIL FROM:<alice@a.test> BODY=BINARYMIME\r\nRCPT TO:<x@d.test>\r\nBDAT 5 LAST\r\nA: b\n")
    assert last_code(submission.take()) == 250
    [item] = site.queued()
    assert item.body_type is BodyType.BINARY_MIME


@pytest.mark.parametrize(
    ("content", "body_type"),
    [
        (b"A: b\r\n\r\ntext\r\n", BodyType.SEVEN_BIT),
        (b"A: b\r\n\r\n" + b"x" * 2000 + b"\xff\r\n", BodyType.EIGHT_BIT_MIME),
        (b"A: b\r\n\r\ntext", BodyType.BINARY_MIME),
    ],
)
def test_what_is_not_binary_after_all_goes_to_any_host(site, submission, content, body_type):
    submission.feed(b"MAIL FROM:<alice@a.test> BODY=BINARYMIME\r\nRCPT TO:<x@d.test>\r\n")
    submission.feed(b"BDAT 5\r\n" + content[:5] + b"BDAT %d LAST\r\n" % len(content[5:]) + content[5:])
    assert last_code(submission.take()) == 250
    assert [item.body_type for item in site.queued()] == [body_type]


def test_a_high_priority_is_for_those_who_have_logged_in(site):
    connection = site.connections(extensions=frozenset(Extension))()
    connection.feed(MAIL.replace(b"c.test>\r", b"c.test> MT-PRIORITY=9\r").replace(b"alice", b"list"))
    assert b"\r\n250 2.3.6 0 is the new priority\r\n" in connection.take()
    connection.feed(b"DATA\r\n" + MESSAGE + b".\r\n")
    connection.take()
    assert [item.options.priority for item in site.queued()] == [0]


@pytest.mark.parametrize(
    ("hello", "settings", "name"),
    [
        (b"EHLO", {}, b"UTF8SMTP"),
        (b"LHLO", {"service": Service.LMTP}, b"UTF8LMTP"),
    ],
)
def test_mail_beyond_ascii_comes_into_the_mailbox(site, hello, settings, name):
    connection = site.connections(extensions=frozenset(Extension), **settings)()
    message = "From: Jörg <jörg@bücher.example>\r\nSubject: Grüße\r\n\r\n".encode()
    connection.feed(
        hello
        + "\x20c.test\r\nMAIL FROM:<jörg@bücher.example> SMTPUTF8\r\nRCPT TO:<Grüße+x@a.test>\r\nDATA\r\n".encode()
        + message
        + b".\r\n"
    )
    assert last_code(connection.take()) == 250
    [content] = site.messages("grüße@a.test")
    assert content.endswith(message)
    assert b"\tby mx.a.test with " + name + b" id " in content
    assert "\r\n\tfor <Grüße+x@a.test>;\r\n".encode() in content
    assert "Return-Path: <jörg@xn--bcher-kva.example>\r\nDelivered-To: grüße@a.test\r\n".encode() in content


def test_domains_of_recipients_may_be_limited(site):
    """RFC 9422 §4.3."""
    connection = site.connections(service=Service.SUBMISSION, auth="required", max_recipient_domains=2)()
    connection.feed(LOGIN)
    assert b"250-LIMITS RCPTMAX=1000 RCPTDOMAINMAX=2\r\n" in connection.take()
    connection.feed(b"MAIL FROM:<alice@a.test>\r\nRCPT TO:<x@c.test>\r\nRCPT TO:<x@d.test>\r\nRCPT TO:<x@e.test>\r\n")
    connection.feed(b"RCPT TO:<y@d.test>\r\n")
    assert [line[:3] for line in connection.take().splitlines()] == [b"250", b"250", b"250", b"452", b"250"]


def test_a_domain_is_one_however_it_is_written(site, submission):
    for address in ("<x@bücher.example>", "<x@xn--bcher-kva.example>"):
        submission.feed(f"MAIL FROM:<alice@a.test> SMTPUTF8\r\nRCPT TO:{address}\r\n".encode())
        submission.feed(b"DATA\r\n" + MESSAGE + b".\r\n")
    assert [item.recipient for item in site.queued()] == [Address("x", "xn--bcher-kva.example")] * 2


def test_messages_may_be_limited_and_the_limit_is_told(site):
    """RFC 9422 §4.1."""
    connection = site.connections(max_messages=2, trusted=lambda host: False)()
    connection.feed(b"EHLO c.test\r\n")
    assert b"250-LIMITS MAILMAX=2 RCPTMAX=1000\r\n" in connection.take()
    connection.feed(b"MAIL FROM:<s@c.test>\r\nRSET\r\nMAIL FROM:<s@c.test>\r\nRSET\r\nMAIL FROM:<s@c.test>\r\n")
    assert last_code(connection.take()) == 421


def test_a_limit_is_told_in_six_digits(site):
    connection = site.connections(max_messages=2_000_000, max_recipients=1_000_000, trusted=lambda host: False)()
    connection.feed(b"EHLO c.test\r\n")
    assert b"250-LIMITS MAILMAX=999999 RCPTMAX=999999\r\n" in connection.take()


@pytest.mark.parametrize("service", [Service.SMTP, Service.LMTP])
def test_a_bug_at_the_end_of_a_chunk_is_answered_once(site, service, monkeypatch, logged_failures):
    def breaks(session, event):
        raise ZeroDivisionError

    connection = site.connections(service=service)()
    hello = b"LHLO" if service is Service.LMTP else b"EHLO"
    connection.feed(MAIL.replace(b"EHLO", hello) + b"RCPT TO:<bob@a.test>\r\n")
    connection.take()
    monkeypatch.setitem(EVENTS, ChunkEnd, breaks)
    connection.feed(b"BDAT 1\r\nxNOOP\r\n")
    assert [line[:3] for line in connection.take().splitlines()] == [b"451", b"250"]
    assert logged_failures.pop().check(ZeroDivisionError)
