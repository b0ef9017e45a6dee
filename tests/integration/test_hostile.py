"""
What peers may try, against one node that runs through all of it: only the standard's refusals come of it, memory
stays bounded, and the next one is served.

Every test runs inside `unharmed`, which holds the node's peak of memory during the test to a bound and talks to every
service behind it. Timeouts that no setting may shorten are tested with the sessions themselves.
"""

from __future__ import annotations

import imaplib
import itertools
import poplib
import re
import resource
import smtplib
import socket
import ssl
import struct
import threading
import time
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from .processes import NodeProcess, eventually, make_certificate

USER, PASSWORD = "joe@example.test", "secret"
MAX_MESSAGE = 1024 * 1024
CONNECTIONS = 300
IDLE_SECONDS = 4
MIB = 1024 * 1024
GIB = 1024 * MIB
# What one peer may make a node grow by, whatever it sends. Buffers, a message, and what malloc keeps.
GROWTH = 24 * MIB

LISTEN = [
    ("smtp", "starttls"),
    ("submission", "starttls"),
    ("submission", "implicit"),
    ("lmtp", "none"),
    ("pop3", "starttls"),
    ("pop3", "implicit"),
    ("imap", "starttls"),
    ("imap", "implicit"),
]
PLAIN = [(service, tls) for service, tls in LISTEN if tls != "implicit"]
IMPLICIT = [(service, tls) for service, tls in LISTEN if tls == "implicit"]
GREETINGS = {"smtp": b"220 ", "submission": b"220 ", "lmtp": b"220 ", "pop3": b"+OK", "imap": b"* OK"}
SMTP_LIKE = ("smtp", "submission", "lmtp")


class Peer:
    """A plain socket that speaks in octets."""

    def __init__(self, address: tuple[str, int], greeting: bytes) -> None:
        self.socket = socket.create_connection(address, timeout=20)
        self._received = b""
        if greeting:
            line = self.line()
            assert line.startswith(greeting), line

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> bytes:
        """The next line without its end; b"" when the connection is over."""
        while b"\r\n" not in self._received and (octets := self._octets()):
            self._received += octets
        line, _, self._received = self._received.partition(b"\r\n")
        return line

    def ask(self, command: bytes) -> bytes:
        self.send(command + b"\r\n")
        return self.line()

    def reply(self) -> bytes:
        """The last line of an SMTP reply."""
        while (line := self.line())[3:4] == b"-":
            pass
        return line

    def tagged(self) -> bytes:
        """The next line of IMAP that is not untagged."""
        while (line := self.line()).startswith(b"* "):
            pass
        return line

    def rest(self) -> bytes:
        """All that comes until the node closes."""
        pieces = [self._received]
        while octets := self._octets():
            pieces.append(octets)
        return b"".join(pieces)

    def _octets(self) -> bytes:
        try:
            return self.socket.recv(64 * 1024)
        except ConnectionResetError:
            # Who is left while still talking is reset behind the last words.
            return b""

    def pour(self, data: bytes) -> None:
        """Send in a thread, to whoever hears; the socket's end ends it."""

        def send() -> None:
            try:
                self.socket.sendall(data)
            except OSError:
                pass

        threading.Thread(target=send, daemon=True).start()

    def stuff(self, data: bytes, limit: int) -> int:
        """Send over and over without reading, as long as the node takes it; gives how much it took."""
        sent = 0
        self.socket.settimeout(0.5)
        try:
            while sent < limit:
                sent += self.socket.send(data)
        except (TimeoutError, OSError):
            return sent
        return sent


@contextmanager
def few_open_files():
    """What is started now may have few files open, less than its connections need, until it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS // 2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Node:
    def __init__(self, folder: Path) -> None:
        certificate, key = make_certificate(folder, "localhost", "127.0.0.1")
        self.trust = ssl.create_default_context(cafile=str(certificate))
        listen = "".join(
            f'[[listen]]\nservice = "{service}"\nendpoint = "tcp:0:interface=127.0.0.1"\ntls = "{tls}"\n'
            for service, tls in LISTEN
        )
        self.process = NodeProcess(
            folder,
            f"""
