"""What a message does for its envelope."""

from __future__ import annotations

from dataclasses import replace

from twisted_mail_node.intake.header import NO_PAST, Past
from twisted_mail_node.intake.transaction import LOOP, Failure, plan
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType, Client, Envelope, Peer, Recipient, Service, Target
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.transaction import Body, Outgoing

SENDER = Address("s", "c.test")
CLIENT = Client(Peer("192.0.2.1"), Service.SMTP, "c", True)
BODY = Body(4, 4, b"A: b")
GONE = (EnhancedStatus(5, 1, 1), "gone")


def recipient(text: str, *targets: str, forwards: tuple[str, ...] = ()) -> Recipient:
    return Recipient(Address.parse(text), tuple(map(Target, targets)), tuple(map(Address.parse, forwards)))


def planned(*recipients: Recipient, sender: Address | None = SENDER, past: Past = NO_PAST):
    envelope = Envelope(CLIENT, sender, recipients, BodyType.EIGHT_BIT_MIME)
    return plan(envelope, BODY, "0abc", 5.5, past)


def test_an_account_gets_one_copy_however_many_recipients_lead_there():
    made = planned(
        recipient("alice@a", "alice@a"), recipient("list@a", "bob@a", "alice@a"), recipient("al@a", "alice@a")
    )
    assert [placement.account for placement in made.transaction.placements] == ["alice@a", "bob@a"]
    assert made.owners == ((0, 1, 2), (1,))
    assert b"X-Original-To: list@a" in made.transaction.placements[1].prefix
    assert made.transaction.placements[0].internal_date.unix_seconds == 5


def test_an_address_elsewhere_gets_one_queue_entry():
    made = planned(
        recipient("x@b", forwards=("x@b",)), recipient("list@a", "bob@a", forwards=("X@b", "y@b")), sender=None
    )
    assert made.transaction.queue == (
        Outgoing(0, None, Address("x", "b"), None, BodyType.EIGHT_BIT_MIME),
        Outgoing(0, None, Address("y", "b"), Address("list", "a"), BodyType.EIGHT_BIT_MIME),
    )


def test_what_was_asked_for_goes_with_places_and_queue_entries():
    options, asked = MailOptions(envelope_id="one"), RecipientOptions(notify=Notify.SUCCESS)
    to = replace(recipient("list@a", "bob@a", forwards=("x@b",)), options=asked)
    made = plan(Envelope(CLIENT, SENDER, (to,), options=options), BODY, "0abc", 5.5).transaction
    for part in (*made.placements, *made.queue):
        assert (part.options, part.recipient_options) == (options, asked)


def test_an_account_that_had_the_message_before_is_a_loop():
    past = Past(delivered_to=frozenset(["alice@a"]))
    made = planned(recipient("alice@a", "alice@a"), recipient("bob@a", "bob@a"), past=past)
    assert made.failures == {0: LOOP}
    assert [placement.account for placement in made.transaction.placements] == ["bob@a"]


def test_a_message_that_came_for_the_same_recipient_before_is_a_loop_wherever_that_leads():
    past = Past(received_for=frozenset(["list@a"]))
    first = Recipient(Address("List", "a"), (), (Address("x", "b"),))
    made = planned(first, recipient("other@a", "list@a"), past=past)
    assert made.failures == {0: LOOP}
    assert [placement.account for placement in made.transaction.placements] == ["list@a"]
    assert made.transaction.queue == ()


def test_refused_placements_make_their_recipients_failures():
    made = planned(recipient("alice@a", "alice@a"), recipient("list@a", "bob@a", "alice@a")).without({0: GONE})
    assert [placement.account for placement in made.transaction.placements] == ["bob@a"]
    assert made.owners == ((1,),)
    assert made.failures == {0: GONE, 1: GONE}
    assert not made.is_empty
    assert made.without({0: GONE}).is_empty


def bounce(seen):
    def make(*arguments):
        seen.append(arguments)
        return BODY

    return make


def test_a_report_is_one_more_body_and_goes_where_the_sender_leads():
    seen: list[object] = []
    made = planned(recipient("alice@a", "alice@a"), recipient("bob@a", "bob@a")).without({0: GONE})
    away = made.with_bounce(bounce(seen), b"H: h\r\n\r\n", recipient("s@c.test", forwards=("s@c.test",)))
    assert seen == [("0abc", 5.5, SENDER, [Failure(Address("alice", "a"), *GONE)], b"H: h\r\n\r\n")]
    assert away.transaction.bodies == (BODY, BODY)
    assert away.transaction.queue == (Outgoing(1, None, SENDER),)
    here = made.with_bounce(bounce(seen), b"", recipient("s@c.test", "carol@a"))
    assert here.transaction.queue == ()
    placement = here.transaction.placements[-1]
    assert (placement.account, placement.body) == ("carol@a", 1)
    assert placement.prefix.startswith(b"Return-Path: <>\r\n")
