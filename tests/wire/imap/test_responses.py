"""What the server writes."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap import responses as r
from twisted_mail_node.wire.imap.commands.status import StatusItem


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (r.tagged(b"a1", r.ok("done")), b"a1 OK done\r\n"),
        (r.tagged(b"a1", r.no("no", b"TRYCREATE")), b"a1 NO [TRYCREATE] no\r\n"),
        (r.tagged(b"a1", r.bad("")), b"a1 BAD BAD\r\n"),
        (r.untagged(r.ok("hello", b"ALERT")), b"* OK [ALERT] hello\r\n"),
        (r.tagged(b"a1", r.no("äöü\r\nb OK")), b"a1 NO ?????b OK\r\n"),
        (r.bye("gone"), b"* BYE gone\r\n"),
        (r.preauth("hello", b"CAPABILITY IMAP4rev1"), b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"),
        (r.continuation(), b"+ go ahead\r\n"),
        (r.capability(["IMAP4rev1", "IDLE"]), b"* CAPABILITY IMAP4rev1 IDLE\r\n"),
        (r.enabled([]), b"* ENABLED\r\n"),
        (r.enabled(["X", "Y"]), b"* ENABLED X Y\r\n"),
        (r.identity([]), b"* ID NIL\r\n"),
        (r.identity([("name", "x"), ("vendor", "ä")]), b'* ID ("name" "x" "vendor" {2}\r\n\xc3\xa4)\r\n'),
        (r.namespace([(b'""', "/")]), b'* NAMESPACE (("" "/")) NIL NIL\r\n'),
        (
            r.namespace(None, [(b'"~"', "/")], [(b'"#a/"', "/"), (b'"&AOQ-"', ".")]),
            b'* NAMESPACE NIL (("~" "/")) (("#a/" "/")("&AOQ-" "."))\r\n',
        ),
        (r.listed(b'"a b"', "/", ["\\HasChildren", "\\Sent"]), b'* LIST (\\HasChildren \\Sent) "/" "a b"\r\n'),
        (r.listed(b'""', "/", ["\\Noselect"]), b'* LIST (\\Noselect) "/" ""\r\n'),
        (r.listed(b"x", None), b"* LIST () NIL x\r\n"),
        (r.listed(b"x", "\\", child_info=["SUBSCRIBED"]), b'* LIST () "\\\\" x ("CHILDINFO" ("SUBSCRIBED"))\r\n'),
        (r.listed(b"y", "/", old_name=b"x"), b'* LIST () "/" y ("OLDNAME" (x))\r\n'),
        (
            r.listed(b"y", "/", child_info=["SUBSCRIBED"], old_name=b"x"),
            b'* LIST () "/" y ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" (x))\r\n',
        ),
        (r.lsub_listed(b"x", "/"), b'* LSUB () "/" x\r\n'),
        (
            r.mailbox_status(b"x", [(StatusItem.MESSAGES, 3), (StatusItem.UID_NEXT, 7)]),
            b"* STATUS x (MESSAGES 3 UIDNEXT 7)\r\n",
        ),
        (
            r.mailbox_status(b"x", [(StatusItem.SIZE, 2**63 - 1), (StatusItem.UNSEEN, b"NIL")]),
            b"* STATUS x (SIZE 9223372036854775807 UNSEEN NIL)\r\n",
        ),
        (r.flags([b"\\Seen", b"x"]), b"* FLAGS (\\Seen x)\r\n"),
        (r.exists(3), b"* 3 EXISTS\r\n"),
        (r.recent(0), b"* 0 RECENT\r\n"),
        (r.expunged([3, 3, 1]), b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 1 EXPUNGE\r\n"),
        (r.expunged([]), b""),
        (r.numbers([1, 2, 30]), b" 1 2 30"),
        (r.numbers([]), b""),
    ],
)
def test_responses(octets, written):
    assert octets == written
