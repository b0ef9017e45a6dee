"""Sessions under strain: failures, absent peers, backpressure, hostile input, any cutting."""

from __future__ import annotations

import itertools
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, fail, succeed

from twisted_mail_node.mail.errors import NoSuchMailbox, TemporaryFailure
from twisted_mail_node.protocols.pop3.retrieval import PIECE_OCTETS
from twisted_mail_node.protocols.pop3.snapshot import SLICE_ROWS
from twisted_mail_node.store.memory.content import OpenBody
from twisted_mail_node.store.memory.doors import MemoryMailbox

MAIL = b"Subject: one\r\n\r\nfirst\r\n.dot\r\n"
LARGE = b"Subject: large\r\n\r\n" + b".0123456789abcdef0123456789abcdef0123456789abcdef\r\n" * 20_000
GREETING = b"+OK mx.example.test POP3 ready\r\n"


def unstuffed(reply):
    """The content of a multi-line reply."""
    head, _, rest = reply.partition(b"\r\n")
    assert head.startswith(b"+OK"), head
    assert rest.endswith(b"\r\n.\r\n")
    return b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n" for line in rest[:-5].split(b"\r\n"))


def never(*arguments, **options):
    return Deferred()


# -- order and pieces ---------------------------------------------------------------------------------------------


def test_everything_may_come_in_one_packet(server):
    server.deliver(MAIL, MAIL)
    line = server("1")
    said = line.say(b"CAPA\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\nSTAT\r\n")
    retrieved = b"+OK 29 octets\r\nSubject: one\r\n\r\nfirst\r\n..dot\r\n.\r\n"
    assert said.endswith(b"+OK 2 58\r\n" + retrieved + retrieved + b"+OK marked\r\n+OK bye\r\n")
    assert line.closed
    assert server.uids() == [2]


def test_answers_keep_their_order_while_one_is_late(server, monkeypatch):
    server.deliver(MAIL)
    line = server.logged_in()
    late, fetch = Deferred(), MemoryMailbox.fetch
    monkeypatch.setattr(
        MemoryMailbox, "fetch", lambda self, uids, items: late.addCallback(lambda _: fetch(self, uids, items))
    )
    assert line.say(b"STAT\r\nRETR 1\r\nNOOP\r\nSTAT\r\n") == b"+OK 1 29\r\n"
    late.callback(None)
    assert line.take() == b"+OK 29 octets\r\nSubject: one\r\n\r\nfirst\r\n..dot\r\n.\r\n+OK\r\n+OK 1 29\r\n"


SCRIPT = (
    b"CAPA\r\nLANG\r\nLANG ja\r\nNOOP\r\nLANG en\r\nUTF8\r\nSTLS\r\nAPOP joe x\r\n"
    b"USER joe\r\nAUTH PLAIN\r\n*\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nTOP 1 1\r\nRETR 2\r\n"
    b"RETR 3\r\nDELE 1\r\nLIST\r\nRSET\r\nLIST 3\r\nUIDL 77\r\nx\r\nDELE 2\r\nQUIT\r\n"
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(SCRIPT)), max_size=10))
def test_any_cutting_gives_the_same_output(server_of, cuts):
    outputs = []
    for edges in ([0, len(SCRIPT)], [0, *sorted(cuts), len(SCRIPT)]):
        server = server_of()
        server.deliver(MAIL, MAIL)
        server.deliver_large(LARGE[:300_000])
        line = server("1")
        outputs.append(b"".join(line.say(SCRIPT[a:b]) for a, b in itertools.pairwise(edges)))
        assert server.uids() == [1, 3]
    assert outputs[0] == outputs[1]


WORDS = [
    b"UTF8",
    b"LANG ",
    b"de",
    b"APOP joe ",
    b"USER joe",
    b"PASS secret",
    b"AUTH PLAIN",
    b"LIST",
    b"RETR ",
    b"TOP 1 ",
    b"DELE 1",
    b"QUIT",
    b"\r\n",
    b"\n",
    b"\0",
]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=10)), max_size=30))
def test_garbage_is_refused_and_the_next_connection_is_served(server_of, pieces):
    server = server_of()
    server.deliver(MAIL)
    line = server("1")
    said = b"".join(line.say(piece) for piece in pieces)
    assert all(reply[:1] in b"+-" or b"+OK" in said for reply in said.split(b"\r\n") if reply)
    line.drop()
    assert server("2").say(b"USER joe\r\nPASS secret\r\nSTAT\r\n").split(b"\r\n")[2].startswith(b"+OK")