hostname = "mx.example.test"
state_dir = "state"
[[domain]]
name = "example.test"
{listen}
[tls]
certificate = "{certificate}"
private_key = "{key}"
[auth]
hash_memory = "64 KiB"
hash_passes = 1
[dns]
servers = ["127.0.0.1:1"]
[smtp]
idle_timeout = "{IDLE_SECONDS} s"
[limits]
max_message_size = {MAX_MESSAGE}
connections = {CONNECTIONS}
""",
        )
        self.process.add_user(USER, PASSWORD)
        with few_open_files():
            self.process.start()

    def peer(self, service: str, tls: str = "starttls", greeted: bool = True) -> Peer:
        tls = "none" if service == "lmtp" else tls
        return Peer(self.process.listener(service, tls), GREETINGS[service] if greeted else b"")

    def memory(self, field: str = "VmRSS") -> int:
        status = Path(f"/proc/{self.process.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M)[1]) * 1024

    def forget_peak(self) -> None:
        """From now on VmHWM tells the peak anew (proc(5), clear_refs)."""
        Path(f"/proc/{self.process.process.pid}/clear_refs").write_text("5")

    def serves(self) -> None:
        """Every service answers a client that comes now."""
        for service, tls in LISTEN:
            with ExitStack() as stack:
                if tls == "implicit":
                    raw = socket.create_connection(self.process.listener(service, tls), timeout=20)
                    client = stack.enter_context(self.trust.wrap_socket(raw, server_hostname="localhost"))
                    assert client.recv(500).startswith(GREETINGS[service])
                    continue
                peer = stack.enter_context(self.peer(service))
                if service == "pop3":
                    assert peer.ask(b"QUIT").startswith(b"+OK")
                elif service == "imap":
                    assert peer.ask(b"z NOOP").startswith(b"z OK")
                else:
                    assert peer.ask(b"NOOP").startswith(b"250 ")

    def deliver(self, content: bytes, rcpt: str = USER) -> bytes:
        with self.peer("smtp") as peer:
            peer.send(b"EHLO c.test\r\n")
            peer.reply()
            assert peer.ask(b"MAIL FROM:<s@c.test>").startswith(b"250")
            assert peer.ask(b"RCPT TO:<%s>" % rcpt.encode()).startswith(b"250")
            assert peer.ask(b"DATA").startswith(b"354")
            peer.send(content + b"\r\n.\r\n")
            return peer.line()

    def imap(self) -> Peer:
        peer = self.peer("imap")
        assert peer.ask(b"a LOGIN %s %s" % (USER.encode(), PASSWORD.encode())).startswith(b"a OK")
        return peer

    def pop3(self) -> Peer:
        peer = self.peer("pop3")
        assert peer.ask(b"USER " + USER.encode()).startswith(b"+OK")
        assert peer.ask(b"PASS " + PASSWORD.encode()).startswith(b"+OK")
        return peer

    def in_transaction(self, service: str = "smtp", accepted: bytes = USER.encode()) -> Peer:
        peer = self.peer(service)
        peer.send((b"LHLO" if service == "lmtp" else b"EHLO") + b" c.test\r\n")
        peer.reply()
        assert peer.ask(b"MAIL FROM:<s@c.test>").startswith(b"250")
        assert peer.ask(b"RCPT TO:<%s>" % accepted).startswith(b"250")
        return peer


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("hostile"))
    try:
        yield node
    finally:
        node.process.stop()
    assert "Traceback" not in node.process.log


@pytest.fixture(scope="module", autouse=True)
def silent(node):
    """Peers that come first and never say a word: time goes by for them while the other tests run."""
    since = time.monotonic()
    peers = [(service, tls, node.peer(service, tls, greeted=False)) for service, tls in LISTEN if service in SMTP_LIKE]
    yield since, peers
    for _, _, peer in peers:
        peer.close()


@pytest.fixture(autouse=True)
def unharmed(node, request):
    node.serves()
    node.forget_peak()
    before = node.memory()
    yield
    grown = node.memory("VmHWM") - before
    allowed = getattr(request.function, "allowed_growth", GROWTH)
    assert grown < allowed, f"grew by {grown / MIB:.1f} MiB"
    node.serves()


def allowing(octets: int):
    def mark(function):
        function.allowed_growth = octets
        return function

    return mark


# -- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_a_line_without_end_ends_the_session(node, service, tls):
    with node.peer(service) as peer:
        peer.pour(b"x" * (64 * MIB))
        told = peer.rest()
        assert told.startswith({"pop3": b"-ERR", "imap": b"* BAD"}.get(service, b"421 4.5.2")), told
        assert len(told) < 1000


@pytest.mark.parametrize("service", ["pop3", "imap"])
def test_a_line_without_end_ends_a_session_that_is_logged_in(node, service):
    with node.pop3() if service == "pop3" else node.imap() as peer:
        peer.pour(b"x" * (64 * MIB))
        assert len(peer.rest()) < 1000


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_a_line_one_octet_too_long_is_refused_and_the_next_is_heard(node, service, tls):
    with node.peer(service) as peer:
        if service == "imap":
            assert peer.ask(b"a " + b"X" * 70_000).startswith(b"* BAD")
            assert peer.ask(b"b NOOP").startswith(b"b OK")
        elif service == "pop3":
            assert peer.ask(b"USER " + b"x" * 20_000).startswith(b"-ERR")
            assert peer.ask(b"USER joe").startswith(b"+OK")
        else:
            assert peer.ask(b"NOOP " + b"x" * 506).startswith(b"500 5.5.")
            assert peer.ask(b"NOOP").startswith(b"250")


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_nul_and_every_other_octet_in_commands_get_refusals_only(node, service, tls):
    for start in range(0, 256, 8):
        with node.peer(service) as peer:
            octets = [bytes([octet]) for octet in range(start, start + 8)]
            peer.send(b"".join(b"a NO\x00OP %s\r\n%s\r\n" % (octet, octet * 3) for octet in octets))
            peer.send(b"z LOGOUT\r\nQUIT\r\n")
            for line in peer.rest().splitlines():
                known = {"pop3": rb"[+-](OK|ERR)", "imap": rb"[!-~]+ (BAD|BYE|OK)"}.get(service, rb"[2-5]\d\d[ -]")
                assert re.match(known, line), line


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_commands_in_the_wrong_order_are_refused(node, service, tls):
    with node.peer(service) as peer:
        if service == "imap":
            for number, command in enumerate([b"SELECT INBOX", b"FETCH 1 FLAGS", b"EXPUNGE", b"IDLE", b"UID COPY 1 x"]):
                assert peer.ask(b"%d %s" % (number, command)).startswith(b"%d BAD" % number)
        elif service == "pop3":
            for command in (b"PASS x", b"STAT", b"RETR 1", b"DELE 1", b"RSET", b"UIDL"):
                assert peer.ask(command).startswith(b"-ERR")
        else:
            for command in (b"DATA", b"RCPT TO:<joe@example.test>", b"MAIL FROM:<a@b.test>"):
                assert peer.ask(command).startswith((b"503 5.5.1", b"530 5.7.0")), command


@pytest.mark.parametrize("service", ["smtp", "submission", "pop3", "imap"])
def test_nothing_behind_starttls_in_one_packet_is_heard(node, service):
    behind = {
        "pop3": (b"STLS\r\n", b"USER joe\r\nCAPA\r\n", b"NOOP\r\n"),
        "imap": (b"a STARTTLS\r\n", b"b LOGIN joe secret\r\nc CAPABILITY\r\n", b"d NOOP\r\n"),
    }.get(service, (b"STARTTLS\r\n", b"EHLO evil.test\r\nMAIL FROM:<a@b.test>\r\n", b"MAIL FROM:<a@b.test>\r\n"))
    with node.peer(service) as peer:
        if service in SMTP_LIKE:
            peer.send(b"EHLO c.test\r\n")
            peer.reply()
        peer.send(behind[0] + behind[1])
        assert peer.line().startswith((b"220", b"+OK", b"a OK"))
        with node.trust.wrap_socket(peer.socket, server_hostname="localhost") as secure:
            secure.settimeout(20)
            secure.sendall(behind[2])
            answer = secure.recv(1000)
            assert answer.startswith({"pop3": b"-ERR", "imap": b"d OK"}.get(service, (b"503", b"530"))), answer
            assert answer.count(b"\r\n") == 1


@pytest.mark.parametrize(("service", "tls"), IMPLICIT)
def test_garbage_where_tls_is_spoken_ends_the_connection(node, service, tls):
    for garbage in (b"EHLO c.test\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 70_000, b"\x80" * 100_000):
        with node.peer(service, tls, greeted=False) as peer:
            peer.pour(garbage)
            assert len(peer.rest()) < 100


# -- messages -----------------------------------------------------------------------------------------------------


BARE = [
    b"".join(ends)
    for ends in itertools.product((b"\r", b"\n", b"\r\n"), (b".",), (b"\r", b"\n", b"\r\n"))
    if b"".join(ends) != b"\r\n.\r\n"
] + [b"\r\n\n.\n", b"\n\r.\r\n", b"\r\r\n.\n", b"\r\n.\r\r\n", b"\n.\n\r\n", b"\r.\r\r\n", b"\r\n.\x00\r\n\n"]


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_no_mixture_of_cr_and_lf_around_a_dot_smuggles_a_message(node, service):
    evil = b"MAIL FROM:<evil@c.test>\r\nRCPT TO:<joe@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"
    for end in BARE:
        with node.in_transaction(service) as peer:
            assert peer.ask(b"DATA").startswith(b"354")
            peer.send(b"Subject: bare\r\n\r\nfirst" + end + evil + b"\r\n.\r\nNOOP\r\nQUIT\r\n")
            answers = peer.rest().splitlines()
            assert [answer[:9] for answer in answers] == [b"550 5.6.0", b"250 2.0.0", b"221 2.0.0"], (end, answers)


def test_a_dot_on_a_line_of_its_own_ends_the_message_and_what_follows_is_a_command(node):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"Subject: whole\r\n\r\n..\r\n.\r\n.\r\nNOOP\r\nQUIT\r\n")
        assert [line[:3] for line in peer.rest().splitlines()] == [b"250", b"500", b"250", b"221"]


def test_a_message_of_the_largest_size_is_taken_and_one_octet_more_is_not(node):
    exact = b"Subject: size\r\n\r\n"
    exact += (b"y" * 62 + b"\r\n") * ((MAX_MESSAGE - len(exact)) // 64)
    exact += b"z" * (MAX_MESSAGE - len(exact) - 2)
    assert len(exact) + 2 == MAX_MESSAGE
    assert node.deliver(exact).startswith(b"250 2.0.0")
    assert node.deliver(exact + b"z").startswith(b"552 5.3.4")
    with node.peer("smtp") as peer:
        peer.send(b"EHLO c.test\r\n")
        peer.reply()
        assert peer.ask(b"MAIL FROM:<s@c.test> SIZE=%d" % (MAX_MESSAGE + 1)).startswith(b"552 5.3.4")
        assert peer.ask(b"MAIL FROM:<s@c.test> SIZE=%d" % MAX_MESSAGE).startswith(b"250")


def test_a_message_without_end_is_read_without_being_kept(node):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"Subject: endless\r\n\r\n")
        for _ in range(200):
            peer.send(b"y" * (MIB // 2 - 2) + b"\r\n")
        peer.send(b".\r\n")
        assert peer.line().startswith(b"552 5.3.4")


def test_a_header_without_end_is_refused(node):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"".join(b"X-%d: y\r\n" % number for number in range(80_000)) + b".\r\n")
        assert peer.line().startswith(b"554 5.6.0")


def test_a_hundred_thousand_recipients_get_an_answer_each(node):
    count = 100_000
    with node.in_transaction() as peer:
        peer.pour(b"RCPT TO:<joe@example.test>\r\n" * count + b"RSET\r\nQUIT\r\n")
        answers = peer.rest().splitlines()
        assert len(answers) == count + 2
        assert {answer[:9] for answer in answers[:900]} == {b"250 2.1.5"}
        assert {answer[:9] for answer in answers[1000:-2]} == {b"452 4.5.3"}
        assert answers[-1].startswith(b"221")


def test_data_that_comes_octet_by_octet_keeps_nobody_waiting(node):
    with ExitStack() as stack:
        slow = [stack.enter_context(node.in_transaction()) for _ in range(20)]
        for peer in slow:
            assert peer.ask(b"DATA").startswith(b"354")
        for octet in b"Subject: slow\r\n\r\nx\r\n":
            for peer in slow:
                peer.send(bytes([octet]))
            assert node.peer("smtp").ask(b"NOOP").startswith(b"250")
        for peer in slow:
            peer.send(b".")
            peer.send(b"\r")
            peer.send(b"\n")
            assert peer.line().startswith(b"250 2.0.0")


# -- AUTH -----------------------------------------------------------------------------------------------------------


GARBAGE = [b"====", b"\xff\xfe\x00", b"A" * 12_000, b"A" * 40_000, b"AGpvZQ", b"AAAA", b"*", b"", b"=", b"AGEAYgBjAGQ="]


@pytest.mark.parametrize(("service", "tls"), [entry for entry in PLAIN if entry[0] in ("submission", "pop3", "imap")])
def test_garbage_in_auth_is_refused(node, service, tls):
    known = {
        "submission": rb"(334|50[0-4]|535|421) ",
        "pop3": rb"(\+ |-ERR)",
        "imap": rb"(\+ |. (NO|BAD)|\* (BAD|BYE))",
    }
    command = {"submission": b"AUTH", "pop3": b"AUTH", "imap": b"a AUTHENTICATE"}[service]
    for mechanism, garbage in itertools.product((b"PLAIN", b"LOGIN", b"X" * 200, b"\x00"), GARBAGE):
        for lines in ([b" ".join((command, mechanism, garbage))], [command + b" " + mechanism, garbage, garbage]):
            with node.peer(service) as peer:
                if service == "submission":
                    peer.send(b"EHLO c.test\r\n")
                    peer.reply()
                peer.send(b"\r\n".join(lines) + b"\r\nQUIT\r\nz LOGOUT\r\n")
                peer.socket.shutdown(socket.SHUT_WR)
                for line in peer.rest().splitlines()[:1]:
                    assert re.match(known[service], line), (lines, line)


# -- IMAP -----------------------------------------------------------------------------------------------------------


def test_a_literal_of_four_gib_is_refused_before_it_comes(node):
    with node.imap() as peer:
        assert peer.ask(b"b APPEND INBOX {%d}" % (4 * GIB)).startswith(b"b NO [TOOBIG]")
        assert peer.ask(b"c SEARCH SUBJECT {%d}" % (4 * GIB)).startswith(b"c BAD")
        assert peer.ask(b"d CREATE {%s}" % (b"9" * 60)).startswith(b"d BAD")
        assert peer.ask(b"e NOOP").startswith(b"e OK")
    with node.peer("imap") as peer:
        assert peer.ask(b"a LOGIN {%d}" % (4 * GIB)).startswith(b"a BAD")
        assert peer.ask(b"b NOOP").startswith(b"b OK")


@pytest.mark.parametrize("command", [b"APPEND INBOX", b"CREATE", b"LOGIN"])
def test_a_literal_of_four_gib_that_comes_unasked_ends_the_session(node, command):
    with node.peer("imap") if command == b"LOGIN" else node.imap() as peer:
        peer.send(b"b %s {%d+}\r\n" % (command, 4 * GIB))
        peer.pour(b"x" * (16 * MIB))
        told = peer.rest()
        assert told.startswith((b"b NO", b"b BAD"))
        assert b"* BYE" in told


def test_a_literal_that_is_too_big_and_comes_unasked_is_thrown_away(node):
    with node.imap() as peer:
        peer.send(b"b APPEND INBOX {%d+}\r\n" % (MAX_MESSAGE + 1))
        peer.send(b"x" * (MAX_MESSAGE + 1) + b"\r\n")
        assert peer.line().startswith(b"b NO [TOOBIG]")
        assert peer.ask(b"c NOOP").startswith(b"c OK")


@pytest.mark.parametrize(
    "command",
    [
        b"SEARCH " + b"(" * 20_000,
        b"SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000,
        b"SEARCH " + b"NOT " * 15_000 + b"ALL",
        b"FETCH 1 " + b"(" * 60_000,
        b"FETCH 1 BODY[" + b"1." * 30_000 + b"1]",
        b"STORE 1 FLAGS " + b"(" * 60_000,
        b"LIST (" + b"(" * 60_000,
        b"STATUS INBOX (" + b"(" * 60_000,
        b"APPEND INBOX " + b"(" * 60_000 + b" {5}",
        b"ID " + b"(" * 60_000,
    ],
    ids=lambda command: command[:16].decode(),
)
def test_what_is_nested_too_deeply_is_refused(node, command):
    with node.imap() as peer:
        assert peer.ask(b"b SELECT INBOX")
        peer.send(b"c " + command + b"\r\n")
        while not (line := peer.tagged()).startswith(b"c "):
            pass
        assert line.startswith((b"c BAD", b"c NO")), line
        assert peer.ask(b"d NOOP").startswith(b"d OK")


@pytest.mark.parametrize("argument", [b"(\\Seen", b"(SUBJECT {5+}\r\nhello FROM {0+}\r\n", b"1,", b'"'])
def test_an_argument_that_is_never_closed_is_given_up(node, argument):
    with node.imap() as peer:
        peer.send(b"b STORE 1 FLAGS ")
        peer.pour((argument + b" ") * (8 * MIB // len(argument)) + b"\r\n")
        assert b" BAD" in peer.line()


def test_commands_that_are_none_end_the_session(node):
    with node.peer("imap") as imap, node.peer("pop3") as pop3, node.peer("smtp") as smtp:
        for peer, last in ((imap, b"* BYE"), (pop3, b"-ERR"), (smtp, b"421 4.")):
            peer.pour(b"x y z\r\n" * 100_000)
            lines = peer.rest().splitlines()
            assert lines[-1].startswith(last), lines[-1]
            assert len(lines) < 100


# -- who reads nothing, who says nothing, who comes too often --------------------------------------------------------


def filled(node) -> int:
    """Make sure that there is a large message in INBOX; gives its number."""
    with node.imap() as peer:
        message = b"A: b\r\n\r\n" + (b"y" * 62 + b"\r\n") * (MAX_MESSAGE // 64 - 1)
        peer.send(b"b APPEND INBOX {%d+}\r\n%s\r\n" % (len(message), message))
        assert peer.tagged().startswith(b"b OK")
        peer.send(b"c STATUS INBOX (MESSAGES)\r\n")
        return int(re.search(rb"MESSAGES (\d+)", peer.line())[1])


def test_who_asks_for_much_by_imap_and_reads_nothing_is_not_answered_any_more(node):
    number = filled(node)
    with ExitStack() as stack:
        for command in (b"FETCH %d BODY[]", b"FETCH 1:%d (ENVELOPE BODYSTRUCTURE BODY[])", b"NOOP %d"[:4]):
            peer = stack.enter_context(node.imap())
            assert peer.ask(b"b SELECT INBOX")
            line = b"c " + (command % number if b"%" in command else command) + b"\r\n"
            assert peer.stuff(line * 1000, 64 * MIB) < 32 * MIB
        node.serves()


def test_who_asks_for_much_by_pop3_and_reads_nothing_is_not_answered_any_more(node):
    number = filled(node)
    with node.pop3() as peer:
        assert (
            peer.stuff((b"RETR %d\r\nLIST\r\nUIDL\r\nTOP %d 1000\r\n" % (number, number)) * 1000, 64 * MIB) < 32 * MIB
        )
        node.serves()


@pytest.mark.parametrize("service", SMTP_LIKE)
def test_who_sends_smtp_commands_and_reads_nothing_is_not_heard_any_more(node, service):
    with node.peer(service) as peer:
        assert peer.stuff(b"HELP\r\nNOOP\r\n" * 1000, 64 * MIB) < 32 * MIB
        node.serves()


@allowing(48 * MIB)
def test_more_connections_than_allowed_are_told_so_and_when_they_leave_there_is_room(node):
    refusals = {"pop3": b"-ERR [SYS/TEMP] too many", "imap": b"* BYE [UNAVAILABLE]", "smtp": b"421 4.7.0 too many"}
    with ExitStack() as stack:
        services = itertools.cycle(refusals)
        for service in itertools.islice(services, CONNECTIONS - 20):
            stack.enter_context(node.peer(service))
        more = [(next(services), node) for _ in range(60)]
        told = [(service, stack.enter_context(node.peer(service, greeted=False)).line()) for service, _ in more]
        assert sum(line.startswith(refusals[service]) for service, line in told) >= 40
        assert all(line.startswith((refusals[service], GREETINGS[service])) for service, line in told)

    def is_room() -> bool:
        with ExitStack() as stack:
            peers = [stack.enter_context(node.peer("smtp", greeted=False)) for _ in range(CONNECTIONS - 20)]
            return all(peer.line().startswith(b"220") for peer in peers)

    # Those who left are counted until the node has heard of it, in whatever order.
    eventually(is_room)
    eventually(is_room)


@allowing(48 * MIB)
def test_thousands_of_connections_that_come_and_leave_at_once_leave_nothing_behind(node):
    addresses = [node.process.listener(service, tls) for service, tls in LISTEN]

    def wave() -> int:
        for number, address in enumerate(addresses * (1600 // len(addresses))):
            with socket.create_connection(address, timeout=20) as leaving:
                if number % 3 == 0:
                    # With a reset instead of an end.
                    leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(is_room)
        return node.memory()

    def is_room() -> bool:
        with node.peer("imap", greeted=False) as peer:
            return peer.line().startswith(b"* OK")

    # What is left behind is left by every wave; the allocator's own growth ends at some time.
    waves = [wave() for _ in range(8)]
    assert min(later - earlier for earlier, later in pairwise(waves)) < MIB


def test_clients_of_all_kinds_are_still_served_in_full(node):
    assert node.deliver(b"Subject: after all that\r\n\r\n..hello\r\n").startswith(b"250 2.0.0")
    port = node.process.listener("submission", "implicit")[1]
    with smtplib.SMTP_SSL("localhost", port, context=node.trust, timeout=20) as client:
        client.login(USER, PASSWORD)
        client.sendmail(USER, [USER], b"Subject: submitted\r\n\r\nx\r\n")
    port = node.process.listener("imap", "implicit")[1]
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=node.trust, timeout=20) as client:
        client.login(USER, PASSWORD)
        client.select()
        assert client.search(None, "SUBJECT", "smuggled") == ("OK", [b""])
        assert len(client.search(None, "SUBJECT", "submitted")[1][0].split()) == 1
    port = node.process.listener("pop3", "implicit")[1]
    client = poplib.POP3_SSL("localhost", port, context=node.trust, timeout=20)
    client.user(USER)
    client.pass_(PASSWORD)
    messages = [client.retr(number + 1)[1] for number in range(client.stat()[0])]
    assert any(b".hello" in lines for lines in messages)
    client.quit()


def test_silent_peers_were_left(silent):
    since, peers = silent
    for service, tls, peer in peers:
        told = peer.rest()
        assert time.monotonic() - since >= IDLE_SECONDS
        if tls == "implicit":
            assert told == b""
        else:
            assert told.splitlines()[-1].startswith(b"421 4.4.2"), (service, told)
