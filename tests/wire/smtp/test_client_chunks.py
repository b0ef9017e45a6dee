"""The client's engine with a server that takes chunks (RFC 3030 §2, §4)."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.wire.smtp.client import SMTPClient
from twisted_mail_node.wire.smtp.client_events import Addressed, Message, SendContent, Step, TransactionEnded
from twisted_mail_node.wire.wait import Wait

A, B = (Addressed(Address(name, "b.test")) for name in "ab")
SENDER = Address("s", "a.test")
PIPELINED = ("PIPELINING", "8BITMIME", "BINARYMIME", "CHUNKING")
ONE_BY_ONE = PIPELINED[1:]


def events(client, data=b""):
    client.receive_data(data)
    out = []
    while not isinstance(event := client.next_event(), Wait):
        out.append(event)
    return out


def session(extensions=PIPELINED):
    client = SMTPClient("me.test")
    lines = b"".join(b"250-%s\r\n" % word.encode() for word in extensions)
    events(client, b"220 hello\r\n250-mx\r\n" + lines + b"250 HELP\r\n")
    client.take_output()
    return client


def begun(*recipients, extensions=PIPELINED, answers=b"250 ok\r\n250 ok\r\n", body_type=BodyType.SEVEN_BIT):
    client = session(extensions)
    client.send_message(Message(SENDER, recipients or (A,), 10, body_type))
    assert events(client, answers) == [SendContent()]
    client.take_output()
    return client


def results(found):
    (event,) = found
    assert isinstance(event, TransactionEnded)
    return [reply.code for reply in event.results], event.content_sent


def test_content_goes_by_bdat_once_all_recipients_are_answered():
    """RFC 3030 §4.1."""
    client = session()
    client.send_message(Message(SENDER, (A, B), 10))
    assert client.take_output() == b"MAIL FROM:<s@a.test>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<b@b.test>\r\n"
    assert events(client, b"250 ok\r\n550 no\r\n") == []
    assert events(client, b"250 ok\r\n") == [SendContent()]
    assert client.content(b"hi\r\n.\r\n", last=True) == b"BDAT 7 LAST\r\nhi\r\n.\r\n"
    assert client.step is Step.END
    assert results(events(client, b"250 taken\r\n")) == ([550, 250], True)
    client.send_message(Message(SENDER, (A,), 10))
    assert client.take_output().startswith(b"MAIL FROM")


def test_chunks_follow_each_other_in_a_pipeline():
    """RFC 3030 §4.2: the answers come when they come."""
    client = begun(body_type=BodyType.BINARY_MIME)
    assert client.content(b"\r\0\n") == b"BDAT 3\r\n\r\0\n"
    assert client.content(b"more") == b"BDAT 4\r\nmore"
    assert events(client, b"250 3 octets\r\n") == []
    assert client.step is Step.CONTENT
    assert client.content(b"", last=True) == b"BDAT 0 LAST\r\n"
    assert client.step is Step.CHUNK
    assert events(client, b"250 4 octets\r\n") == []
    assert client.step is Step.END
    assert results(events(client, b"250 taken\r\n")) == ([250], True)


def test_without_pipelining_each_chunk_waits_for_its_answer():
    client = session(ONE_BY_ONE)
    client.send_message(Message(SENDER, (A,), 10, BodyType.BINARY_MIME))
    assert client.take_output() == b"MAIL FROM:<s@a.test> BODY=BINARYMIME\r\n"
    events(client, b"250 ok\r\n")
    assert client.take_output() == b"RCPT TO:<a@b.test>\r\n"
    assert events(client, b"250 ok\r\n") == [SendContent()]
    for _ in range(2):
        assert client.content(b"part") == b"BDAT 4\r\npart"
        assert client.step is Step.CHUNK
        assert events(client, b"250 ok\r\n") == [SendContent()]
        assert client.step is Step.CONTENT
    client.content(b"end", last=True)
    assert results(events(client, b"250 taken\r\n")) == ([250], True)


@pytest.mark.parametrize("extensions", [PIPELINED, ONE_BY_ONE])
@pytest.mark.parametrize(("answer", "code"), [(b"452 4.3.1 full\r\n", 452), (b"354 odd\r\n", 451)])
def test_no_chunk_follows_one_that_was_not_taken(extensions, answer, code):
    """RFC 3030 §2: the transaction has failed, and RSET comes before all else."""
    client = begun(extensions=extensions)
    client.content(b"part")
    assert results(events(client, answer)) == ([code], False)
    assert client.step is Step.IDLE
    client.send_message(Message(SENDER, (A,), 10))
    assert client.take_output().startswith(b"RSET\r\n")


def test_answers_to_chunks_behind_a_failed_one_are_awaited_and_change_nothing():
    client = begun(A, B, answers=b"250 ok\r\n250 ok\r\n550 5.1.1 no\r\n")
    for _ in range(3):
        client.content(b"part")
    client.content(b"end", last=True)
    assert events(client, b"250 ok\r\n554 5.6.0 bad\r\n") == []
    assert events(client, b"503 no more\r\n") == []
    assert results(events(client, b"250 odd\r\n")) == ([554, 550], True)
    client.send_message(Message(SENDER, (A,), 10))
    assert client.take_output().startswith(b"RSET\r\n")


def test_a_last_chunk_that_is_not_taken_needs_a_reset_too():
    client = begun()
    client.content(b"end", last=True)
    assert results(events(client, b"554 5.7.1 spam\r\n")) == ([554], True)
    client.send_message(Message(SENDER, (A,), 10))
    assert client.take_output().startswith(b"RSET\r\n")


@pytest.mark.parametrize("extensions", [PIPELINED, ONE_BY_ONE])
def test_nothing_is_sent_for_nobody(extensions):
    client = session(extensions)
    client.send_message(Message(SENDER, (A, B), 10))
    assert results(events(client, b"250 ok\r\n550 no\r\n450 later\r\n")) == ([550, 450], False)


def test_a_connection_lost_between_chunks_is_temporary_and_nothing_was_sent_whole():
    client = begun()
    client.content(b"part")
    client.connection_lost()
    assert results(events(client)) == ([421], False)


def test_a_goodbye_between_chunks_is_the_end():
    client = begun()
    client.content(b"part")
    assert results(events(client, b"421 4.3.2 closing\r\n")) == ([421], False)
    assert client.step is Step.OVER


def test_the_transcript_tells_of_chunks_in_one_line():
    client = begun()
    for _ in range(300):
        client.content(b"secret")
    client.content(b"", last=True)
    events(client, b"250 ok\r\n" * 300 + b"550 5.7.1 spam\r\n")
    assert client.transcript.splitlines()[-2:] == ["C: [1800 octets of content by BDAT]", "S: 550 5.7.1 spam"]
    client = begun()
    client.content(b"secret")
    events(client, b"452 4.3.1 full\r\n")
    assert client.transcript.splitlines()[-2:] == ["C: [6 octets of content by BDAT]", "S: 452 4.3.1 full"]
    client = begun()
    client.content(b"secret")
    client.content(b"", last=True)
    events(client, b"452 4.3.1 full\r\n503 what\r\n")
    assert client.transcript.splitlines()[-3:] == [
        "C: [6 octets of content by BDAT]",
        "S: 452 4.3.1 full",
        "S: 503 what",
    ]
