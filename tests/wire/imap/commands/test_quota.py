"""GETQUOTA, GETQUOTAROOT and SETQUOTA. RFC 9208 §7"""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap import responses as r
from twisted_mail_node.wire.imap.commands.quota import GetQuota, GetQuotaRoot, SetQuota
from twisted_mail_node.wire.imap.commands.status import Status, StatusItem
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax
from twisted_mail_node.wire.imap.spelling import Spelling


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b't GETQUOTA "#user/alice"', GetQuota(b"t", "#user/alice")),
        (b't getquota ""', GetQuota(b"t", "")),
        (b"t GETQUOTA {3}\r\n\xc3\xa4b", GetQuota(b"t", "äb")),
        (b"t GETQUOTAROOT inbox", GetQuotaRoot(b"t", "INBOX")),
        (b"t SETQUOTA a ()", SetQuota(b"t", "a", {})),
        (b"t SETQUOTA a (storage 510 Message 0)", SetQuota(b"t", "a", {"STORAGE": 510, "MESSAGE": 0})),
        (b"t SETQUOTA a (X-Y 9223372036854775807)", SetQuota(b"t", "a", {"X-Y": 2**63 - 1})),
        (
            b"t STATUS x (deleted DELETED-STORAGE)",
            Status(b"t", "x", (StatusItem.DELETED, StatusItem.DELETED_STORAGE)),
        ),
    ],
)
def test_commands(text, command):
    assert parse_command(text) == command


@pytest.mark.parametrize(
    "text",
    [
        b"t GETQUOTA", b"t GETQUOTA a b", b"t GETQUOTAROOT", b"t SETQUOTA a", b"t SETQUOTA a STORAGE 1",
        b"t SETQUOTA a (STORAGE)", b"t SETQUOTA a (STORAGE -1)", b"t SETQUOTA a (STORAGE 9223372036854775808)",
        b"t SETQUOTA a (STORAGE 1", b't SETQUOTA a ("STORAGE" 1)',
    ],
)  # fmt: skip
def test_what_is_none_of_it(text):
    with pytest.raises(BadSyntax):
        parse_command(text)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (r.quota(b'""', [("STORAGE", 10, 512)]), b'* QUOTA "" (STORAGE 10 512)\r\n'),
        (r.quota(b"a", [("STORAGE", 54, 111), ("MESSAGE", 4, 9)]), b"* QUOTA a (STORAGE 54 111 MESSAGE 4 9)\r\n"),
        (r.quota(b"a", []), b"* QUOTA a ()\r\n"),
        (r.quota_root(b"INBOX", [b'""', b"b"]), b'* QUOTAROOT INBOX "" b\r\n'),
        (r.quota_root(b"comp.mail.mime", []), b"* QUOTAROOT comp.mail.mime\r\n"),
        (Spelling.SEVEN_BITS.text("ä b"), b"{4}\r\n\xc3\xa4 b"),
        (Spelling.UTF8.text("ä b"), b'"\xc3\xa4 b"'),
        (Spelling.UTF8.text("a@b"), b"a@b"),
    ],
)  # fmt: skip
def test_responses(octets, written):
    assert octets == written
