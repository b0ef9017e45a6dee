"""GETMETADATA and SETMETADATA. RFC 5464 §5"""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.annotation import Depth
from twisted_mail_node.wire.imap import response_codes
from twisted_mail_node.wire.imap import responses as r
from twisted_mail_node.wire.imap.commands.metadata import GetMetadata, SetMetadata
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax

C = "/shared/comment"
S = "/shared"
Q = '/private/a"'


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b't GETMETADATA "" /shared/comment', GetMetadata(b"t", "", {C: C})),
        (b"t getmetadata x (/Shared/Comment)", GetMetadata(b"t", "x", {C: "/Shared/Comment"})),
        (b't GETMETADATA x ("/private/a\\"" /shared)', GetMetadata(b"t", "x", {Q: Q, "/shared": "/shared"})),
        (b"t GETMETADATA x ({15}\r\n/shared/comment)", GetMetadata(b"t", "x", {C: C})),
        (b"t GETMETADATA x /shared /private", GetMetadata(b"t", "x", {"/shared": "/shared", "/private": "/private"})),
        (b"t GETMETADATA (MAXSIZE 0) x /shared/comment", GetMetadata(b"t", "x", {C: C}, max_octets=0)),
        (b"t GETMETADATA x (depth Infinity maxsize 9) /shared", GetMetadata(b"t", "x", {S: S}, Depth.INFINITE, 9)),
        (b"t GETMETADATA (DEPTH 1) x (DEPTH 0) /shared/comment", GetMetadata(b"t", "x", {C: C}, Depth.NONE)),
        (b't SETMETADATA "" (/shared/comment NIL)', SetMetadata(b"t", "", {C: None})),
        (b't SETMETADATA x (/shared/comment "a" /SHARED/Comment {1}\r\nb)', SetMetadata(b"t", "x", {C: b"b"})),
        (b"t SETMETADATA x (/shared/comment ~{3+}\r\n\0\r\n)", SetMetadata(b"t", "x", {C: b"\0\r\n"})),
    ],
)  # fmt: skip
def test_commands(text, command):
    assert parse_command(text) == command


@pytest.mark.parametrize(
    "text",
    [
        b"t GETMETADATA x", b"t GETMETADATA x ()", b"t GETMETADATA x (/shared/a", b"t GETMETADATA x (SIZE 3) /shared/a",
        b"t GETMETADATA (MAXSIZE -1) x /shared/a", b"t GETMETADATA (DEPTH two) x /shared/a",
        b"t GETMETADATA x /shared/a*", b"t GETMETADATA x a", b"t SETMETADATA x (/shared NIL)",
        b"t SETMETADATA x /shared/a NIL", b"t SETMETADATA x (/shared/a)", b"t SETMETADATA x (/shared/a b)",
        b"t SETMETADATA x (/shared/a {1}\r\n\0)", b"t SETMETADATA x ()", b't SETMETADATA x ("/shared/\xc3\xa4" NIL)',
    ],
)  # fmt: skip
def test_what_is_none_of_it(text):
    with pytest.raises(BadSyntax):
        parse_command(text)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (r.metadata(b'""', [(C, b"a b")]), b'* METADATA "" (/shared/comment "a b")\r\n'),
        (
            r.metadata(b"x", [("/private/a b", None), (C, b"\r\n"), ("/shared/n", b"\0")]),
            b'* METADATA x ("/private/a b" NIL /shared/comment {2}\r\n\r\n /shared/n ~{1}\r\n\0)\r\n',
        ),
        (r.metadata_changed(b"x", [C, "/private/a b"]), b'* METADATA x /shared/comment "/private/a b"\r\n'),
        (response_codes.metadata_max_size(1024), b"METADATA MAXSIZE 1024"),
        (response_codes.metadata_long_entries(2199), b"METADATA LONGENTRIES 2199"),
    ],
)
def test_responses(octets, written):
    assert octets == written
