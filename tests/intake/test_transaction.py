"""What a message does for its envelope."""

from __future__ import annotations

from dataclasses import replace

from twisted_mail_node.intake.header import NO_PAST, Past
from twisted_mail_node.intake.transaction import LOOP, plan
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType, Client, Envelope, Peer, Recipient, Service, Target
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions
from twisted_mail_node.mail.report import Action, Reported, Told
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.transaction import Body, Outgoing, outgoing_report

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
    options, asked = MailOptions(envelope_id="one"), RecipientOptions(notify=Notify.DELAY)
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


def test_a_report_is_one_more_body_and_goes_where_the_sender_leads():
    seen: list[object] = []

    def make(*arguments):
        seen.append(arguments)
        return BODY

    reported = Reported(SENDER, 5.5, b"H: h\r\n\r\n", 8)
    made = planned(recipient("alice@a", "alice@a"), recipient("bob@a", "bob@a")).without({0: GONE})
    away = made.with_reports(make, reported, recipient("s@c.test", forwards=("s@c.test",)))
    assert seen == [(reported, [Told(Address("alice", "a"), Action.FAILED, *GONE)], 5.5)]
    assert away.bodies == (BODY, BODY)
    assert away.queue == (outgoing_report(1, BODY, SENDER),)
    here = made.with_reports(make, reported, recipient("s@c.test", "carol@a"))
    assert here.queue == ()
    placement = here.placements[-1]
    assert (placement.account, placement.body) == ("carol@a", 1)
    assert placement.prefix.startswith(b"Return-Path: <>\r\n")


def wanting(to: Recipient, notify: Notify | None, original: str | None = None) -> Recipient:
    return replace(to, options=RecipientOptions(notify=notify, original=original))


def test_an_alias_with_one_address_hands_on_what_was_asked_for():
    """RFC 3461 §5.2.7.2."""
    asked = RecipientOptions(notify=Notify.SUCCESS, original="rfc822;al@a")
    made = planned(replace(recipient("al@a", forwards=("x@b",)), options=asked))
    assert made.transaction.queue[0].recipient_options == asked
    assert made.told == []


def test_an_alias_with_several_addresses_is_expanded():
    """RFC 3461 §5.2.7.3 (c)."""
    both = wanting(recipient("list@a", "bob@a", forwards=("x@b",)), Notify.SUCCESS | Notify.FAILURE, "rfc822;list@a")
    only = wanting(recipient("all@a", forwards=("y@b", "z@b")), Notify.SUCCESS)
    made = planned(both, only)
    assert [(one.recipient, one.action) for one in made.told] == [
        (Address("list", "a"), Action.EXPANDED),
        (Address("all", "a"), Action.EXPANDED),
    ]
    passed = [part.recipient_options for part in (*made.transaction.placements, *made.transaction.queue)]
    assert [options.notify for options in passed] == [Notify.FAILURE, Notify.FAILURE, Notify.NEVER, Notify.NEVER]
    assert passed[0].original == passed[1].original == "rfc822;list@a"


def test_recipients_that_lead_to_the_same_mailbox_share_what_they_want():
    never, success = wanting(recipient("a@a", "a@a"), Notify.NEVER), wanting(recipient("al@a", "a@a"), Notify.SUCCESS)
    made = planned(never, success)
    (placement,) = made.transaction.placements
    assert placement.recipient_options.notify is Notify.SUCCESS
    assert placement.recipient == Address("al", "a")
    assert [one.recipient for one in made.told] == [Address("al", "a")]
    (placement,) = planned(success, never).transaction.placements
    assert (placement.recipient, placement.recipient_options) == (success.address, success.options)
    (placement,) = planned(success, recipient("a@a", "a@a")).transaction.placements
    assert placement.recipient_options.notify == Notify.SUCCESS | Notify.FAILURE | Notify.DELAY


def test_recipients_that_lead_to_one_address_elsewhere_share_an_entry():
    made = planned(
        *(recipient(name, forwards=("x@b",)) for name in ("x@b", "al@a")), recipient("X@b", forwards=("X@b",))
    )
    (entry,) = made.transaction.queue
    assert entry.recipient_options.notify is None


def test_what_is_asked_for_one_recipient_is_not_asked_for_another():
    """RFC 3461 §5.2.1 (c, d), §5.2.2: each has its NOTIFY and ORCPT, and what is told of it, wherever it leads."""
    wishes = [
        ("x@b", None, None),
        ("x@b", Notify.SUCCESS, "rfc822;x@b"),
        ("al@a", Notify.SUCCESS, None),
        ("bo@a", Notify.SUCCESS, None),
        ("cy@a", Notify.NEVER, None),
        ("bo@a", Notify.SUCCESS, None),
    ]
    made = planned(*(wanting(recipient(name, forwards=("x@b",)), notify, orcpt) for name, notify, orcpt in wishes))
    entries = made.transaction.queue
    assert {str(entry.recipient) for entry in entries} == {"x@b"}
    names = [None if entry.original_recipient is None else str(entry.original_recipient) for entry in entries]
    assert names == [None, None, "al@a", "bo@a", "cy@a"]
    asked = [(entry.recipient_options.notify, entry.recipient_options.original) for entry in entries]
    assert asked == [(notify, orcpt) for _, notify, orcpt in wishes[:5]]
