"""Response codes with arguments."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.wire.imap import response_codes as codes


@pytest.mark.parametrize(
    ("code", "written"),
    [
        (codes.capability(["IMAP4rev1", "IDLE"]), b"CAPABILITY IMAP4rev1 IDLE"),
        (codes.permanent_flags(Flags.from_names(["\\Seen", "x"]), True), b"PERMANENTFLAGS (\\Seen x \\*)"),
        (codes.permanent_flags(Flags.from_names(["\\Seen"]), False), b"PERMANENTFLAGS (\\Seen)"),
        (codes.permanent_flags(NO_FLAGS, True), b"PERMANENTFLAGS (\\*)"),
        (codes.permanent_flags(NO_FLAGS, False), b"PERMANENTFLAGS ()"),
        (codes.uid_next(7), b"UIDNEXT 7"),
        (codes.uid_validity(7), b"UIDVALIDITY 7"),
        (codes.unseen(7), b"UNSEEN 7"),
        (codes.highest_modseq(1 << 62), b"HIGHESTMODSEQ 4611686018427387904"),
        (codes.modified(codes.ordered([(7, 7), (9, 9)])), b"MODIFIED 7,9"),
        (codes.append_uid(7, [3]), b"APPENDUID 7 3"),
        (codes.append_uid(7, [3, 4, 5]), b"APPENDUID 7 3:5"),
        (codes.copy_uid(7, codes.ordered([(1, 3), (9, 9)]), codes.ordered([(4, 7)])), b"COPYUID 7 1:3,9 4:7"),
        (codes.copy_uid(7, codes.ordered([(9, 9), (1, 1)]), b"4:5"), b"COPYUID 7 9,1 4:5"),
    ],
)
def test_codes(code, written):
    assert code == written
