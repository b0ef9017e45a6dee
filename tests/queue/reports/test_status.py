"""What programs read in a report (RFC 3464 §2, RFC 3461 §6.3, RFC 6533 §4.1)."""

from __future__ import annotations

import email
import email.policy
import quopri

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.options import MailOptions, RecipientOptions
from twisted_mail_node.mail.report import Action, Reported, Told
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.queue.reports.status import status_part

ASCII, WIDE = Address("r", "b.test"), Address("jürgen", "bücher.test")


def part(*told, utf8=False, eight_bit=False, **options):
    reported = Reported(Address("s", "a.test"), 1_700_000_000.0, b"", 0, MailOptions(**options))
    return status_part("mx.a.test", reported, told, 1_700_000_100.0, utf8=utf8, eight_bit=eight_bit)


def blocks(octets):
    """The kind of the part, and its groups of fields as lists of lines."""
    head, _, content = octets.partition(b"\r\n\r\n")
    header = email.message_from_bytes(head + b"\r\n\r\n", policy=email.policy.default)
    if header["Content-Transfer-Encoding"] == "quoted-printable":
        content = quopri.decodestring(content)
    groups = content.decode().replace("\r\n", "\n").split("\n\n")
    return header.get_content_type(), [group.splitlines() for group in groups]


def test_the_envelope_id_is_told_decoded():
    _, (about, _) = blocks(part(Told(ASCII, Action.DELIVERED), envelope_id="QQ+2B3+3D14"))
    assert about[0] == "Original-Envelope-Id: QQ+3=14"


def test_no_envelope_id_is_made_up():
    _, (about, _) = blocks(part(Told(ASCII, Action.DELIVERED)))
    assert about == ["Reporting-MTA: dns; mx.a.test", "Arrival-Date: Tue, 14 Nov 2023 22:13:20 -0000"]


def test_a_delivery_names_the_recipient_as_the_sender_did():
    told = Told(ASCII, Action.DELIVERED, options=RecipientOptions(original="rfc822;Bob+2Bx@Example.COM"))
    _, (_, recipient) = blocks(part(told))
    assert recipient == [
        "Original-Recipient: rfc822; Bob+x@Example.COM",
        "Final-Recipient: rfc822; r@b.test",
        "Action: delivered",
        "Status: 2.0.0",
        "Last-Attempt-Date: Tue, 14 Nov 2023 22:15:00 -0000",
    ]


def test_a_relay_names_the_host_and_what_it_said():
    """RFC 3461 §6.3 (h), (i)."""
    told = Told(ASCII, Action.RELAYED, EnhancedStatus(2, 0, 0), "250 2.0.0 queued", "mx.b.test")
    _, (_, recipient) = blocks(part(told))
    assert recipient[1:5] == [
        "Action: relayed",
        "Status: 2.0.0",
        "Remote-MTA: dns; mx.b.test",
        "Diagnostic-Code: smtp; 250 2.0.0 queued",
    ]


@pytest.mark.parametrize("original", ["utf-8;jürgen@bücher.test", "utf-8;j\\x{FC}rgen@b\\x{FC}cher.test"])
@pytest.mark.parametrize("eight_bit", [False, True])
def test_addresses_beyond_ascii_stand_as_they_are_for_who_reads_utf8(original, eight_bit):
    told = Told(WIDE, Action.EXPANDED, options=RecipientOptions(original=original))
    octets = part(told, utf8=True, eight_bit=eight_bit)
    assert octets.isascii() is not eight_bit
    kind, (_, recipient) = blocks(octets)
    assert kind == "message/global-delivery-status"
    assert recipient[:2] == [
        "Original-Recipient: utf-8; jürgen@bücher.test",
        "Final-Recipient: utf-8; jürgen@bücher.test",
    ]


def test_addresses_beyond_ascii_are_embedded_for_anybody_else():
    told = Told(WIDE, Action.FAILED, EnhancedStatus(5, 6, 7), written=Address("ü", "a.test"))
    kind, (_, recipient) = blocks(part(told))
    assert kind == "message/delivery-status"
    assert recipient[:2] == [
        "Original-Recipient: utf-8; \\x{FC}@a.test",
        "Final-Recipient: utf-8; j\\x{FC}rgen@b\\x{FC}cher.test",
    ]


def test_an_original_recipient_of_another_kind_is_told_as_it_came():
    told = Told(ASCII, Action.FAILED, options=RecipientOptions(original="x400;/C=de+2FS=x+0AInjected:"))
    _, (_, recipient) = blocks(part(told))
    assert recipient[0] == "Original-Recipient: x400; /C=de+2FS=x+0AInjected:"


@pytest.mark.parametrize(("utf8", "address"), [(True, "jörg@b.test"), (False, "j+C3+B6rg@b.test")])
def test_an_original_recipient_that_hides_utf8_is_shown_to_who_reads_it(utf8, address):
    told = Told(ASCII, Action.DELIVERED, options=RecipientOptions(original="rfc822;j+C3+B6rg@b.test"))
    kind, (_, recipient) = blocks(part(told, utf8=utf8))
    assert kind == ("message/global-delivery-status" if utf8 else "message/delivery-status")
    assert recipient[0] == f"Original-Recipient: rfc822; {address}"
