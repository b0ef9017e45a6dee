from __future__ import annotations

from dataclasses import replace

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions
from twisted_mail_node.mail.transaction import Body, Outgoing, Placement, Transaction

BODY = Body(4, 4, b"\r\n\r\n")
FAR = Outgoing(0, Address.parse("ann@here.test"), Address.parse("eve@far.test"))
INBOX = Placement(
    "bob@here.test",
    "INBOX",
    1,
    InternalDate(7),
    sender=Address.parse("ann@here.test"),
    recipient=Address.parse("info@here.test"),
)


def test_what_is_for_elsewhere_alone_goes_through_the_queue_as_it_is():
    transaction = Transaction("id", 1.0, (BODY,), queue=(FAR,))
    assert transaction.through_queue() is transaction


def test_a_placement_goes_through_the_queue_as_an_item_in_front():
    through = Transaction("id", 1.0, (BODY, BODY), (INBOX,), (FAR,)).through_queue()
    assert through.placements == ()
    waiting, far = through.queue
    assert far is FAR
    assert (waiting.body, waiting.sender, waiting.recipient) == (1, INBOX.sender, Address.parse("bob@here.test"))
    assert waiting.original_recipient == INBOX.recipient
    assert waiting.placement == replace(INBOX, body=0, sender=None, recipient=None)


def test_an_address_that_leads_to_itself_is_no_original():
    direct = replace(INBOX, recipient=Address.parse("Bob@here.test"))
    (waiting,) = Transaction("id", 1.0, (BODY, BODY), (direct,)).through_queue().queue
    assert waiting.original_recipient is None


def test_what_was_asked_for_goes_with_the_item():
    asked = MailOptions(envelope_id="one"), RecipientOptions(notify=Notify.NEVER)
    wanted = replace(INBOX, options=asked[0], recipient_options=asked[1])
    (waiting,) = Transaction("id", 1.0, (BODY, BODY), (wanted,)).through_queue().queue
    assert (waiting.options, waiting.recipient_options) == asked
    assert waiting.placement == replace(INBOX, body=0, sender=None, recipient=None)


def test_an_item_is_due_at_once_or_when_it_need_not_be_held_any_more():
    assert FAR.due(100.0) == 100.0
    assert replace(FAR, options=MailOptions(hold_until=300.0)).due(100.0) == 300.0
    assert replace(FAR, options=MailOptions(hold_until=50.0)).due(100.0) == 100.0
