"""Reports as programs read them."""

import email
import email.policy

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS
from twisted_mail_node.mail.options import MailOptions, Return
from twisted_mail_node.mail.report import TOLD_TOGETHER, Action, Reported, Told
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.queue.reports import WHOLE_OCTETS, Reporter, report

REPORTER = Reporter("mx.a.test", Address("postmaster", "a.test"))
HEADER = b"From: s@a.test\r\nMessage-ID: <1@a.test>\r\nSubject: hi\r\n\r\n"


def failed(recipient="r@b.test", *, status="5.1.1", reply="550 5.1.1 no such user", host="mx.b.test", original=None):
    return Told(
        recipient if isinstance(recipient, Address) else Address.parse(recipient),
        Action.FAILED,
        EnhancedStatus.parse(status),
        reply,
        host,
        Address.parse(original) if original else None,
    )


def body(*told, header=HEADER, sender=None, text=b"", **options):
    reported = Reported(
        sender or Address("s", "a.test"), 1_700_000_000.0, header + text, len(header), MailOptions(**options)
    )
    return report(REPORTER, "id1", reported, told or (failed(),), 1_700_000_100.0)


def made(*recipients, **more):
    return body(*recipients, **more).content


def read(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def parts(content):
    return list(read(content).iter_parts())


def fields(content):
    """The delivery-status part as a list of header blocks."""
    return list(parts(content)[1].iter_parts())


def test_the_header_says_what_it_is_and_from_whom():
    message = read(made())
    assert message["From"].addresses[0].addr_spec == "postmaster@a.test"
    assert "MAILER-DAEMON" in message["From"].addresses[0].display_name
    assert message["To"] == "<s@a.test>" or message["To"].addresses[0].addr_spec == "s@a.test"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == message["References"] == "<1@a.test>"
    assert message["Message-ID"] == "<id1@mx.a.test>"
    assert message["Date"].datetime.timestamp() == 1_700_000_100
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "delivery-status"
    assert [part.get_content_type() for part in parts(made())] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert not message.defects


def test_programs_find_each_recipient_and_why():
    content = made(failed(), failed("x@c.test", status="5.4.7", reply="given up", host="", original="alias@a.test"))
    about, first, second = fields(content)
    assert about["Reporting-MTA"] == "dns; mx.a.test"
    assert about["Arrival-Date"] is not None
    assert first["Final-Recipient"] == "rfc822; r@b.test"
    assert (first["Action"], first["Status"], first["Remote-MTA"]) == ("failed", "5.1.1", "dns; mx.b.test")
    assert first["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
    assert second["Original-Recipient"] == "rfc822; alias@a.test"
    assert (second["Diagnostic-Code"], second["Remote-MTA"]) == ("x-local; given up", None)


def test_the_fields_of_a_recipient_stand_in_the_standards_order():
    # RFC 3464 §2.3
    (_, block) = fields(made(failed(original="alias@a.test")))
    assert block.keys() == [
        "Original-Recipient",
        "Final-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
    ]


def test_people_find_each_recipient_and_what_was_said():
    text = parts(made(failed("x@c.test", original="alias@a.test")))[0].get_content()
    assert "<x@c.test> (you wrote to <alias@a.test>)" in text
    assert "The host mx.b.test said: 550 5.1.1 no such user" in text


def test_the_original_header_is_given_back():
    assert parts(made())[2].get_payload(decode=True) == HEADER[:-2]


@pytest.mark.parametrize(
    "header",
    [
        "Subject: grüße\r\nX: 日本\r\n\r\n".encode(),
        b"Subject: " + b"x" * 5000 + b"\r\n\r\n",
        b"X: =trailing \r\n.dot\r\n\r\n",
        b"",
    ],
)
def test_any_header_comes_back_whole_in_seven_bits_and_short_lines(header):
    content = made(header=header)
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert parts(content)[2].get_payload(decode=True).rstrip(b"\r\n") == header.rstrip(b"\r\n")


def test_a_huge_header_is_cut_at_a_line():
    header = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(1000)) + b"\r\n"
    given = parts(made(header=header))[2].get_payload(decode=True)
    assert 15_000 < len(given) <= 16 * 1024
    assert header.startswith(given)
    assert given.endswith(b"y\r\n")


@pytest.mark.parametrize(
    "reply",
    ["550 line\r\nX-Injected: yes", "550 " + "long " * 5000, "550 \x00\x1b[31m", "550 " + "x" * 3000, "", "grüße"],
)
def test_what_a_server_says_cannot_break_the_report(reply):
    content = made(failed(reply=reply))
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\r\nX-Injected" not in content
    assert fields(content)[1]["Action"] == "failed"


def test_a_full_report_stays_in_one_piece_and_counts_the_rest():
    worst = failed(Address("l" * 200, "d" * 60 + ".test"), reply="550 " + "😀" * 2000, original="o" * 200 + "@a.test")
    full = body(*[worst] * (TOLD_TOGETHER + 7), header="é".encode() * 20_000)
    assert full.size == len(full.content) <= INLINE_BODY_OCTETS
    text = b"x" * (WHOLE_OCTETS - len(HEADER))
    whole = body(*[worst] * (TOLD_TOGETHER + 7), text=text, ret=Return.FULL)
    assert text in whole.content
    assert whole.size <= INLINE_BODY_OCTETS
    assert "And 7 more." in parts(full.content)[0].get_content()


def test_the_body_tells_where_its_header_ends():
    made_body = body()
    assert made_body.content[: made_body.header_size].endswith(b"\r\n\r\n")
    assert made_body.content.index(b"\r\n\r\n") + 4 == made_body.header_size
    assert not made_body.eight_bit


def test_only_what_a_server_said_is_told_in_its_name():
    content = made(failed(reply="connection lost (waiting for mail)", status="5.4.7"))
    assert "At the host mx.b.test: connection lost (waiting for mail)" in parts(content)[0].get_content()
    assert fields(content)[1]["Diagnostic-Code"] == "x-local; connection lost (waiting for mail)"
    content = made(failed())
    assert "The host mx.b.test said: 550 5.1.1 no such user" in parts(content)[0].get_content()


def test_a_header_of_seven_bits_is_given_back_as_it_was():
    header = b"Subject: =?utf-8?Q?=C3=A9?=\r\nFrom: s@a.test\r\n\r\n"
    assert b"Content-Type: text/rfc822-headers\r\n\r\nSubject: =?utf-8?Q?=C3=A9?=\r\n" in made(header=header)
    for odd in ("Subject: é\r\n\r\n".encode(), b"Subject: " + b"x" * 1000 + b"\r\n\r\n"):
        assert b"Content-Transfer-Encoding: quoted-printable" in made(header=odd).split(b"text/rfc822-headers")[1]


@pytest.mark.parametrize(
    ("actions", "subject"),
    [
        ([Action.FAILED], "Your message was not delivered"),
        ([Action.FAILED] * 2, "Your message was not delivered to 2 recipients"),
        ([Action.FAILED, Action.RELAYED], "Your message was not delivered to all recipients"),
        ([Action.DELIVERED], "Your message was delivered"),
        ([Action.DELIVERED] * 3, "Your message was delivered to 3 recipients"),
        ([Action.EXPANDED, Action.DELIVERED], "Your message was passed on to 2 recipients"),
        ([Action.RELAYED], "Your message was passed on"),
    ],
)
def test_the_subject_says_what_became_of_it(actions, subject):
    told = [Told(Address("r", "b.test"), action) for action in actions]
    assert read(made(*told))["Subject"] == subject


def test_a_report_to_a_sender_beyond_ascii_is_beyond_ascii_itself():
    """RFC 6533 §4.4, §4.5: the way back takes SMTPUTF8, or the report finds no way at all."""
    report = body(sender=Address("jürgen", "bücher.test"), header="Subject: grüße\r\n\r\n".encode(), smtputf8=True)
    assert report.eight_bit
    message = read(report.content)
    assert "\r\nTo: <jürgen@bücher.test>\r\n".encode() in report.content
    assert message["Content-Transfer-Encoding"] == "8bit"
    assert [part.get_content_type() for part in parts(report.content)] == [
        "text/plain",
        "message/delivery-status",
        "message/global-headers",
    ]


def test_a_domain_beyond_ascii_alone_is_written_in_a_labels():
    report = body(sender=Address("s", "bücher.test"))
    assert report.content.isascii()
    assert b"To: <s@xn--bcher-kva.test>" in report.content


def test_an_address_that_nobody_can_write_is_escaped_in_the_header():
    assert b"\r\nTo: <\\xfc?@a.test>\r\n" in made(sender=Address("ü\x85", "a.test"))
    assert b"\nX-Injected" not in made(sender=Address("a\r\nX-Injected: b", "a.test"))
