"""Unique-ids: what fits stays, what does not becomes what does, and a move changes none."""

from __future__ import annotations

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS
from twisted_mail_node.mail.restoring import RestoredMessage
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.node.copying.store import copy_store
from twisted_mail_node.node.doors import all_in_one
from twisted_mail_node.protocols.pop3.unique_id import unique_id
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore


@pytest.mark.parametrize("guid", ["0", "!~", "a" * 70, "123.45.6", "0123456789abcdef" * 2])
def test_guid_that_fits_is_the_id(guid):
    assert unique_id(guid) == guid


@given(st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=80))
def test_whatever_a_store_gives_becomes_an_id_and_two_stay_two(one, other):
    for guid in (one, other):
        assert 1 <= len(unique_id(guid)) <= 70
        assert all("!" <= character <= "~" for character in unique_id(guid))
    assert (unique_id(one) == unique_id(other)) is (one == other)


def test_ids_of_an_applications_own_store_fit(server):
    content = b"S: x\r\n\r\n"
    odd = ["two words", "a" * 71, "ü" * 40, "plain"]
    messages = [
        RestoredMessage(Body(len(content), len(content), content), NO_FLAGS, InternalDate(1), guid, number)
        for number, guid in enumerate(odd, 1)
    ]
    server.inbox.restore(messages).addErrback(lambda failure: pytest.fail(str(failure)))
    line = server.logged_in()
    rows = [row.split(b" ", 1)[1] for row in line.say(b"UIDL\r\n").split(b"\r\n")[1:-2]]
    assert rows == [unique_id(guid).encode() for guid in odd]
    assert line.say(b"UIDL 3\r\n") == b"+OK 3 " + rows[2] + b"\r\n"


def told(*arguments):
    """Nobody looks on."""


@pytest_twisted.ensureDeferred
async def test_a_move_to_other_backends_changes_no_id(server, server_of, tmp_path):
    server.deliver(*[b"S: %d\r\n\r\n" % number for number in range(5)])
    server.expunge(2)
    before = server.logged_in().say(b"UIDL\r\n")
    assert before.count(b"\r\n") == 6
    elsewhere = SQLiteStore(tmp_path / "mail.db", reactor=reactor)
    back = MemoryStore(server.clock)
    for store in (elsewhere, back):
        await store.start()
    await copy_store(all_in_one(server.store), all_in_one(elsewhere), told, told)
    await copy_store(all_in_one(elsewhere), all_in_one(back), told, told)
    await elsewhere.stop()
    assert server_of(store=back).logged_in().say(b"UIDL\r\n") == before