def test_headers_in_a_row_are_read_ahead(server, monkeypatch):
    server.deliver(*[b"Subject: %d\r\n\r\nx\r\n" % number for number in range(1, 22)])
    line = server.logged_in()
    fetch, asked = MemoryMailbox.fetch, []
    monkeypatch.setattr(
        MemoryMailbox, "fetch", lambda self, uids, items: asked.append(len(uids)) or fetch(self, uids, items)
    )
    for number in range(1, 22):
        said = line.say(b"TOP %d 0\r\n" % number)
        assert said == b"+OK top of message follows\r\nSubject: %d\r\n\r\n.\r\n" % number
    assert asked == [1, 4, 16]


# -- large messages -----------------------------------------------------------------------------------------------


def test_large_message_comes_octet_for_octet(server):
    server.deliver_large(LARGE)
    line = server.logged_in()
    reply = line.say(b"RETR 1\r\n")
    assert reply.startswith(b"+OK %d octets\r\n" % len(LARGE))
    assert unstuffed(reply) == LARGE
    assert line.say(b"STAT\r\n") == b"+OK 1 %d\r\n" % len(LARGE)


def test_top_of_a_large_message_reads_no_more_than_it_needs(server, monkeypatch):
    server.deliver_large(LARGE)
    line = server.logged_in()
    read, reads = OpenBody.read, []
    monkeypatch.setattr(
        OpenBody, "read", lambda self, offset, length: reads.append(offset) or read(self, offset, length)
    )
    assert unstuffed(line.say(b"TOP 1 3\r\n")) == b"\r\n".join(LARGE.split(b"\r\n")[:5]) + b"\r\n"
    assert reads == [0]
    assert unstuffed(line.say(b"TOP 1 100000\r\n")) == LARGE
    assert line.say(b"TOP 1 0\r\n") == b"+OK top of message follows\r\nSubject: large\r\n\r\n.\r\n"


def test_peer_that_reads_nothing_stops_the_stream_and_is_cut_off(server):
    server.deliver_large(LARGE)
    line = server.logged_in()
    line.transport.full_at = 1
    line.feed(b"RETR 1\r\nRETR 1\r\nRETR 1\r\n")
    assert len(line.transport.value()) < 3 * PIECE_OCTETS
    line.feed(b"NOOP\r\n" * 30_000)
    assert line.transport.producerState == "paused"
    assert len(line.transport.value()) < 3 * PIECE_OCTETS
    server.advance(301)
    assert line.transport.aborted
    line.drop()
    assert server.logged_in().say(b"STAT\r\n").startswith(b"+OK 1 ")


def test_slow_peer_gets_all_of_it_in_slices(server):
    server.deliver_large(LARGE)
    line = server.logged_in()
    line.transport.full_at = 1
    line.feed(b"RETR 1\r\n")
    heard = b""
    for _ in range(100):
        heard += line.take()
        line.protocol._session.driver.resumeProducing()
    heard += line.take()
    assert unstuffed(heard) == LARGE


def test_pipelined_retrievals_stop_when_the_peer_reads_nothing(server):
    server.deliver(*[b"S: x\r\n\r\n" + b"y" * 60_000 + b"\r\n"] * 30)
    line = server.logged_in()
    line.transport.full_at = 64 * 1024
    line.feed(b"".join(b"RETR %d\r\n" % number for number in range(1, 31)))
    assert len(line.transport.value()) < 400_000


def test_message_that_ends_early_cuts_the_connection(server, monkeypatch, logged_failures):
    server.deliver_large(LARGE)
    line = server.logged_in()
    answers = [succeed(LARGE[:1000]), succeed(b"")]
    monkeypatch.setattr(OpenBody, "read", lambda self, offset, length: answers.pop(0))
    assert not line.say(b"RETR 1\r\n").endswith(b".\r\n")
    assert line.transport.aborted
    assert not logged_failures


def test_stream_that_breaks_by_a_bug_cuts_the_connection(server, monkeypatch, logged_failures):
    server.deliver_large(LARGE)
    line = server.logged_in()
    monkeypatch.setattr(OpenBody, "read", lambda self, offset, length: fail(KeyError("bug")))
    line.feed(b"RETR 1\r\n")
    assert line.transport.aborted
    assert logged_failures.pop().check(KeyError)


# -- others at the mailbox ----------------------------------------------------------------------------------------


