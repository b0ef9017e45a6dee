"""Who has logged in writes as its own addresses, in the header too."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.logger import formatEvent

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.testing.deferreds import result_of

LOGIN = b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\n"
ENVELOPE = b"MAIL FROM:<alice@a.test>\r\nRCPT TO:<bob@a.test>\r\n"


@pytest.fixture
def alice(site):
    """A session that alice has logged in to."""
    return logged_in(site)


def logged_in(site, **settings):
    connection = site.connections(**{"service": Service.SUBMISSION, "auth": "required", **settings})()
    assert b"235 2.7.0" in connection.say(LOGIN)
    return connection


def submitted(connection, header, text=b"text\r\n"):
    return connection.say(ENVELOPE + b"DATA\r\n" + header + b"\r\n" + text + b".\r\n").split(b"\r\n", 3)[3]


@pytest.mark.parametrize(
    "header",
    [
        b"From: alice@a.test\r\n",
        b"From: Alice <Alice+list@A.test>\r\n",
        b"From: ally@a.test\r\n",
        b"From: alice@a.test\r\nSender: ally@a.test\r\n",
        b"From: Alice <alice@a.test>, alice@A.test\r\n",
        b"From: alice@a.test, ally@a.test\r\nSender: alice@a.test\r\n",
        b"Subject: nobody says anything\r\n",
        b"",
    ],
)
def test_own_addresses_may_be_in_from_and_sender(site, alice, header):
    assert submitted(alice, header).startswith(b"250 2.0.0 queued as ")
    assert len(site.messages("bob@a.test")) == 1


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (b"From: bob@a.test\r\n", b"bob@a.test"),
        (b"From: alice@a.test, carol@c.test\r\nSender: alice@a.test\r\n", b"carol@c.test"),
        (b"From: alice@a.test\r\nSender: bob@a.test\r\n", b"bob@a.test"),
        (b"From: alice@a.test\r\nFrom: bob@a.test\r\nSender: alice@a.test\r\n", b"bob@a.test"),
        (b'From: "alice@a.test" <bob@a.test>\r\n', b"bob@a.test"),
    ],
)
def test_others_addresses_may_not_and_are_named(site, alice, header, named, logged):
    answer = submitted(alice, header)
    assert answer == b"550 5.7.1 you may not write as " + named + b", which is in From or Sender\r\n"
    assert site.messages("bob@a.test") == []
    [event] = [event for event in logged if "outcome" in event]
    assert event["outcome"] == "refused"
    assert named.decode() in formatEvent(event)
    assert submitted(alice, b"From: alice@a.test\r\n").startswith(b"250 ")


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (b"From: Alice\r\n", b"550 5.6.0 From or Sender is not made"),
        (b"From: alice@a.test\r\nSender: alice@a.test, ally@a.test\r\n", b"550 5.6.0 From or Sender is not made"),
        (b"From: alice@a.test, ally@a.test\r\n", b"550 5.6.0 several addresses in From need one in Sender"),
    ],
)
def test_what_the_standard_does_not_have_is_refused(alice, header, answer):
    assert submitted(alice, header).startswith(answer)


def test_a_message_that_was_staged_is_looked_at_as_well(site, alice):
    long = b"x" * 70 + b"\r\n"
    assert submitted(alice, b"From: bob@a.test\r\n", long * 8_000).startswith(b"550 5.7.1")
    assert submitted(alice, b"From: alice@a.test\r\n", long * 8_000).startswith(b"250 ")
    assert len(site.messages("bob@a.test")) == 1


def test_a_message_that_comes_in_chunks_is_looked_at_as_well(site, alice):
    for name, code in ((b"bob", b"550"), (b"alice", b"250")):
        content = b"From: " + name + b"@a.test\r\n\r\ntext\r\n"
        answer = alice.say(ENVELOPE + b"BDAT %d\r\n%bBDAT 0 LAST\r\n" % (len(content), content))
        assert answer.split(b"\r\n")[3].startswith(code)
    [message] = site.messages("bob@a.test")
    assert b"\r\nDate: " in message
    assert b"\r\nMessage-ID: <" in message


def test_who_has_not_logged_in_is_another_node_whose_authors_are_its_own_affair(site):
    connection = site.connections()()
    connection.feed(b"EHLO c.test\r\n")
    connection.take()
    assert submitted(connection, b"From: bob@a.test\r\n").startswith(b"250 ")
    [message] = site.messages("bob@a.test")
    assert b"Date: " not in message
    assert b"Message-ID: " not in message


def test_the_setting_lets_any_author_be(site):
    connection = logged_in(site, own_from=False)
    assert submitted(connection, b"From: bob@a.test\r\n").startswith(b"250 ")


def test_too_big_a_message_is_refused_for_that(alice):
    answer = submitted(alice, b"From: bob@a.test\r\n", (b"x" * 998 + b"\r\n") * 1001)
    assert answer.startswith(b"552 5.3.4")


def failing(site, answer):
    """A session whose login can't tell about addresses in headers."""
    connection = logged_in(site)
    login = connection.protocol._session.login
    own = login.may_send_as
    login.may_send_as = lambda address: own(address) if address == Address("alice", "a.test") else answer
    return connection


def test_a_rule_that_can_not_be_asked_now_is_a_temporary_failure(site):
    connection = failing(site, fail(TemporaryFailure("no directory")))
    assert submitted(connection, b"From: x@a.test\r\n").startswith(b"451 4.3.0")
    assert site.messages("bob@a.test") == []


def test_who_leaves_while_the_rule_is_asked_has_sent_nothing(site, logged):
    answer = Deferred()
    connection = failing(site, answer)
    connection.feed(ENVELOPE + b"DATA\r\nFrom: x@a.test\r\n\r\ntext\r\n.\r\n")
    connection.drop()
    assert answer.called
    assert site.messages("bob@a.test") == []
    assert [event["outcome"] for event in logged if "outcome" in event] == ["lost"]
    assert site.intake.room.held_octets == 0
    assert result_of(site.store.items()) == []
