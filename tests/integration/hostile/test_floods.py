"""Who reads nothing, and who comes too often."""

from __future__ import annotations

import itertools
import re
import socket
import struct
from contextlib import ExitStack
from itertools import pairwise

import pytest

from ..processes import eventually
from .node import CONNECTIONS, GREETINGS, LISTEN, MAX_MESSAGE, MIB, SMTP_LIKE, allowing


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
    before = node.open_files()
    with ExitStack() as stack:
        services = itertools.cycle(refusals)
        for service in itertools.islice(services, CONNECTIONS - 20):
            stack.enter_context(node.peer(service))
        more = [(next(services), node) for _ in range(60)]
        told = [(service, stack.enter_context(node.peer(service, greeted=False)).line()) for service, _ in more]
        assert sum(line.startswith(refusals[service]) for service, line in told) >= 40
        assert all(line.startswith((refusals[service], GREETINGS[service])) for service, line in told)

    eventually(lambda: node.open_files() < before + 20)


@allowing(48 * MIB)
def test_thousands_of_connections_that_come_and_leave_at_once_leave_nothing_behind(node):
    before = node.open_files()
    addresses = [node.process.listener(service, tls) for service, tls in LISTEN]

    def wave() -> int:
        for number, address in enumerate(addresses * (1600 // len(addresses))):
            with socket.create_connection(address, timeout=20) as leaving:
                if number % 3 == 0:
                    # With a reset instead of an end.
                    leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: node.open_files() < before + 20)
        return node.memory()

    # What is left behind is left by every wave; the allocator's own growth ends at some time.
    waves = [wave() for _ in range(8)]
    assert min(later - earlier for earlier, later in pairwise(waves)) < MIB