def test_message_expunged_by_others_is_readable_for_a_while_and_keeps_its_number(server):
    server.deliver(MAIL, b"Subject: two\r\n\r\n2\r\n", b"Subject: three\r\n\r\n3\r\n")
    line = server.logged_in()
    server.expunge(2)
    assert unstuffed(line.say(b"RETR 2\r\n")) == b"Subject: two\r\n\r\n2\r\n"
    for _ in range(13):
        server.advance(300)
        line.say(b"NOOP\r\n")
    assert line.say(b"RETR 2\r\n") == b"-ERR no such message any more\r\n"
    assert line.say(b"UIDL 2\r\n") == b"-ERR no such message any more\r\n"
    assert line.say(b"UIDL\r\n").count(b"\r\n") == 4
    assert unstuffed(line.say(b"RETR 3\r\n")) == b"Subject: three\r\n\r\n3\r\n"
    assert line.say(b"DELE 2\r\nDELE 3\r\nQUIT\r\n") == b"+OK marked\r\n+OK marked\r\n+OK bye\r\n"
    assert server.uids() == [1]


def test_mail_that_comes_during_a_session_is_for_the_next(server):
    server.deliver(MAIL)
    line = server.logged_in()
    server.deliver(MAIL)
    assert line.say(b"STAT\r\n") == b"+OK 1 29\r\n"
    line.say(b"DELE 1\r\nQUIT\r\n")
    assert line.closed
    assert server.logged_in().say(b"STAT\r\n") == b"+OK 1 29\r\n"


def leave_without_a_word(server, line):
    line.drop()


def leave_by_silence(server, line):
    server.advance(601)


def leave_what_is_sent_unread(server, line):
    line.transport.full_at = 1
    line.feed(b"LIST\r\n")
    server.advance(301)
    assert line.transport.aborted


def leave_by_mistakes(server, line):
    line.say(b"x\r\n" * 30)


def leave_by_an_endless_line(server, line):
    line.say(b"x" * 100_000)


def leave_in_the_middle_of_quit(server, line):
    line.say(b"QUIT\r")
    line.drop()


def leave_as_the_node_stops(server, line):
    server.factory.close_all()


def leave_with_a_stream_that_breaks(server, line):
    line.protocol._session.driver.abort()


@pytest.mark.parametrize(
    "leave",
    [
        leave_without_a_word,
        leave_by_silence,
        leave_what_is_sent_unread,
        leave_by_mistakes,
        leave_by_an_endless_line,
        leave_in_the_middle_of_quit,
        leave_as_the_node_stops,
        leave_with_a_stream_that_breaks,
    ],
)
def test_nothing_is_removed_without_quit(server, leave):
    server.deliver(MAIL, MAIL)
    line = server.logged_in()
    assert line.say(b"DELE 1\r\nDELE 2\r\n") == b"+OK marked\r\n+OK marked\r\n"
    leave(server, line)
    assert line.closed
    assert server.uids() == [1, 2]


def test_lease_that_another_session_got_ends_this_one(server, resolved):
    server.deliver(MAIL)
    line = server.logged_in()
    resolved(server.store.stop())
    server.advance(290)
    server.clock.advance(15)
    resolved(server.store.start())
    resolved(server.store.acquire("joe@example.test", "another", 1000))
    line.say(b"DELE 1\r\n")
    server.advance(100)
    assert line.take() == b"-ERR [SYS/TEMP] another session has got the maildrop\r\n"
    assert line.closed
    assert server.uids() == [1]


# -- failures -----------------------------------------------------------------------------------------------------


def test_failing_store_is_temporary_and_the_session_goes_on(server, monkeypatch):
    server.deliver(MAIL)
    line = server.logged_in()
    with monkeypatch.context() as patched:
        patched.setattr(MemoryMailbox, "fetch", lambda self, uids, items: fail(TemporaryFailure("disk is tired")))
        for command in (b"RETR 1", b"TOP 1 0", b"TOP 1 1", b"UIDL", b"UIDL 1"):
            assert line.say(command + b"\r\n") == b"-ERR [SYS/TEMP] disk is tired\r\n"
    assert line.say(b"RETR 1\r\n").startswith(b"+OK 29 octets\r\n")


