"""What a client asks for, and what it does where a server lacks it (RFC 6531 §3.2, RFC 6152 §3, RFC 3461 §5.2.1)."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions, Return
from twisted_mail_node.wire.smtp.client import SMTPClient
from twisted_mail_node.wire.smtp.client_events import Addressed, Message, Step, TransactionEnded, Unfit
from twisted_mail_node.wire.wait import Wait

SENDER = Address("s", "a.test")
ASCII, WIDE = Address("r", "b.test"), Address("jürgen", "b.test")
ALL = ("PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "BINARYMIME", "CHUNKING")
ASKED = MailOptions(ret=Return.HEADERS, envelope_id="QQ+2B1")


def session(extensions):
    client = SMTPClient("me.test")
    lines = b"".join(b"250-%s\r\n" % word.encode() for word in extensions)
    client.receive_data(b"220 hello\r\n250-mx\r\n" + lines + b"250 HELP\r\n")
    assert not isinstance(client.next_event(), Wait)
    client.take_output()
    return client


def commands(*recipients, extensions=ALL, sender=SENDER, **more):
    client = session(extensions)
    client.send_message(
        Message(sender, [Addressed(r) if isinstance(r, Address) else r for r in recipients], 10, **more)
    )
    return client.take_output().decode().splitlines()


def refusals(*recipients, extensions=(), sender=SENDER, **more):
    client = session(extensions)
    client.send_message(Message(sender, [Addressed(recipient) for recipient in recipients], 10, **more))
    event = client.next_event()
    assert isinstance(event, TransactionEnded)
    assert client.take_output() == b""
    assert client.step is Step.IDLE
    assert all(isinstance(reply, Unfit) and str(reply) == " ".join(reply.lines) for reply in event.results)
    return [(reply.code, str(reply.status)) for reply in event.results]


@pytest.mark.parametrize(
    ("body_type", "told"),
    [
        (BodyType.SEVEN_BIT, ""),
        (BodyType.EIGHT_BIT_MIME, " BODY=8BITMIME"),
        (BodyType.BINARY_MIME, " BODY=BINARYMIME"),
    ],
)
def test_the_body_is_declared_as_what_it_is(body_type, told):
    assert commands(ASCII, body_type=body_type)[0] == f"MAIL FROM:<s@a.test> SIZE=10{told}"


@pytest.mark.parametrize(
    ("body_type", "extensions", "refusal"),
    [
        (BodyType.EIGHT_BIT_MIME, (), (554, "5.6.3")),
        (BodyType.BINARY_MIME, ("8BITMIME", "CHUNKING"), (554, "5.6.1")),
        (BodyType.BINARY_MIME, ("8BITMIME", "BINARYMIME"), (554, "5.6.1")),
    ],
)
def test_content_is_not_given_to_a_server_that_does_not_take_it(body_type, extensions, refusal):
    assert refusals(ASCII, WIDE, extensions=extensions, body_type=body_type) == [refusal, refusal]


def test_parameters_of_dsn_are_passed_on():
    """RFC 3461 §5.2.1 (a) to (d); the lines are those of §10.2."""
    bob = Addressed(
        Address("Bob", "example.com"), RecipientOptions(notify=Notify.SUCCESS, original="rfc822;Bob@Example.COM")
    )
    options = MailOptions(ret=Return.HEADERS, envelope_id="QQ314159")
    lines = commands(bob, extensions=("DSN", "PIPELINING"), sender=Address("Alice", "example.org"), options=options)
    assert lines == [
        "MAIL FROM:<Alice@example.org> RET=HDRS ENVID=QQ314159",
        "RCPT TO:<Bob@example.com> NOTIFY=SUCCESS ORCPT=rfc822;Bob@Example.COM",
        "DATA",
    ]


def test_parameters_that_were_not_given_are_not_made_up():
    assert commands(ASCII, extensions=("DSN", "PIPELINING"))[:2] == ["MAIL FROM:<s@a.test>", "RCPT TO:<r@b.test>"]


def test_parameters_of_dsn_are_kept_from_a_server_that_does_not_know_them():
    """RFC 3461 §5.2.2 (a)."""
    asked = Addressed(ASCII, RecipientOptions(notify=Notify.NEVER, original="rfc822;r@b.test"))
    lines = commands(asked, extensions=("PIPELINING",), options=ASKED)
    assert lines[:2] == ["MAIL FROM:<s@a.test>", "RCPT TO:<r@b.test>"]


@pytest.mark.parametrize(
    ("notify", "value"),
    [
        (Notify.NEVER, "NEVER"),
        (Notify.SUCCESS | Notify.DELAY, "SUCCESS,DELAY"),
        (Notify.SUCCESS | Notify.FAILURE | Notify.DELAY, "SUCCESS,FAILURE,DELAY"),
    ],
)
def test_wishes_are_written_with_commas(notify, value):
    assert commands(Addressed(ASCII, RecipientOptions(notify=notify)))[1] == f"RCPT TO:<r@b.test> NOTIFY={value}"


@pytest.mark.parametrize(
    ("sender", "recipient", "more"),
    [
        (WIDE, ASCII, {}),
        (SENDER, WIDE, {}),
        (SENDER, ASCII, {"international": True}),
        (SENDER, ASCII, {"options": MailOptions(smtputf8=True)}),
    ],
)
def test_smtputf8_is_asked_for_where_anything_needs_it(sender, recipient, more):
    """RFC 6531 §3.4 for the parameter; paths go as they are."""
    assert commands(recipient, sender=sender, extensions=("SMTPUTF8", "PIPELINING"), **more)[:2] == [
        f"MAIL FROM:<{sender}> SMTPUTF8",
        f"RCPT TO:<{recipient}>",
    ]


def test_smtputf8_is_not_asked_for_without_need():
    assert commands(ASCII, Address("r", "bücher.test"), extensions=("SMTPUTF8", "PIPELINING"))[:3] == [
        "MAIL FROM:<s@a.test>",
        "RCPT TO:<r@b.test>",
        "RCPT TO:<r@xn--bcher-kva.test>",
    ]


def test_a_message_that_needs_smtputf8_is_not_given_to_a_server_without_it():
    assert refusals(ASCII, international=True) == [(550, "5.6.9")]
    assert refusals(ASCII, WIDE, sender=WIDE) == [(550, "5.6.7")] * 2
    assert refusals(WIDE) == [(553, "5.6.7")]


def test_a_recipient_that_needs_smtputf8_fails_alone():
    client = session(("PIPELINING",))
    client.send_message(Message(SENDER, [Addressed(WIDE), Addressed(ASCII)], 10))
    assert client.take_output() == b"MAIL FROM:<s@a.test>\r\nRCPT TO:<r@b.test>\r\nDATA\r\n"
    client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    client.next_event()
    client.content(b"", last=True)
    client.receive_data(b"250 taken\r\n")
    assert [reply.code for reply in client.next_event().results] == [553, 250]


def test_a_wish_for_smtputf8_that_nothing_needs_stands_in_nobodys_way():
    lines = commands(ASCII, extensions=("PIPELINING",), options=MailOptions(smtputf8=True))
    assert lines[0] == "MAIL FROM:<s@a.test>"


@pytest.mark.parametrize(
    ("extensions", "value"),
    [(("DSN", "SMTPUTF8"), "utf-8;jürgen@b.test"), (("DSN",), "utf-8;j\\x{FC}rgen@b.test")],
)
def test_an_original_recipient_beyond_ascii_is_written_as_the_server_can_read_it(extensions, value):
    """RFC 6533 §3."""
    asked = Addressed(ASCII, RecipientOptions(original="utf-8;jürgen@b.test"))
    options = MailOptions(smtputf8=True)
    lines = commands(asked, extensions=("PIPELINING", *extensions), options=options)
    assert lines[1] == f"RCPT TO:<r@b.test> ORCPT={value}"
