"""What submission adds. Source: RFC 6409 §8."""

from __future__ import annotations

from twisted_mail_node.intake.header import header_facts
from twisted_mail_node.intake.submission import is_submission, missing_fields
from twisted_mail_node.mail.envelope import Client, Peer, Service


def test_only_what_is_missing_is_added():
    bare = header_facts(b"Subject: x\r\n\r\n", "mx.a.test")
    assert missing_fields(bare, "mx.a.test", "0abc", 0.0) == (
        b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nMessage-ID: <0abc@mx.a.test>\r\n"
    )
    dated = header_facts(b"Date: x\r\n\r\n", "mx.a.test")
    assert missing_fields(dated, "mx.a.test", "0abc", 0.0) == b"Message-ID: <0abc@mx.a.test>\r\n"
    assert (
        missing_fields(header_facts(b"Date: x\r\nMessage-ID: y\r\n\r\n", "mx.a.test"), "mx.a.test", "0abc", 0.0) == b""
    )


def test_mail_from_other_nodes_is_no_submission():
    peer = Peer("192.0.2.1")
    assert is_submission(Client(peer, Service.SUBMISSION))
    assert is_submission(Client(peer, Service.SMTP, account="a@x"))
    assert not is_submission(Client(peer, Service.SMTP))
    assert not is_submission(Client(peer, Service.LMTP))
