"""Every command's syntax, right and wrong; FETCH, SEARCH and others with much grammar have tables of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.wire.errors import ProtocolViolation
from twisted_mail_node.wire.imap import commands as c
from twisted_mail_node.wire.imap.enabled import Extension
from twisted_mail_node.wire.imap.grammar import PARSERS, UID_PARSERS, parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax, Impossible, UIDRequired
from twisted_mail_node.wire.imap.sequence import STAR, SequenceSet
from twisted_mail_node.wire.imap.states import RULES

ONE = SequenceSet(((1, 1),))
SOME = SequenceSet(((2, 4), (7, STAR)))
SEEN = Flags.from_names(["\\Seen"])

GOOD = [
    (b"t CAPABILITY", c.Capability(b"t")),
    (b"t capability", c.Capability(b"t")),
    (b"t NOOP", c.Noop(b"t")),
    (b"t LOGOUT", c.Logout(b"t")),
    (b"t STARTTLS", c.StartTLS(b"t")),
    (b"t NAMESPACE", c.Namespace(b"t")),
    (b"t IDLE", c.Idle(b"t")),
    (b"t CHECK", c.Check(b"t")),
    (b"t CLOSE", c.Close(b"t")),
    (b"t UNSELECT", c.Unselect(b"t")),
    (b"t EXPUNGE", c.Expunge(b"t")),
    (b"t UID EXPUNGE 2:4,7:*", c.Expunge(b"t", SOME)),
    (b"t uid expunge 1", c.Expunge(b"t", ONE)),
    (b"t ENABLE CONDSTORE x-good", c.Enable(b"t", ("CONDSTORE", "X-GOOD"))),
    (b"t SELECT inbox", c.Select(b"t", "INBOX")),
    (b"t SELECT x (CONDSTORE)", c.Select(b"t", "x", condstore=True)),
    (b"t EXAMINE x (qresync (1 2))", c.Select(b"t", "x", read_only=True, resync=c.Resync(1, 2))),
    (b"t SELECT x (CONDSTORE QRESYNC (1 1))", c.Select(b"t", "x", condstore=True, resync=c.Resync(1, 1))),
    (b"t SELECT x (QRESYNC (3 4 2,4:5))", c.Select(b"t", "x", resync=c.Resync(3, 4, SequenceSet(((2, 2), (4, 5)))))),
    (
        b"t SELECT x (QRESYNC (3 4 1:9 (1,3:5,9 2:3,7:8,30)))",
        c.Select(
            b"t",
            "x",
            resync=c.Resync(
                3, 4, SequenceSet(((1, 9),)), (((1, 1), (2, 2)), ((3, 3), (3, 3)), ((4, 5), (7, 8)), ((9, 9), (30, 30)))
            ),
        ),
    ),
    (b"t SELECT x (QRESYNC (3 4 (1:2 5:6)))", c.Select(b"t", "x", resync=c.Resync(3, 4, None, (((1, 2), (5, 6)),)))),
    (b'!#$&.-]~ SELECT "a \\"b\\" \\\\"', c.Select(b"!#$&.-]~", 'a "b" \\')),
    (b"t SELECT {5}\r\nab cd", c.Select(b"t", "ab cd")),
    (b"t SELECT {5+}\r\nab cd", c.Select(b"t", "ab cd")),
    (b"t SELECT Entw&APw-rfe", c.Select(b"t", "Entwürfe")),
    (b"t EXAMINE a]b", c.Select(b"t", "a]b", read_only=True)),
    (b't SELECT ""', c.Select(b"t", "")),
    (b"t DELETE x", c.Delete(b"t", "x")),
    (b"t RENAME x {1}\r\ny", c.Rename(b"t", "x", "y")),
    (b"t RENAME {1}\r\nx y", c.Rename(b"t", "x", "y")),
    (b"t SUBSCRIBE x", c.Subscribe(b"t", "x")),
    (b"t UNSUBSCRIBE x", c.Subscribe(b"t", "x", subscribed=False)),
    (b't LSUB "" *', c.Lsub(b"t", "", "*")),
    (b"t LOGIN joe secret", c.Login(b"t", "joe", "secret")),
    (b't LOGIN "joe" {7}\r\nse cr\r\n', c.Login(b"t", "joe", "se cr\r\n")),
    (b"t LOGIN {4}\r\n\xc3\xa4\xc3\xb6 x", c.Login(b"t", "äö", "x")),
    (b't LOGIN joe "\xc3\xa4\xc3\xb6"', c.Login(b"t", "joe", "äö")),
    (b"t LOGIN {1}\r\n\xff x", c.Login(b"t", "\ufffd", "x")),
    (b"t STATUS x (MESSAGES)", c.Status(b"t", "x", (c.StatusItem.MESSAGES,))),
    (b"t STATUS x (MESSAGES )", c.Status(b"t", "x", (c.StatusItem.MESSAGES,))),
    (b"t STATUS x (size)", c.Status(b"t", "x", (c.StatusItem.SIZE,))),
    (
        b"t STATUS x (uidnext RECENT UIDVALIDITY UNSEEN RECENT)",
        c.Status(
            b"t",
            "x",
            (c.StatusItem.UID_NEXT, c.StatusItem.RECENT, c.StatusItem.UID_VALIDITY, c.StatusItem.UNSEEN),
        ),
    ),
    (b"t COPY 1 x", c.Copy(b"t", ONE, "x")),
    (b"t UID COPY 2:4,7:* inbox", c.Copy(b"t", SOME, "INBOX", by_uid=True)),
    (b"t MOVE 1 x", c.Move(b"t", ONE, "x")),
    (b"t UID MOVE 1 x", c.Move(b"t", ONE, "x", by_uid=True)),
    (b"t STORE 1 FLAGS (\\Seen)", c.Store(b"t", ONE, FlagChange.REPLACE, SEEN)),
    (b"t STORE 1 flags ()", c.Store(b"t", ONE, FlagChange.REPLACE, Flags.from_names([]))),
    (b"t STORE 1 +FLAGS \\seen", c.Store(b"t", ONE, FlagChange.ADD, SEEN)),
    (b"t STORE 1 -FLAGS.silent (\\Seen)", c.Store(b"t", ONE, FlagChange.REMOVE, SEEN, silent=True)),
    (
        b"t UID STORE 1 +FLAGS.SILENT \\Seen $Junk",
        c.Store(b"t", ONE, FlagChange.ADD, Flags.from_names(["\\Seen", "$Junk"]), silent=True, by_uid=True),
    ),
    (
        b"t STORE 1 (UNCHANGEDSINCE 0) +FLAGS \\Seen",
        c.Store(b"t", ONE, FlagChange.ADD, SEEN, unchanged_since=0),
    ),
]


@pytest.mark.parametrize(("octets", "command"), GOOD, ids=[octets.decode("latin-1") for octets, _ in GOOD])
def test_well_formed_commands(octets, command):
    assert parse_command(octets) == command


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" ",
        b"t",
        b"t ",
        b" NOOP",
        b"+ NOOP",
        b"a+b NOOP",
        b"* NOOP",
        b"a(b NOOP",
        b'a"b NOOP',
        b"\xc3\xa4 NOOP",
        b"t" * 256 + b" NOOP",
        b"t  NOOP",
        b"t\tNOOP",
        b"t FROB",
        b"t NOOP ",
        b"t NOOP x",
        b"t NO\0OP",
        b"t NOOP\r",
        b"t NOOP\n",
        b"t UID",
        b"t UID ",
        b"t UID NOOP",
        b"t UID EXPUNGE",
        b"t UID EXPUNGE x",
        b"t EXPUNGE 1",
        b"t ENABLE",
        b"t ENABLE ",
        b"t ENABLE (x)",
        b"t SELECT",
        b"t SELECT ",
        b"t SELECT a b",
        b"t SELECT a*",
        b"t SELECT a%",
        b"t SELECT (a)",
        b"t SELECT x ()",
        b"t SELECT x (CONDSTORE",
        b"t SELECT x (CONDSTORE CONDSTORE)",
        b"t SELECT x (NOTHING)",
        b"t SELECT x (QRESYNC)",
        b"t SELECT x (QRESYNC 1 2)",
        b"t SELECT x (QRESYNC (1))",
        b"t SELECT x (QRESYNC (0 1))",
        b"t SELECT x (QRESYNC (1 0))",
        b"t SELECT x (QRESYNC (1 9223372036854775808))",
        b"t SELECT x (QRESYNC (1 1 1:*))",
        b"t SELECT x (QRESYNC (1 1 1 2))",
        b"t SELECT x (QRESYNC (1 1 1 (1:2 5)))",
        b"t SELECT x (QRESYNC (1 1 1 (2,1 5,6)))",
        b"t SELECT x (QRESYNC (1 1 1 (1,2 6,6)))",
        b"t SELECT x (QRESYNC (1 1 1 (1 *)))",
        b"t SELECT x (QRESYNC (1 1 1 (1 1) ))",
        b"t STORE 1 (UNCHANGEDSINCE) FLAGS ()",
        b"t STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 1) FLAGS ()",
        b"t STORE 1 (UNCHANGEDSINCE 1)FLAGS ()",
        b"t STORE 1 (SOMETHING 1) FLAGS ()",
        b't SELECT "a',
        b't SELECT "a\\b"',
        b't SELECT "a\r\nb"',
        b't SELECT "a\0"',
        b"t SELECT \xc3\xa4",
        b't SELECT "a"b',
        b"t SELECT {1}",
        b"t SELECT {2}\r\na",
        b"t SELECT {1}\r\n\0",
        b"t SELECT {-1}\r\na",
        b"t SELECT {99999999999}\r\na",
        b"t SELECT ~{1}\r\na",
        b"t EXAMINE",
        b"t DELETE",
        b"t RENAME x",
        b"t RENAME x ",
        b"t SUBSCRIBE",
        b"t UNSUBSCRIBE",
        b"t LSUB x",
        b't LSUB "" (x)',
        b"t LOGIN",
        b"t LOGIN joe",
        b"t LOGIN joe ",
        b"t LOGIN joe secret x",
        b"t STATUS x",
        b"t STATUS x ()",
        b"t STATUS x MESSAGES",
        b"t STATUS x (MESSAGES",
        b"t STATUS x (MESSAGES  )",
        b"t STATUS x ( MESSAGES)",
        b"t STATUS x (FROBS)",
        b"t COPY",
        b"t COPY 1",
        b"t COPY x y",
        b"t COPY 0 y",
        b"t COPY 01 y",
        b"t COPY 1, y",
        b"t COPY ,1 y",
        b"t COPY 1: y",
        b"t COPY :1 y",
        b"t COPY 1:2:3 y",
        b"t COPY 1** y",
        b"t COPY 4294967296 y",
        b"t COPY 99999999999 y",
        b"t COPY " + b"1," * 16_384 + b"1 y",
        b"t MOVE 1",
        b"t STORE 1",
        b"t STORE 1 FLAGS",
        b"t STORE 1 FLAGS ",
        b"t STORE 1 FLAG (\\Seen)",
        b"t STORE 1 FLAGS (\\Recent)",
        b"t STORE 1 FLAGS (\\Frob)",
        b"t STORE 1 FLAGS (\\Seen",
        b"t STORE 1 FLAGS (\\)",
        b"t STORE 1 FLAGS (a (b))",
        b"t STORE 1 FLAGS a*",
    ],
)
def test_malformed_commands(octets):
    with pytest.raises(BadSyntax):
        parse_command(octets)


@pytest.mark.parametrize("octets", [b"t SELECT a&b", b"t CREATE &AGE-", b"t SELECT {1}\r\n\xe4"])
def test_a_mailbox_name_that_is_no_text_cannot_be_used(octets):
    with pytest.raises(Impossible) as caught:
        parse_command(octets)
    assert caught.value.code == b"CANNOT"


def test_an_endless_list_is_refused():
    with pytest.raises(BadSyntax, match="list too long"):
        parse_command(b"t STATUS x (" + b"UNSEEN " * 20_000 + b"UNSEEN)")


@pytest.mark.parametrize("flags", [b"(" + b"a " * 128 + b"a)", b"k" * 256])
def test_keywords_are_bounded(flags):
    with pytest.raises(Impossible) as caught:
        parse_command(b"t STORE 1 FLAGS " + flags)
    assert caught.value.code == b"LIMIT"


def test_passwords_are_not_shown():
    assert "secret" not in repr(parse_command(b"t LOGIN joe secret"))
    assert "AGpvZQ" not in repr(parse_command(b"t AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ="))


def test_every_command_has_a_rule_for_its_states():
    assert set(PARSERS) == set(RULES)
    assert set(UID_PARSERS) <= set(RULES)


WORDS = st.sampled_from(
    [
        *PARSERS,
        b"UID",
        b"1:*",
        b"(",
        b")",
        b"BODY[",
        b"]",
        b"<0.1>",
        b'"x"',
        b"{1}\r\nx",
        b"NOT",
        b"OR",
        b"*",
        b"\\Seen",
    ]
)


@given(st.lists(WORDS | st.binary(max_size=6), max_size=12), st.sampled_from([b" ", b""]))
def test_garbage_is_only_ever_refused(words, between):
    try:
        command = parse_command(b"t " + between.join(words))
    except ProtocolViolation:
        return
    assert command.tag == b"t"


@pytest.mark.parametrize(
    "octets",
    [
        b"t FETCH 1 FLAGS",
        b"t STORE 1 FLAGS ()",
        b"t COPY 1 x",
        b"t MOVE 1 x",
        b"t SEARCH ALL",
        b"t FETCH $ FLAGS",
        b"t UID SEARCH 1",
        b"t UID SEARCH OR UNSEEN (NOT *)",
        b"t SELECT x (QRESYNC (1 1 1 (1 1)))",
    ],
)
def test_whoever_gave_up_numbers_may_not_use_them(octets):
    parse_command(octets)
    with pytest.raises(UIDRequired) as refused:
        parse_command(octets, {Extension.UIDONLY})
    assert refused.value.code == b"UIDREQUIRED"


@pytest.mark.parametrize(
    "octets", [b"t UID FETCH $ FLAGS", b"t UID SEARCH UID 1:*", b"t UID SEARCH $", b"t SELECT x (QRESYNC (1 1 1))"]
)
def test_and_may_do_all_the_rest(octets):
    assert parse_command(octets, {Extension.UIDONLY}) == parse_command(octets)