def test_bug_is_logged_and_answered_as_temporary(server, monkeypatch, logged_failures):
    server.deliver(MAIL)
    line = server.logged_in()
    with monkeypatch.context() as patched:
        patched.setattr(MemoryMailbox, "fetch", lambda self, uids, items: fail(KeyError("secret path")))
        assert line.say(b"RETR 1\r\n") == b"-ERR [SYS/TEMP] cannot do that now, try again later\r\n"
    assert logged_failures.pop().check(KeyError)
    assert line.say(b"RETR 1\r\n").startswith(b"+OK 29 octets\r\n")


@pytest.mark.parametrize("error", [TemporaryFailure("full"), NoSuchMailbox("gone")])
def test_update_that_fails_is_told_and_removes_nothing(server, monkeypatch, error):
    server.deliver(MAIL, MAIL)
    line = server.logged_in()
    monkeypatch.setattr(MemoryMailbox, "expunge", lambda self, uids, only_deleted: fail(error))
    said = line.say(b"DELE 1\r\nQUIT\r\n")
    assert said == b"+OK marked\r\n-ERR [SYS/TEMP] the messages could not be removed\r\n"
    assert line.closed
    assert server.uids() == [1, 2]
    assert server.logged_in().say(b"STAT\r\n") == b"+OK 2 58\r\n"


def test_update_that_breaks_is_logged(server, monkeypatch, logged_failures):
    server.deliver(MAIL)
    line = server.logged_in()
    monkeypatch.setattr(MemoryMailbox, "expunge", lambda self, uids, only_deleted: fail(KeyError("bug")))
    assert line.say(b"DELE 1\r\nQUIT\r\n").endswith(b"-ERR [SYS/TEMP] the messages could not be removed\r\n")
    assert logged_failures.pop().check(KeyError)


def test_update_is_one_commit_and_none_without_marks(server, monkeypatch):
    server.deliver(*[MAIL] * 5)
    expunge, asked = MemoryMailbox.expunge, []
    monkeypatch.setattr(
        MemoryMailbox,
        "expunge",
        lambda self, uids, only_deleted: asked.append(uids) or expunge(self, uids, only_deleted),
    )
    server.logged_in().say(b"DELE 1\r\nDELE 3\r\nDELE 5\r\nQUIT\r\n")
    assert [list(uids) for uids in asked] == [[1, 3, 5]]
    assert server.uids() == [2, 4]


def test_nothing_is_asked_of_the_store_when_nothing_is_marked(server, monkeypatch):
    server.deliver(MAIL)
    monkeypatch.setattr(MemoryMailbox, "expunge", never)
    assert server.logged_in().say(b"DELE 1\r\nRSET\r\nQUIT\r\n").endswith(b"+OK bye\r\n")


def test_peer_that_leaves_during_the_update_leaves_nothing_behind(server, monkeypatch):
    server.deliver(MAIL)
    line = server.logged_in()
    monkeypatch.setattr(MemoryMailbox, "expunge", never)
    line.say(b"DELE 1\r\nQUIT\r\n")
    line.drop()
    monkeypatch.undo()
    assert server.logged_in().say(b"STAT\r\n") == b"+OK 1 29\r\n"


def test_peer_that_leaves_during_login_holds_no_lease(server, monkeypatch):
    server.deliver(MAIL)
    line = server("1")
    with monkeypatch.context() as patched:
        patched.setattr(MemoryMailbox, "status", never)
        assert line.say(b"USER joe\r\nPASS secret\r\n") == GREETING + b"+OK now the password\r\n"
        line.drop()
    assert server.logged_in().say(b"STAT\r\n") == b"+OK 1 29\r\n"
    assert all(call.getTime() > server.clock.seconds() for call in server.clock.getDelayedCalls())


def test_peer_that_leaves_during_an_answer_leaves_no_timer(server, monkeypatch):
    server.deliver(MAIL)
    line = server.logged_in()
    monkeypatch.setattr(MemoryMailbox, "fetch", never)
    line.feed(b"RETR 1\r\nRETR 1\r\n")
    line.drop()
    assert server.clock.getDelayedCalls() == []


def test_account_without_a_mailbox_store_is_a_permanent_failure(server):
    said = server("1").say(b"USER gone\r\nPASS secret\r\n")
    assert said.endswith(b"-ERR [SYS/PERM] the account does not exist\r\n")


def test_undecided_login_is_temporary(server, monkeypatch):
    monkeypatch.setattr(server.factory._authenticator, "login", lambda *_: fail(TemporaryFailure("try later")))
    assert server("1").say(b"USER joe\r\nPASS x\r\n").endswith(b"-ERR [SYS/TEMP] try later\r\n")


