"""Parameters of MAIL and RCPT as tables: what they mean, and what is refused."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.mail.options import ByMode, MailOptions, Notify, RecipientOptions, Return
from twisted_mail_node.wire.smtp.commands import Mail, Mistake, Rcpt, mail, rcpt
from twisted_mail_node.wire.smtp.offer import Extension, Offer
from twisted_mail_node.wire.smtp.parameters import By

EVERYTHING = Offer(tls=True, mechanisms=("PLAIN",), extensions=frozenset(Extension))


def mail_of(parameters: str, offer: Offer = EVERYTHING, path: str = "<a@x>") -> Mail | Mistake:
    return mail.parse(f"FROM:{path} {parameters}".encode(), offer)


def rcpt_of(parameters: str, offer: Offer = EVERYTHING, path: str = "<b@y>") -> Rcpt | Mistake:
    return rcpt.parse(f"TO:{path} {parameters}".encode(), offer)


def code_of(said: Mail | Rcpt | Mistake) -> int:
    return said.reply.code if isinstance(said, Mistake) else 250


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ("RET=HDRS", MailOptions(ret=Return.HEADERS)),
        ("ret=full", MailOptions(ret=Return.FULL)),
        ("ENVID=QQ314159", MailOptions(envelope_id="QQ314159")),  # RFC 3461 §10.1
        ("ENVID=a+20b", MailOptions(envelope_id="a+20b")),
        ("ENVID=" + "x" * 100, MailOptions(envelope_id="x" * 100)),
        ("SMTPUTF8", MailOptions(smtputf8=True)),
        ("REQUIRETLS", MailOptions(require_tls=True)),
        ("HOLDUNTIL=2033-05-18T03:33:20Z", MailOptions(hold_until=2_000_000_000.0)),
        ("MT-PRIORITY=3", MailOptions(priority=3)),  # RFC 6710 §7
        ("MT-PRIORITY=-9", MailOptions(priority=-9)),
        ("MT-PRIORITY=0", MailOptions()),
        ("AUTH=e+3Dmc2@example.com", MailOptions(submitter="e+3Dmc2@example.com")),  # RFC 4954 §5
        ("AUTH=<>", MailOptions(submitter="<>")),
    ],
)
def test_mail_asks_for(parameters: str, options: MailOptions) -> None:
    said = mail_of(parameters)
    assert isinstance(said, Mail)
    assert said.options == options


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("BY=120;R", By(120, ByMode.RETURN, False)),  # RFC 2852 §4
        ("BY=+120;rt", By(120, ByMode.RETURN, True)),
        ("BY=-7;N", By(-7, ByMode.NOTIFY, False)),
        ("BY=0;NT", By(0, ByMode.NOTIFY, True)),
    ],
)
def test_mail_says_until_when(parameters: str, said: By) -> None:
    mail = mail_of(parameters)
    assert isinstance(mail, Mail)
    assert mail.by == said


def test_mail_says_for_how_long_it_is_to_be_held() -> None:
    mail = mail_of("HOLDFOR=86400")
    assert isinstance(mail, Mail)
    assert (mail.hold_for, mail.options.hold_until) == (86400, None)


def test_mail_says_what_the_body_is() -> None:
    mail = mail_of("BODY=binarymime SIZE=7")
    assert isinstance(mail, Mail)
    assert (mail.body_type, mail.size) == (BodyType.BINARY_MIME, 7)


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ("NOTIFY=NEVER", RecipientOptions(notify=Notify.NEVER)),
        ("notify=success,Failure", RecipientOptions(notify=Notify.SUCCESS | Notify.FAILURE)),
        ("NOTIFY=DELAY", RecipientOptions(notify=Notify.DELAY)),
        ("ORCPT=rfc822;Dana+2B1@Ivory.EDU", RecipientOptions(original="rfc822;Dana+2B1@Ivory.EDU")),
        ("ORCPT=utf-8;gr\\x{FC}n@x", RecipientOptions(original="utf-8;gr\\x{FC}n@x")),
        ("ORCPT=utf-8;grün@x", RecipientOptions(original="utf-8;grün@x")),
        ("ORCPT=rfc822;" + "x" * 493, RecipientOptions(original="rfc822;" + "x" * 493)),
    ],
)
def test_rcpt_asks_for(parameters: str, options: RecipientOptions) -> None:
    said = rcpt_of(parameters)
    assert isinstance(said, Rcpt)
    assert said.options == options


BAD_MAIL = [
    "RET", "RET=", "RET=ALL", "ENVID", "ENVID=a+0D", "ENVID=a+", "ENVID=" + "x" * 101, "SMTPUTF8=1", "REQUIRETLS=1",
    "HOLDFOR", "HOLDFOR=0", "HOLDFOR=1h", "HOLDFOR=1234567890", "HOLDFOR=-1", "HOLDUNTIL=tomorrow",
    "HOLDUNTIL=2033-02-30T00:00:00Z", "HOLDUNTIL=2033-05-18T03:33:20+01:00", "HOLDUNTIL=2033-05-18",
    "HOLDFOR=1 HOLDUNTIL=2033-05-18T03:33:20Z", "HOLDUNTIL=2033-05-18T03:33:20Z HOLDFOR=1", "BY", "BY=120", "BY=120;X",
    "BY=0;R", "BY=-1;R", "BY=1234567890;N", "BY=120;N;T", "MT-PRIORITY", "MT-PRIORITY=10", "MT-PRIORITY=-0",
    "MT-PRIORITY=+1", "MT-PRIORITY=high", "BODY", "BODY=", "BODY=BINARY", "SIZE=²", "AUTH", "AUTH=a+0A",
    "SIZE=1 SIZE=1", "RET=FULL ret=FULL",
]  # fmt: skip


@pytest.mark.parametrize("parameters", BAD_MAIL)
def test_a_bad_value_of_mail_is_501(parameters: str) -> None:
    assert code_of(mail_of(f"{parameters} X" if parameters.endswith("=") else parameters)) == 501


BAD_RCPT = [
    "NOTIFY", "NOTIFY=ALWAYS", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,,DELAY", "NOTIFY=SUCCESS,", "ORCPT",
    "ORCPT=rfc822", "ORCPT=;a@b", "ORCPT=rfc822;", "ORCPT=rfc822;a+0A", "ORCPT=rfc822;a+", "ORCPT=rfc822;grün@x",
    "ORCPT=rf(c;a", "ORCPT=utf-8;a\\b", "ORCPT=utf-8;a\\x{}", "ORCPT=rfc822;" + "x" * 494, "NOTIFY=NEVER NOTIFY=NEVER",
]  # fmt: skip


@pytest.mark.parametrize("parameters", BAD_RCPT)
def test_a_bad_value_of_rcpt_is_501(parameters: str) -> None:
    assert code_of(rcpt_of(parameters)) == 501


@pytest.mark.parametrize(
    "parameters",
    [
        "RET=FULL",
        "ENVID=x",
        "SMTPUTF8",
        "REQUIRETLS",
        "HOLDFOR=1",
        "HOLDUNTIL=2033-05-18T03:33:20Z",
        "BY=1;N",
        "MT-PRIORITY=1",
        "AUTH=<>",
        "X-WHATEVER",
        "NOTIFY=NEVER",
    ],
)
def test_what_is_not_offered_is_not_known(parameters: str) -> None:
    assert code_of(mail_of(parameters, Offer())) == 555
    for known in ("NOTIFY=NEVER", "ORCPT=rfc822;a"):
        assert code_of(rcpt_of(known, Offer())) == 555


def test_binary_content_is_had_where_it_is_offered() -> None:
    assert code_of(mail_of("BODY=BINARYMIME", Offer())) == 501
    assert code_of(mail_of("BODY=BINARYMIME", Offer(extensions=frozenset({Extension.BINARY_MIME})))) == 501


def test_require_tls_is_had_under_tls_alone() -> None:
    """RFC 8689 §2."""
    assert code_of(mail_of("REQUIRETLS", Offer(extensions=frozenset(Extension)))) == 555


def test_an_address_beyond_ascii_has_to_be_announced() -> None:
    """RFC 6531 §3.5."""
    assert code_of(mail_of("SMTPUTF8", path="<jörg@x>")) == 250
    for parameters in ("SIZE=1", ""):
        said = mail_of(parameters, path="<jörg@x>")
        assert isinstance(said, Mistake)
        assert (said.reply.code, str(said.reply.status)) == (553, "5.6.7")
    said = rcpt_of("NOTIFY=NEVER", path="<jörg@y>")
    assert isinstance(said, Rcpt)
    assert said.is_beyond_ascii
    assert code_of(mail_of("SMTPUTF8", Offer(), "<jörg@x>")) == 501
    assert code_of(rcpt_of("", Offer(), "<jörg@x>")) == 501
