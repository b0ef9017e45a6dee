"""Who was led here to speak something else does not get through the handshake (RFC 7301 §3.2)."""

import pytest
from twisted.internet.task import Clock

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.node.tls import ServerTLS
from twisted_mail_node.node.tls.alpn import OtherProtocol
from twisted_mail_node.testing.certificates import issue

from .conversation import Conversation, settings, trusting, written


@pytest.fixture
def talk(tmp_path):
    issued, other = issue("mx.a.test"), issue("mx.b.test")
    tls = ServerTLS(Clock())
    tls.load(settings(written(tmp_path, "a", issued), written(tmp_path, "b", other)))

    def talk(service, protocols, name="mx.a.test"):
        context = trusting(issued, other)
        context.set_alpn_protocols(protocols)
        return Conversation(tls, context, name, service=service).client

    return talk


@pytest.mark.parametrize(
    ("service", "offered", "chosen"),
    [
        (Service.IMAP, ["imap"], "imap"),
        (Service.IMAP, ["http/1.1", "imap"], "imap"),
        (Service.POP3, ["pop3"], "pop3"),
        (Service.SUBMISSION, ["smtp"], "smtp"),
        (Service.SMTP, ["esmtp"], "esmtp"),
        (Service.LMTP, ["lmtp"], "lmtp"),
        (Service.IMAP, [], None),
    ],
)
@pytest.mark.parametrize("name", ["mx.a.test", "mx.b.test"])
def test_the_protocol_is_agreed_on(talk, service, offered, chosen, name):
    assert talk(service, offered, name).selected_alpn_protocol() == chosen


@pytest.mark.parametrize(
    ("service", "offered"),
    [
        (Service.IMAP, ["http/1.1"]),
        (Service.IMAP, ["pop3", "h2"]),
        (Service.POP3, ["imap"]),
        (Service.SMTP, ["http/1.1", "imap"]),
        (Service.SUBMISSION, ["ftp"]),
    ],
)
@pytest.mark.parametrize("name", ["mx.a.test", "mx.b.test"])
def test_another_protocol_ends_the_handshake(talk, service, offered, name):
    with pytest.raises(OtherProtocol):
        talk(service, offered, name)