def test_cancelled_answer_is_not_taken_for_a_failure(server, monkeypatch):
    monkeypatch.setattr(server.factory._authenticator, "login", lambda *_: Deferred())
    line = server("1")
    line.say(b"USER joe\r\nPASS secret\r\n")
    line.drop()
    assert line.take() == b""
    assert server.clock.getDelayedCalls() == []


# -- hostile ------------------------------------------------------------------------------------------------------


def test_commands_behind_stls_are_dropped(server_of):
    server = server_of(tls_context=object())
    line = server("1")
    assert line.say(b"STLS\r\nUSER joe\r\nPASS secret\r\nQUIT\r\n") == GREETING + b"+OK begin TLS\r\n"
    assert line.say(b"PASS secret\r\n") == b"-ERR USER first\r\n"


def test_stls_without_a_context_is_refused(server):
    assert server("1").say(b"STLS\r\n") == GREETING + b"-ERR TLS is not available\r\n"


def test_tls_from_the_first_octet_allows_passwords_from_anywhere(server):
    server.host = "192.0.2.1"
    line = server("1")
    assert b"\r\nUSER\r\n" not in line.say(b"CAPA\r\n")
    line.transport.startTLS(None)
    line.protocol._session.begin()
    assert b"\r\nUSER\r\n" in line.say(b"CAPA\r\n")


@pytest.mark.parametrize("octet", [b"A", b"\0", b" ", b"\r", b"\n"])
def test_endless_line_is_ended(octet, server):
    line = server("1")
    heard = line.take()
    for _ in range(100):
        heard += line.say(octet * 4096)
    assert heard == GREETING + b"-ERR line too long\r\n"
    assert line.closed


@pytest.mark.parametrize("garbage", [b"!", b"A", b"=", b"====", b"\0", b"AAAA" * 2000, b"", b"\xff" * 50])
def test_auth_garbage_is_refused(garbage, server):
    line = server("1")
    line.take()
    assert line.say(b"AUTH PLAIN " + garbage + b"\r\n").startswith((b"-ERR malformed", b"+ \r\n"))
    line = server("2")
    line.take()
    assert line.say(b"AUTH PLAIN\r\n") == b"+ \r\n"
    assert line.say(garbage + b"\r\n") == b"-ERR malformed response\r\n"
    assert line.say(b"QUIT\r\n") == b"+OK bye\r\n"


def test_silent_peer_is_closed_after_ten_minutes(server):
    line = server("1")
    assert line.take() == GREETING
    server.advance(599)
    assert not line.closed
    server.advance(1)
    assert line.take() == b""
    assert line.closed


def test_guessing_ends_the_connection(server):
    line = server("1")
    line.take()
    said = line.say(b"".join(b"AUTH PLAIN " + b64encode(b"\0joe\0no%d" % n) + b"\r\n" for n in range(50)))
    assert said == b"-ERR [AUTH] user name or password is wrong\r\n" * 5
    assert line.closed


# -- size, and the end --------------------------------------------------------------------------------------------


def test_listings_of_many_messages_come_in_slices(server):
    count = 2 * SLICE_ROWS + 10
    server.deliver(*[b"S: x\r\n\r\n"] * count)
    line = server.logged_in()
    line.say(b"DELE 5\r\n")
    rows = line.say(b"LIST\r\n").split(b"\r\n")
    assert rows[1:-2] == [b"%d 8" % number for number in range(1, count + 1) if number != 5]
    ids = line.say(b"UIDL\r\n").split(b"\r\n")[1:-2]
    assert [int(row.split()[0]) for row in ids] == [number for number in range(1, count + 1) if number != 5]
    assert len({row.split()[1] for row in ids}) == count - 1


def test_all_sessions_can_be_ended(server):
    lines = [server("1"), server.logged_in()]
    assert server.factory.session_count == 2
    ended = server.factory.close_all()
    assert not ended.called
    for line in lines:
        assert line.take().endswith(b"-ERR [SYS/TEMP] the server is going down\r\n")
        assert line.closed
    assert ended.called
    assert server.factory.close_all().called
    late = server("3")
    assert late.take() == b"-ERR [SYS/TEMP] the server is going down\r\n"
    assert late.closed
    assert server.clock.getDelayedCalls() == []


def test_wait_for_the_end_can_be_given_up(server):
    line = server("1")
    ended = server.factory.close_all()
    ended.cancel()
    ended.addErrback(lambda failure: failure.trap(CancelledError))
    assert line.closed
