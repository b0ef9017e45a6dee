"""APPEND of many messages: what one command may hold, and that none stays behind of what was refused."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.protocols.imap import incoming
from twisted_mail_node.protocols.imap.incoming import IncomingMessages
from twisted_mail_node.protocols.imap.places import Places
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.wire.imap.commands import AppendChunk
from twisted_mail_node.wire.imap.server import IMAPServer
from twisted_mail_node.wire.imap.states import State


def test_what_one_command_holds_in_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(incoming, "HELD_OCTETS", 2 * INLINE_BODY_OCTETS)
    store = MemoryStore(Clock())
    result_of(store.start())
    server = IMAPServer(State.AUTHENTICATED)
    messages = IncomingMessages(server, store, Clock(), 1 << 30)
    for position in range(5):
        server.receive_data(b"a APPEND x {%d+}\r\n" % INLINE_BODY_OCTETS if not position else b" {262144+}\r\n")
        messages.begin(server.next_event())
        server.accept_message()
        server.receive_data(b"x" * INLINE_BODY_OCTETS)
        while isinstance(event := server.next_event(), AppendChunk):
            answer = messages.chunk(event)
            assert answer is None or result_of(Deferred.fromCoroutine(answer)) is None
    bodies = [body for body, _, _ in messages.take()]
    assert [body.size for body in bodies] == [INLINE_BODY_OCTETS] * 5
    assert [body.content is None for body in bodies] == [False, False, True, True, True]


@pytest.fixture
def client(server):
    return server.logged_in()


def test_small_messages_beyond_what_is_held_are_kept_like_others(client, monkeypatch):
    monkeypatch.setattr(incoming, "HELD_OCTETS", 10)
    octets = b"A: b\r\n\r\n"
    command = b"APPEND Sent" + b"".join(b" {8+}\r\n" + octets for _ in range(4))
    assert b"1:4]" in client.try_(command)[0]
    client.ask("EXAMINE Sent")
    assert client.ask("FETCH 4 (RFC822.SIZE BODY[])").endswith(
        b"* 4 FETCH (RFC822.SIZE 8 BODY[] {8}\r\nA: b\r\n\r\n)\r\n"
    )


def test_more_messages_than_one_command_may_bring_are_refused_as_a_whole(client, monkeypatch):
    monkeypatch.setattr(incoming, "MESSAGES_TOGETHER", 3)
    assert client.try_(b"APPEND Sent" + b" {1+}\r\nx" * 3)[0].startswith(b"OK ")
    assert client.try_(b"APPEND Sent" + b" {1+}\r\nx" * 4)[0] == b"NO [LIMIT] too much for one command\r\n"
    assert client.ask("STATUS Sent (MESSAGES)") == b"* STATUS Sent (MESSAGES 3)\r\n"


def test_what_fails_for_another_reason_than_a_missing_mailbox_leaves_nothing_behind(client, monkeypatch):
    answers = iter([Places.mailbox])

    async def mailbox(places, name, *needs):
        found = next(answers, None)
        if found is None:
            raise TemporaryFailure("the storage is not reachable")
        return await found(places, name, *needs)

    with monkeypatch.context() as patch:
        patch.setattr(Places, "mailbox", mailbox)
        assert client.try_(b"APPEND Sent {1+}\r\nx {1+}\r\ny")[0].startswith(b"NO [UNAVAILABLE] ")
    assert b" 1] " in client.try_(b"APPEND Sent {1+}\r\nz")[0]
