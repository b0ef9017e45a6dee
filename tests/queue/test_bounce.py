"""Reports as programs read them."""

import email
import email.policy

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.queue.bounce import RECIPIENTS, FailedRecipient, Reporter, report

REPORTER = Reporter("mx.a.test", Address("postmaster", "a.test"))
HEADER = b"From: s@a.test\r\nMessage-ID: <1@a.test>\r\nSubject: hi\r\n\r\n"


def failed(recipient="r@b.test", *, status="5.1.1", reply="550 5.1.1 no such user", host="mx.b.test", original=None):
    return FailedRecipient(
        recipient if isinstance(recipient, Address) else Address.parse(recipient),
        EnhancedStatus.parse(status),
        reply,
        host,
        Address.parse(original) if original else None,
    )


def body(*recipients, header=HEADER, sender=None):
    sender = sender or Address("s", "a.test")
    times = {"arrived": 1_700_000_000.0, "now": 1_700_000_100.0}
    return report(REPORTER, "id1", sender, recipients or (failed(),), header, **times)


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


def test_addresses_beyond_ascii_are_escaped():
    content = made(failed(Address("ü", "b.test")), sender=Address("ß", "a.test"))
    assert content.isascii()
    assert "\\xfc@b.test" in fields(content)[1]["Final-Recipient"]


def test_a_full_report_stays_in_one_piece_and_counts_the_rest():
    worst = failed(Address("l" * 200, "d" * 60 + ".test"), reply="550 " + "😀" * 2000, original="o" * 200 + "@a.test")
    full = body(*[worst] * (RECIPIENTS + 7), header="é".encode() * 20_000)
    assert full.size == len(full.content) <= INLINE_BODY_OCTETS
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
