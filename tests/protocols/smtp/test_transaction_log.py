"""One event for each transaction, whatever became of it."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.logger import formatEvent
from zope.interface import implementer

from twisted_mail_node.interfaces.intake import IIntake, IMessageSink
from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.mail.status import EnhancedStatus, reply
from twisted_mail_node.protocols.smtp.transaction_log import Outcome

HELLO = b"EHLO c.test\r\n"
MAIL = b"MAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\nDATA\r\n"
MESSAGE = b"Subject: x\r\n\r\ntext\r\n"
FIELDS = {
    *("session", "queue_id", "peer", "peer_name", "forwarded", "tls", "hello", "service", "account", "sender"),
    *("to", "recipients", "accepted"),
    *("refused", "refused_recipients", "size", "body", "smtputf8", "envelope_id", "outcome", "status", "reply"),
    "seconds",
}


@implementer(IIntake, IMessageSink)
class Answering:
    """Answers as told, for an intake and its sinks at once."""

    id = "0abc"

    def __init__(self, *answers):
        self.answers = answers

    def begin(self, envelope):
        return self

    def write(self, data):
        return None

    def finish(self):
        return succeed(list(self.answers)) if self.answers else Deferred()

    def abort(self):
        pass


def transactions(logged):
    return [event for event in logged if "outcome" in event]


def the_transaction(logged):
    [event] = transactions(logged)
    assert set(event) >= FIELDS
    return event


def test_a_message_that_is_taken_is_one_event_with_all_fields(site, logged):
    connection = site.connections()()
    connection.feed(HELLO + b"MAIL FROM:<s@c.test> BODY=8BITMIME\r\n")
    site.clock.advance(2)
    connection.feed(MAIL[22:] + MESSAGE + b".\r\n")
    event = the_transaction(logged)
    assert {name: event[name] for name in FIELDS - {"session", "sender", "accepted", "reply"}} == {
        "queue_id": event["reply"].lines[0].removeprefix("queued as "),
        "peer": "127.0.0.1",
        "peer_name": "",
        "forwarded": None,
        "tls": "",
        "hello": "c.test",
        "service": "smtp",
        "account": None,
        "to": "alice@a.test",
        "recipients": 1,
        "refused": (),
        "refused_recipients": 0,
        "size": len(MESSAGE),
        "body": "8BITMIME",
        "smtputf8": False,
        "envelope_id": None,
        "outcome": "accepted",
        "status": EnhancedStatus(2, 0, 0),
        "seconds": 2,
    }
    assert len(event["session"]) == 16
    assert str(event["sender"]) == "s@c.test"
    assert [str(address) for address in event["accepted"]] == ["alice@a.test"]
    assert formatEvent(event).startswith("message from <s@c.test> to alice@a.test: 250 2.0.0 queued as ")


def test_recipients_that_were_refused_stand_beside_those_that_were_not(site, logged):
    connection = site.connections(max_recipients=1)()
    connection.feed(HELLO + b"MAIL FROM:<s@c.test>\r\nRCPT TO:<x@a.test>\r\nRCPT TO:<alice@a.test>\r\n")
    connection.feed(b"RCPT TO:<bob@a.test>\r\nDATA\r\n" + MESSAGE + b".\r\n")
    event = the_transaction(logged)
    assert [(str(address), answer.code) for address, answer in event["refused"]] == [
        ("x@a.test", 550),
        ("bob@a.test", 452),
    ]
    assert event["outcome"] == "accepted"
    assert formatEvent(event).startswith(
        "message from <s@c.test> to alice@a.test (refused: x@a.test: 550 5.1.1 no such user here; "
        "bob@a.test: 452 4.5.3 too many recipients, send the rest in another transaction): 250 2.0.0 queued as "
    )


def test_refusals_without_number_are_counted_and_the_first_ones_kept(site, logged):
    connection = site.connections(max_refused_recipients=1000)()
    connection.feed(HELLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<x@a.test>\r\n" * 150 + b"RSET\r\n")
    event = the_transaction(logged)
    assert (len(event["refused"]), event["refused_recipients"]) == (100, 150)
    assert "; and 140 more): 550 5.1.1 no such user here" in formatEvent(event)
    assert event["outcome"] == "refused"


def test_one_event_tells_of_all_recipients_in_lmtp(site, logged):
    connection = site.connections(service=Service.LMTP)()
    recipients = b"RCPT TO:<alice@a.test>\r\nRCPT TO:<bob@a.test>\r\n" + b"RCPT TO:<bob+x@a.test>\r\n" * 10
    connection.feed(b"LHLO c.test\r\nMAIL FROM:<>\r\n" + recipients + b"DATA\r\n" + MESSAGE + b".\r\n")
    event = the_transaction(logged)
    text = formatEvent(event)
    assert text.startswith("message from <> to alice@a.test, bob@a.test, ")
    assert " and 2 more: 250 2.0.0 queued as " in text
    assert "|" not in text
    assert event["recipients"] == len(event["accepted"]) == 12


def test_the_outcome_follows_from_the_answers(site, logged):
    taken, later, never = reply(250, "2.0.0", "ok"), reply(451, "4.3.0", "later"), reply(550, "5.1.1", "never")
    two = b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@a.test>\r\nRCPT TO:<bob@a.test>\r\nDATA\r\n" + MESSAGE + b".\r\n"
    for answers, outcome in (
        ((taken, taken), "accepted"),
        ((never, taken), "partly accepted"),
        ((never, later), "deferred"),
        ((never, never), "refused"),
    ):
        logged.clear()
        connection = site.connections(service=Service.LMTP, intake=Answering(*answers))()
        connection.feed(two)
        assert the_transaction(logged)["outcome"] == outcome
    assert outcome in {outcome.value for outcome in Outcome}


def test_a_message_that_is_unfit_is_refused(site, logged):
    site.connections()().feed(HELLO + MAIL + b"a\nb\r\n.\r\n")
    event = the_transaction(logged)
    assert (event["outcome"], event["size"]) == ("refused", 5)
    assert "CR or LF alone" in formatEvent(event)


def test_what_the_client_gives_up_is_told(site, logged):
    for last in (b"RSET\r\n", b"EHLO again\r\n", b"QUIT\r\n"):
        logged.clear()
        connection = site.connections()()
        connection.feed(HELLO + MAIL[:-6] + last)
        event = the_transaction(logged)
        assert formatEvent(event) == "message from <s@c.test> to alice@a.test: given up by the client"
        assert (event["outcome"], event["reply"], event["queue_id"]) == ("reset", None, "")
        connection.drop()
        assert len(transactions(logged)) == 1


def test_where_nobody_was_accepted_it_is_their_refusal_that_ended_it(site, logged):
    connection = site.connections()()
    connection.feed(HELLO + b"MAIL FROM:<s@c.test>\r\nRCPT TO:<x@a.test>\r\n")
    connection.drop()
    event = the_transaction(logged)
    assert event["outcome"] == "refused"
    assert formatEvent(event) == (
        "message from <s@c.test> to nobody (refused: x@a.test: 550 5.1.1 no such user here): "
        "550 5.1.1 no such user here"
    )


def test_a_client_that_is_lost_is_told_with_how_far_it_came(site, logged):
    for last, told in ((b"", "complete"), (b".\r\n", "answered")):
        logged.clear()
        connection = site.connections(intake=Answering())()
        connection.feed(HELLO + MAIL + MESSAGE + b"more\r\n" + last)
        connection.drop()
        event = the_transaction(logged)
        assert (
            formatEvent(event) == f"message from <s@c.test> to alice@a.test: the connection ended before it was {told}"
        )
        assert (event["outcome"], event["queue_id"], event["hello"]) == ("lost", "0abc", "c.test")
        assert event["size"] == len(MESSAGE) + 6 - 2 * (not last)


def test_a_message_that_was_taken_though_its_client_has_gone_is_told(site, logged):
    delivered = Deferred()
    deliver = site.store.deliver
    site.store.deliver = lambda transaction: delivered.addCallback(lambda _: deliver(transaction))
    connection = site.connections()()
    connection.feed(HELLO + MAIL + MESSAGE + b".\r\n")
    connection.drop()
    delivered.callback(None)
    lost = the_transaction(logged)
    [taken] = [formatEvent(event) for event in logged if "was accepted, though" in str(event.get("log_format"))]
    assert taken == f"{lost['queue_id']} was accepted, though its client did not wait for the answer"
    assert len(site.messages("alice@a.test")) == 1


def test_a_client_that_is_silent_for_too_long_ends_its_transaction(site, logged):
    connection = site.connections()()
    connection.feed(HELLO + MAIL + MESSAGE)
    site.clock.advance(301)
    assert connection.closed
    event = the_transaction(logged)
    assert (event["outcome"], event["seconds"], event["reply"].code) == ("timed out", 301, 421)


def test_a_node_that_stops_ends_what_is_not_complete(site, logged):
    connection = site.connections()()
    connection.feed(HELLO + MAIL + MESSAGE)
    connection.protocol._session.end()
    assert connection.closed
    assert the_transaction(logged)["outcome"] == "shut down"


def test_too_many_errors_end_a_transaction(site, logged):
    connection = site.connections(max_errors=2)()
    connection.feed(HELLO + MAIL[:-6] + b"WHAT\r\nEVER\r\n")
    assert connection.closed
    event = the_transaction(logged)
    assert (event["outcome"], event["reply"].code) == ("refused", 421)
