"""
COMPRESS=DEFLATE: a client that deflates, at several cuttings, and one that does so to do harm.

Sources: RFC 4978 §3; RFC 8437 §4.1.
"""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from twisted_mail_node.wire.imap.compression import PIECE_OCTETS
from twisted_mail_node.wire.imap.events import MoreInflated


class Compressing:
    """A client behind COMPRESS, on a connection of the tests."""

    def __init__(self, line, piece=1_000_000):
        self.line = line
        self.piece = piece
        self.deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.inflater = zlib.decompressobj(-15)
        self.raw = 0

    def send(self, text, flush=zlib.Z_SYNC_FLUSH, plain=b""):
        data = self.deflater.compress(text) + self.deflater.flush(flush) + plain
        for start in range(0, len(data), self.piece):
            self.line.feed(data[start : start + self.piece])

    def hear(self):
        for _ in range(100):
            self.line.server.advance(0)
        heard = self.line.take()
        self.raw += len(heard)
        return self.inflater.decompress(heard)

    def ask(self, text, **how):
        self.send(text, **how)
        return self.hear()


def compressing(server, piece=1_000_000):
    line = server.logged_in()
    assert b"COMPRESS=DEFLATE" in line.ask("CAPABILITY")
    assert line.say(b"z COMPRESS DEFLATE\r\n") == b"z OK begin compressing now\r\n"
    return Compressing(line, piece)


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000_000])
def test_all_behind_the_ok_is_compressed_both_ways(server, piece):
    server.deliver(
        *[b"Subject: %d\r\n\r\n" % number + b"what is said again and again\r\n" * 100 for number in range(20)]
    )
    client = compressing(server, piece)
    assert client.ask(b"a1 SELECT INBOX\r\n").endswith(b"a1 OK [READ-WRITE] selected\r\n")
    rows = client.ask(b"a2 FETCH 1:* BODY.PEEK[]\r\n")
    assert rows.count(b"again and again") == 2000
    assert rows.endswith(b"a2 OK done\r\n")
    assert client.raw < len(rows) / 20
    assert client.ask(b"a3 NOOP\r\na4 NOOP\r\n") == b"a3 OK done\r\na4 OK done\r\n"
    client.send(b"a5 APPEND INBOX {14+}\r\nSubject: z\r\n\r\n\r\n")
    assert b"* 21 EXISTS" in client.hear()


def test_a_client_that_flushes_no_more_than_it_must_is_understood(server):
    client = compressing(server)
    assert client.ask(b"a1 NOOP\r\n", flush=zlib.Z_PARTIAL_FLUSH) == b"a1 OK done\r\n"
    assert client.ask(b"a2 NOOP\r\n", flush=zlib.Z_PARTIAL_FLUSH) == b"a2 OK done\r\n"


def test_what_was_received_behind_the_command_is_compressed_already(server):
    line = server.logged_in()
    client = Compressing(line)
    data = client.deflater.compress(b"a NOOP\r\n") + client.deflater.flush(zlib.Z_SYNC_FLUSH)
    heard = line.say(b"z COMPRESS DEFLATE\r\n" + data)
    ok = b"z OK begin compressing now\r\n"
    assert heard.startswith(ok)
    assert client.inflater.decompress(heard[len(ok) :]) == b"a OK done\r\n"


def test_it_is_offered_once_and_only_as_deflate(server, server_of):
    line = server.logged_in()
    assert line.try_("COMPRESS LZW")[0] == b"BAD no such compression here\r\n"
    client = compressing(server)
    assert b"COMPRESS" not in client.ask(b"a CAPABILITY\r\n")
    assert client.ask(b"b COMPRESS DEFLATE\r\n") == b"b NO [COMPRESSIONACTIVE] compressed already\r\n"
    without = server_of(compress=False).logged_in()
    assert b"COMPRESS" not in without.ask("CAPABILITY")
    assert without.try_("COMPRESS DEFLATE")[0] == b"BAD no such compression here\r\n"


def test_news_reach_a_client_that_idles_though_what_was_said_before_is_forgotten(server):
    client = compressing(server)
    client.ask(b"a SELECT INBOX\r\n")
    assert client.ask(b"b IDLE\r\n") == b"+ idling\r\n"
    for number in range(1, 4):
        server.deliver(b"Subject: news\r\n\r\n")
        assert client.hear() == b"* %d EXISTS\r\n* %d RECENT\r\n" % (number, number)
    assert client.ask(b"DONE\r\n") == b"b OK no longer idle\r\n"


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
@pytest.mark.parametrize("piece", [1, 7, 1_000_000])
def test_it_ends_with_unauthenticate_and_what_comes_behind_that_is_plain(server, piece, flush):
    client = compressing(server, piece)
    heard = client.ask(b"a1 SELECT INBOX\r\n")
    client.send(b"a2 UNAUTHENTICATE\r\n", flush, b"a3 LOGIN joe secret\r\na4 SELECT Drafts\r\n")
    for _ in range(20):
        server.advance(0)
    heard = client.line.take()
    # The OK is the last that is compressed; a flush ends it.
    end = heard.index(b"\0\0\xff\xff") + 4
    assert client.inflater.decompress(heard[:end]) == b"a2 OK no longer logged in\r\n"
    assert heard[end:].startswith(b"a3 OK [CAPABILITY ")
    assert b"COMPRESS=DEFLATE" in heard[end:]
    assert heard.endswith(b"a4 OK [READ-WRITE] selected\r\n")


def test_what_is_not_compressed_ends_the_connection_with_a_word(server):
    for rubbish in (b"a NOOP\r\n" * 10, bytes(range(256))):
        client = compressing(server)
        client.line.feed(rubbish)
        assert client.hear() == b"* BYE [CLIENTBUG] what came was not compressed as agreed\r\n"
        assert client.line.closed
    client = compressing(server)
    assert client.ask(b"a NOOP\r\n", flush=zlib.Z_FINISH) == b"a OK done\r\n"
    client.line.feed(b"b")
    assert client.hear().startswith(b"* BYE [CLIENTBUG]")


def test_a_flush_without_an_end_to_be_seen_ends_it_as_well_where_the_client_waits_for_the_ok(server):
    client = compressing(server)
    assert client.ask(b"a2 UNAUTHENTICATE\r\n", flush=zlib.Z_PARTIAL_FLUSH) == b"a2 OK no longer logged in\r\n"
    for octet in b"a3 LOGIN joe secret\r\n":
        client.line.feed(bytes([octet]))
    for _ in range(20):
        server.advance(0)
    assert client.line.take().startswith(b"a3 OK [CAPABILITY ")


def bomb(megabytes):
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = b"0" * 1_000_000
    return b"".join(deflater.compress(zeros) for _ in range(megabytes)) + deflater.flush()


def test_a_few_octets_that_stand_for_many_are_inflated_in_pieces_until_that_is_too_much(server):
    client = compressing(server)
    engine = client.line.protocol._session.engine
    data = bomb(60)
    assert len(data) < 64 * 1024
    tracemalloc.start()
    try:
        engine.receive_data(data)
        events = [engine.next_event()]
        while not engine.closed:
            events.append(engine.next_event())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # After each piece the driver can let others have their turn.
    assert events[:-1] == [MoreInflated()] * (len(events) - 1)
    assert events[-1].response == b"* BAD [TOOBIG] command too long\r\n* BYE [TOOBIG] too much data\r\n"
    assert len(events) * PIECE_OCTETS < 60_000_000
    assert most < 10 * PIECE_OCTETS + 4 * len(data)
