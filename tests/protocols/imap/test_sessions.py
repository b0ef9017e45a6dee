"""Sessions under strain: large messages, slow readers, failures, leaving; and many at once on one mailbox."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import fail, succeed

from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.imap import reading
from twisted_mail_node.store.memory.doors import MemoryMailbox
from twisted_mail_node.store.sql import SQLiteStore

SMALL = b"From: a@b.test\r\nSubject: small\r\n\r\nhello\r\n"
TEXT = "日本語のとても長い本文。\r\n".encode() * 20_000
LARGE = (
    b"From: a@b.test\r\nSubject: large\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + TEXT
    + b"the needle\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: deep\r\n\r\nin\r\n--x--\r\n"
)


def literal(octets):
    return b"{%d}\r\n%b" % (len(octets), octets)


# -- large messages ------------------------------------------------------------------------------------------------


@pytest.fixture
def large(server):
    line = server.logged_in()
    line.ask("APPEND INBOX", LARGE)
    line.ask("APPEND INBOX", SMALL)
    line.ask("SELECT INBOX")
    return line


def test_a_large_message_comes_back_as_it_was_sent(large):
    assert large.ask("FETCH 1:2 (UID BODY.PEEK[])") == (
        b"* 1 FETCH (UID 1 BODY[] %b)\r\n* 2 FETCH (UID 2 BODY[] %b)\r\n" % (literal(LARGE), literal(SMALL))
    )


@pytest.mark.parametrize("filling", [b"", b"x" * 300_000])
def test_no_literal_has_a_nul(server, filling):
    message = b"Subject: a\0b\r\n\r\nc\0d" + filling
    server.deliver(message)
    line = server.selected()
    told = line.ask("FETCH 1 (RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT]<1.2> ENVELOPE)")
    assert b"\0" not in told
    assert b"RFC822.SIZE %d BODY[] %b" % (len(message), literal(message.replace(b"\0", b"\x80"))) in told
    assert b"BODY[TEXT]<1> {2}\r\n\x80d" in told


def test_parts_of_messages_that_are_looked_through_in_turns(server):
    text = TEXT[:30_000]
    middle = LARGE.replace(TEXT, text)
    server.deliver(middle, SMALL, middle)
    line = server.selected()
    part = b"BODY[1] %b BODY[2.1] {2}\r\nin" % literal(text + b"the needle")
    assert line.ask("FETCH 1:3 (BODY.PEEK[1] BODY.PEEK[2.1])") == (
        b"* 1 FETCH (%b)\r\n* 2 FETCH (BODY[1] {7}\r\nhello\r\n BODY[2.1] NIL)\r\n* 3 FETCH (%b)\r\n" % (part, part)
    )
    assert b'"8bit" %d ' % (30_000 + 10) in line.ask("FETCH 1 BODYSTRUCTURE")
    assert line.ask("SEARCH BODY needle") == b"* SEARCH 1 3\r\n"


def test_parts_of_a_large_message(large):
    assert large.ask("FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.HEADER.FIELDS (SUBJECT)] BODY.PEEK[2.1] BODY.PEEK[3])") == (
        b"* 1 FETCH (BODY[1] %b BODY[2.HEADER.FIELDS (SUBJECT)] %b BODY[2.1] {2}\r\nin BODY[3] NIL)\r\n"
        % (literal(TEXT + b"the needle"), literal(b"Subject: deep\r\n\r\n"))
    )
    assert large.ask("FETCH 1 BODY.PEEK[TEXT]<5.20>") == b"* 1 FETCH (BODY[TEXT]<5> %b)\r\n" % literal(
        LARGE[LARGE.index(b"--x") :][5:25]
    )


def test_the_structure_of_a_large_message_is_found_and_kept(large, server, resolved):
    told = large.ask("FETCH 1:2 BODYSTRUCTURE")
    assert b'"8bit" %d 20000' % (len(TEXT) + 10) in told
    columns = resolved(server.mailbox().fetch(UIDSet.of([1, 2]), reading.FetchItem.BODY_STRUCTURE))
    assert None not in columns.body_structures
    assert large.ask("FETCH 1:2 BODYSTRUCTURE") == told


def test_large_messages_are_searched(large):
    assert large.ask("SEARCH BODY needle") == b"* SEARCH 1\r\n"
    assert large.ask("SEARCH BODY nothing") == b"* SEARCH\r\n"
    assert large.ask("SEARCH TEXT deep") == b"* SEARCH 1\r\n"
    assert large.ask("SEARCH TEXT small") == b"* SEARCH 2\r\n"
    assert large.ask("SEARCH CHARSET UTF-8 BODY", "日本語の".encode()) == b"* SEARCH 1\r\n"


def test_reading_a_large_message_sets_seen(large):
    assert large.ask("FETCH 1 (BODY[]<0.1>)").endswith(b"* 1 FETCH (FLAGS (\\Recent \\Seen))\r\n")


def test_a_large_message_with_bare_line_feeds_is_made_right(server):
    line = server.logged_in()
    line.ask("APPEND INBOX", LARGE.replace(b"\r\n", b"\n"))
    line.ask("SELECT INBOX")
    assert line.ask("FETCH 1 RFC822.SIZE") == b"* 1 FETCH (RFC822.SIZE %d)\r\n" % len(LARGE)


def test_a_carriage_return_at_the_end_of_a_piece_is_no_bare_one(server):
    line = server.logged_in()
    message = b"A: b\r\n\r\none\ntwo\r\nthree\n"
    line.feed(b"x APPEND INBOX {%d}\r\n" % len(message))
    line.take()
    for octet in message:
        line.feed(bytes([octet]))
    assert b"x OK" in line.say(b"\r\n")
    line.ask("SELECT INBOX")
    assert literal(b"A: b\r\n\r\none\r\ntwo\r\nthree\r\n") in line.ask("FETCH 1 BODY[]")


def test_a_client_that_leaves_in_the_middle_of_append_leaves_nothing(server, resolved):
    line = server.logged_in()
    line.feed(b"x APPEND INBOX {%d}\r\n" % len(LARGE))
    line.feed(LARGE[:-5])
    line.drop()
    assert not resolved(server.mailbox().uids())


# -- many changes at once ---------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(server, resolved):
    """A mailbox of 4,096 messages."""
    server.deliver(SMALL)
    for _ in range(12):
        mailbox = server.mailbox()
        resolved(mailbox.copy(resolved(mailbox.uids()), "INBOX"))
    return server


def taken_slowly(server, line):
    """What a client hears that takes a piece at a time."""
    heard = b""
    for _ in range(300):
        server.advance(0)
        piece = line.take()
        assert len(piece) < 100_000
        heard += piece
        line.transport.producer.resumeProducing()
    return heard


def test_many_changes_are_told_to_an_idling_client_as_it_takes_them(crowd):
    reader, writer = crowd.selected(), crowd.selected()
    reader.feed(b"i IDLE\r\n")
    reader.take()
    reader.transport.full_at = 1
    writer.ask("STORE 1:* +FLAGS.SILENT (\\Deleted $New)")
    heard = taken_slowly(crowd, reader)
    assert heard.startswith(b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $New)\r\n")
    assert heard.count(b"FETCH (UID") == 4096
    writer.ask("EXPUNGE")
    assert taken_slowly(crowd, reader).count(b"EXPUNGE\r\n") == 4096
    reader.transport.full_at = None
    assert reader.say(b"DONE\r\n") == b"i OK no longer idle\r\n"


def test_many_changes_are_told_at_the_end_of_a_command_as_the_client_takes_them(crowd):
    reader, writer = crowd.selected(), crowd.selected()
    writer.ask("STORE 1:* +FLAGS.SILENT (\\Flagged)")
    reader.transport.full_at = 1
    reader.feed(b"n NOOP\r\nm NOOP\r\n")
    heard = taken_slowly(crowd, reader)
    assert heard.count(b"FETCH (UID") == 4096
    assert heard.endswith(b"n OK done\r\nm OK done\r\n")


def test_answers_of_many_numbers_are_whole(crowd):
    line = crowd.selected()
    expected = b"* SEARCH" + b"".join(b" %d" % n for n in range(1, 4097)) + b"\r\n"
    assert line.ask("SEARCH ALL") == expected
    assert line.ask("UID SEARCH LARGER 1") == expected
    every_third = ",".join(str(n) for n in range(1, 4097, 3))
    untagged = line.ask(f"STORE {every_third} +FLAGS (\\Seen)")
    assert untagged.count(b"\\Seen") == 1366
    assert line.ask("SEARCH SEEN") == b"* SEARCH " + every_third.replace(",", " ").encode() + b"\r\n"
    status, _ = line.try_(f"UID COPY {every_third} Sent")
    assert re.fullmatch(rb"OK \[COPYUID \d+ %b 1:1366\] copied\r\n" % every_third.encode(), status)


def test_a_message_has_so_many_keywords_and_no_more(server):
    server.deliver(SMALL)
    line = server.selected()
    line.ask("STORE 1 +FLAGS.SILENT ({})".format(" ".join(f"a{n}" for n in range(100))))
    status, _ = line.try_("STORE 1 +FLAGS.SILENT ({})".format(" ".join(f"b{n}" for n in range(100))))
    assert status == b"NO [CANNOT] a message has 128 keywords at most\r\n"
    assert line.ask("SEARCH KEYWORD a99") == b"* SEARCH 1\r\n"
    assert line.ask("SEARCH KEYWORD b0") == b"* SEARCH\r\n"


# -- backpressure ---------------------------------------------------------------------------------------------------


def test_a_peer_that_reads_nothing_is_sent_little_and_then_cut_off(large, server):
    large.transport.full_at = 1
    large.feed(b"x FETCH 1 BODY.PEEK[]\r\n")
    for _ in range(50):
        server.advance(0)
    assert len(large.transport.value()) < 300_000
    assert len(large.transport.value()) < len(LARGE)
    server.advance(301)
    assert large.transport.aborted


def test_a_slow_reader_gets_it_all_in_the_end(large, server):
    large.transport.full_at = 1
    large.feed(b"x FETCH 1 BODY.PEEK[]\r\n")
    heard = b""
    for _ in range(1000):
        heard += large.take()
        if heard.endswith(b"x OK done\r\n"):
            break
        large.transport.producer.resumeProducing()
        server.advance(0)
    assert heard == b"* 1 FETCH (BODY[] %b)\r\nx OK done\r\n" % literal(LARGE)


def test_a_flood_of_commands_is_not_read_while_one_is_answered(large, server):
    large.transport.full_at = 1
    large.feed(b"x FETCH 1 BODY.PEEK[]\r\n")
    large.feed(b"y NOOP\r\n" * 10_000)
    assert large.transport.producerState == "paused"


def test_a_peer_that_leaves_while_it_is_answered_is_forgotten(large, server):
    large.transport.full_at = 1
    large.feed(b"x FETCH 1 BODY.PEEK[]\r\n")
    large.drop()
    server.advance(10_000)
    assert server.factory.session_count == 0
    assert not server.clock.getDelayedCalls()


# -- failures -------------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch):
    """Let a method of mailboxes fail."""

    def make(name, error):
        monkeypatch.setattr(MemoryMailbox, name, lambda self, *args, **kwargs: fail(error))

    return make


@pytest.mark.parametrize(
    ("method", "command"),
    [
        ("fetch", "FETCH 1 FLAGS"),
        ("fetch", "SEARCH SEEN"),
        ("store_flags", "STORE 1 FLAGS ()"),
        ("copy", "COPY 1 Sent"),
        ("move", "MOVE 1 Sent"),
        ("expunge", "EXPUNGE"),
        ("status", "STATUS INBOX (MESSAGES)"),
        ("uids", "SELECT INBOX"),
    ],
)
def test_what_fails_for_now_is_unavailable(server, broken, method, command):
    server.deliver(SMALL)
    line = server.selected()
    broken(method, TemporaryFailure("the disk is full"))
    status, _ = line.try_(command)
    assert status == b"NO [UNAVAILABLE] the disk is full\r\n"


def test_a_bug_is_logged_and_answered_as_temporary(server, broken, logged_failures):
    server.deliver(SMALL)
    line = server.selected()
    broken("store_flags", RuntimeError("secret"))
    status, _ = line.try_("STORE 1 FLAGS ()")
    assert status.startswith(b"NO [UNAVAILABLE]")
    assert b"secret" not in status
    assert logged_failures.pop().check(RuntimeError)
    assert line.ask("NOOP") == b""


def test_news_that_cannot_be_had_do_not_spoil_the_command(server, broken, monkeypatch):
    line = server.selected()
    with monkeypatch.context() as patch:
        patch.setattr(MemoryMailbox, "changes", lambda self, since: fail(TemporaryFailure("not now")))
        assert line.ask("NOOP") == b""
    server.deliver(SMALL)
    server.advance(0)
    assert b"* 1 EXISTS" in line.ask("NOOP")


class BreakingOff:
    """An opened body of which only the beginning can be read."""

    size = len(LARGE)

    def read(self, offset, length):
        return fail(TemporaryFailure("the disk is gone")) if offset else succeed(LARGE[:1000])

    def close(self):
        pass


def test_a_message_that_breaks_off_cuts_the_connection(large, monkeypatch, logged_failures):
    # Half a literal cannot be taken back. Without UTF-8 the message would be looked through before.
    large.ask("ENABLE UTF8=ACCEPT")
    monkeypatch.setattr(MemoryMailbox, "open_body", lambda self, uid: succeed(BreakingOff()))
    large.feed(b"x FETCH 1 BODY.PEEK[]\r\n")
    assert large.transport.aborted
    assert large.closed
    assert logged_failures.pop().check(TemporaryFailure)


def test_a_staged_message_that_cannot_be_kept_is_refused(server, monkeypatch):
    line = server.logged_in()
    monkeypatch.setattr(server.store, "stage_body", FullDisk)
    status, _ = line.try_("APPEND INBOX", LARGE)
    assert status == b"NO [UNAVAILABLE] the disk is full\r\n"
    assert line.ask("STATUS INBOX (MESSAGES)") == b"* STATUS INBOX (MESSAGES 0)\r\n"


class FullDisk:
    """A writer of large bodies that takes nothing."""

    def write(self, data):
        return fail(TemporaryFailure("the disk is full"))

    def abort(self):
        pass


def test_a_mailbox_that_goes_while_its_message_comes_is_to_be_made_again(server, resolved):
    line = server.logged_in()
    line.say(b"x APPEND Sent {4}\r\n")
    resolved(resolved(server.store.account("joe@example.test")).delete("Sent"))
    assert line.say(b"a: b\r\n").startswith(b"x NO [TRYCREATE]")


def test_closing_a_mailbox_that_is_gone_is_no_mistake(server, resolved):
    line = server.selected("Sent")
    resolved(resolved(server.store.account("joe@example.test")).delete("Sent"))
    assert line.ask("CLOSE") == b""


def test_a_bug_while_news_are_told_is_logged_and_the_session_goes_on(server, broken, logged_failures):
    line = server.selected()
    line.say(b"i IDLE\r\n")
    broken("changes", RuntimeError("bug"))
    server.deliver(SMALL)
    server.advance(0)
    assert logged_failures.pop().check(RuntimeError)
    assert not line.closed


def test_a_bug_between_commands_ends_the_connection(server, monkeypatch, logged_failures):
    line = server.logged_in()
    line.say(b"x APPEND Sent {4}\r\n")
    monkeypatch.setattr("twisted_mail_node.protocols.imap.incoming.IncomingBody.feed", lambda self, data: 1 / 0)
    assert line.say(b"a: b").startswith(b"* BYE [UNAVAILABLE]")
    assert line.closed
    assert logged_failures.pop().check(ZeroDivisionError)


def test_long_work_lets_others_have_their_turn(server, monkeypatch):
    server.deliver(*[SMALL] * 20)
    line = server.selected()
    monkeypatch.setattr("twisted_mail_node.protocols.imap.session.SLICE_SECONDS", -1.0)
    for command in (
        b"SEARCH BODY hello",
        b"FETCH 1:* BODYSTRUCTURE",
        b"FETCH 1:* BODY.PEEK[1]",
        b"STORE 1:* FLAGS (a)",
    ):
        heard, turns = line.say(b"x " + command + b"\r\n"), 0
        while not heard.endswith(b"\r\nx OK done\r\n") and not heard.endswith(b"\r\nx OK stored\r\n"):
            server.advance(0)
            heard += line.take()
            turns += 1
        assert turns


def test_a_message_expunged_long_ago_is_gone_at_last(server, resolved):
    server.deliver(SMALL, SMALL)
    line = server.selected()
    resolved(server.mailbox().expunge(UIDSet.of([1]), only_deleted=False))
    for _ in range(4):
        assert line.ask("FETCH 1:2 UID") == b"* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n"
        server.advance(1000)
    status, told = line.try_("FETCH 1:2 UID")
    assert status.startswith(b"NO [EXPUNGEISSUED]")
    assert told == b"* 2 FETCH (UID 2)\r\n"
    assert line.ask("UID FETCH 1:2 UID") == b"* 2 FETCH (UID 2)\r\n* 1 EXPUNGE\r\n* 1 RECENT\r\n"


# -- ends -----------------------------------------------------------------------------------------------------------


def test_closing_all_says_good_bye(server, resolved):
    first, second = server.selected(), server("2")
    first.feed(b"i IDLE\r\n")
    first.take()
    second.take()
    closing = server.factory.close_all()
    assert first.take().startswith(b"* BYE [UNAVAILABLE]")
    assert second.take().startswith(b"* BYE [UNAVAILABLE]")
    assert first.closed
    assert second.closed
    resolved(closing)
    assert not server.clock.getDelayedCalls()


def test_sessions_of_a_removed_account_end(server, resolved):
    line = server.selected()
    resolved(server.store.remove_account("joe@example.test"))
    server.advance(0)
    assert line.take().startswith(b"* BYE")
    assert line.closed


def test_a_session_that_is_gone_leaves_no_timer_and_no_watch(server):
    line = server.selected()
    line.feed(b"i IDLE\r\n")
    server.deliver(SMALL)
    line.drop()
    server.advance(0)
    server.deliver(SMALL)
    assert not server.clock.getDelayedCalls()


def test_closing_what_was_only_examined_expunges_nothing(server):
    server.deliver(SMALL, SMALL)
    line = server.selected()
    line.ask("STORE 1 +FLAGS (\\Deleted)")
    line.ask("EXAMINE INBOX")
    line.ask("CLOSE")
    assert list(server.result_of(server.mailbox().uids())) == [1, 2]
    line.ask("SELECT INBOX")
    line.ask("CLOSE")
    assert list(server.result_of(server.mailbox().uids())) == [2]


# -- idling ---------------------------------------------------------------------------------------------------------


def test_news_reach_an_idling_session_in_the_next_turn(server):
    line = server.selected()
    line.say(b"i IDLE\r\n")
    server.deliver(SMALL)
    server.advance(0)
    assert line.take() == b"* 1 EXISTS\r\n* 1 RECENT\r\n"
    assert line.say(b"DONE\r\n") == b"i OK no longer idle\r\n"


def test_news_between_idle_and_done_in_one_packet_come_once(server):
    line = server.selected()
    server.deliver(SMALL)
    heard = line.say(b"i IDLE\r\nDONE\r\nn NOOP\r\n")
    assert heard == b"+ idling\r\n* 1 EXISTS\r\n* 1 RECENT\r\ni OK no longer idle\r\nn OK done\r\n"


def test_a_peer_that_reads_nothing_while_it_idles_is_told_little(server):
    line = server.selected()
    line.say(b"i IDLE\r\n")
    line.transport.full_at = 1
    for _ in range(20):
        server.deliver(SMALL)
        server.advance(0)
    assert line.take() == b"* 1 EXISTS\r\n* 1 RECENT\r\n"
    line.transport.full_at = None
    line.transport.producer.resumeProducing()
    server.advance(0)
    assert line.take() == b"* 20 EXISTS\r\n* 20 RECENT\r\n"


def idle(server, line):
    heard = line.say(b"i IDLE\r\n")
    while b"+ idling" not in heard:
        server.advance(0)
        heard += line.take()


def test_done_waits_for_news_that_are_being_read(server_of, tmp_path):
    server = server_of(lambda reactor: SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor))
    line = server.selected()
    idle(server, line)
    server.deliver(SMALL)
    server.clock.advance(0)  # the notice comes, and a thread begins to read
    line.feed(b"DONE\r\n")
    heard = b""
    for _ in range(200):
        heard += line.take()
        if b"i OK" in heard:
            break
        server.advance(0)
    assert heard == b"* 1 EXISTS\r\n* 1 RECENT\r\ni OK no longer idle\r\n"
    server.stop()


def test_a_client_that_leaves_while_news_are_read_is_forgotten(server_of, tmp_path):
    server = server_of(lambda reactor: SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor))
    line = server.selected()
    idle(server, line)
    server.deliver(SMALL)
    server.clock.advance(0)
    line.drop()
    server.advance(0)
    assert server.factory.session_count == 0
    assert not server.store._watches.is_watched("joe@example.test")
    server.stop()


# -- a property: three sessions on one mailbox ------------------------------------------------------------------------


class Client:
    """Counts along, from untagged answers alone."""

    def __init__(self, server):
        self.line = server.logged_in()
        self.uids: list[int | None] = []
        self.flags: dict[int, bytes] = {}
        self.recent = 0
        self.hear(self.line.ask("SELECT INBOX"), may_expunge=False)

    def do(self, command, may_expunge):
        status, untagged = self.line.try_(command)
        self.hear(untagged, may_expunge)
        return status

    def hear(self, untagged, may_expunge):
        for told in untagged.split(b"\r\n"):
            match = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)", told)
            if not match:
                continue
            number = int(match[1])
            if match[2] == b"EXISTS":
                assert number >= len(self.uids)
                self.uids += [None] * (number - len(self.uids))
            elif match[2] == b"EXPUNGE":
                assert may_expunge, told
                del self.uids[number - 1]
            elif match[2] == b"RECENT":
                self.recent = number
            elif uid := re.search(rb"UID (\d+)", told):
                assert self.uids[number - 1] in (None, int(uid[1])), (told, self.uids)
                self.uids[number - 1] = int(uid[1])
                if flags := re.search(rb"FLAGS \(([^)]*)\)", told):
                    self.flags[int(uid[1])] = flags[1]


COMMANDS = [
    ("NOOP", True),
    ("FETCH 1:* (UID FLAGS)", False),
    ("UID FETCH 1:* (FLAGS)", True),
    ("STORE 1 +FLAGS (\\Deleted)", False),
    ("STORE 2:* -FLAGS (\\Seen)", False),
    ("STORE 1:* FLAGS.SILENT (\\Seen \\Deleted)", False),
    ("UID STORE 1:3 +FLAGS (\\Flagged)", True),
    ("EXPUNGE", True),
    ("UID EXPUNGE 2:4", True),
    ("COPY * INBOX", True),
    ("UID MOVE 1:2 Sent", True),
    ("MOVE 1 INBOX", True),
    ("SEARCH ALL", False),
    ("UID SEARCH DELETED", True),
    ("APPEND INBOX {4+}\r\na\r\n\r\n", True),
    ("FETCH 1 BODY[]", False),
    ("CHECK", True),
]
steps = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(range(len(COMMANDS))), st.booleans()), max_size=40)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 4))
def test_whoever_counts_along_agrees_with_the_server(server_of, resolved, script, start):
    server = server_of()
    server.deliver(*[SMALL] * start)
    clients = [Client(server) for _ in range(3)]
    for who, what, turn in script:
        clients[who].do(*COMMANDS[what])
        if turn:
            server.advance(0)
    recent = set()
    columns = resolved(server.mailbox().fetch(resolved(server.mailbox().uids()), reading.FetchItem.FLAGS))
    for client in clients:
        client.do("NOOP", may_expunge=True)
        assert len(client.uids) == len(columns.uids)
        told = client.line.ask("FETCH 1:* (UID FLAGS)") if columns.uids else b""
        client.hear(told, may_expunge=False)
        assert client.uids == list(columns.uids)
        mine = {uid for uid in client.uids if b"\\Recent" in client.flags[uid]}
        assert len(mine) == client.recent
        assert not mine & recent  # recent in one session only
        recent |= mine


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300) | st.text('a1 {}()"\r\n*+%FETCHSELCTIDLDON', max_size=120).map(str.encode), st.booleans()
)
def test_garbage_is_refused_and_the_next_connection_is_served(server_of, garbage, logged_in):
    server = server_of(mistake_limit=1000)
    line = server.selected() if logged_in else server("1")
    line.feed(garbage)
    line.feed(b"\r\nz LOGOUT\r\n")
    assert server.selected().ask("NOOP") == b""
    line.drop()
