"""What servers answer that they should not: one message is told, and the rest comes."""

from __future__ import annotations

import pytest
from imapclient.exceptions import IMAPClientAbortError
from imapclient.response_parser import parse_fetch_response, parse_message_list

from twisted_mail_node.moving.formats.imap import IMAPMailbox, IMAPServer
from twisted_mail_node.moving.source import CannotRead, Known, Original, Unreadable

TOLD = b'INTERNALDATE "01-Jan-2020 10:00:00 +0000" FLAGS (\\Seen) RFC822.SIZE 5'
BODY = b"X: y\n"


class Server:
    """As much of a client as is asked: it understands lines of a server as the library does."""

    def __init__(self, searched: bytes, told: dict[int, bytes]) -> None:
        self._searched = searched
        self._told = told

    def search(self, _criteria):
        return parse_message_list([self._searched])

    def fetch(self, uids, items):
        lines = []
        for uid in uids:
            if uid in self._told:
                content = b'BODY[] "X: y"' if "BODY.PEEK[]" in items else self._told[uid]
                lines.append(b"%d (UID %d %s)" % (uid, uid, content))
        return parse_fetch_response(lines, normalise_times=False)


def mailbox(searched: bytes, told: dict[int, bytes]) -> IMAPMailbox:
    selected = {b"UIDVALIDITY": 7, b"UIDNEXT": 100}
    return IMAPMailbox(Server(searched, told), "joe@there.test", [], None, True, selected)


def read(searched: bytes, told: dict[int, bytes]):
    return list(mailbox(searched, told).messages(set()))


def test_a_uid_that_is_listed_twice_is_one_message():
    found = read(b"1 2 2 1", {1: TOLD, 2: TOLD})
    assert [one.uid for one in found] == [1, 2]


def test_a_keyword_of_digits_is_a_keyword():
    (found,) = read(b"1", {1: TOLD.replace(b"\\Seen", b"\\Seen 2020")})
    assert isinstance(found, Original)
    assert found.flags.wire == b"\\Seen 2020"


@pytest.mark.parametrize(
    "change",
    [(b"RFC822.SIZE 5", b"RFC822.SIZE NIL"), (b"FLAGS (\\Seen)", b"FLAGS NIL"), (b"RFC822.SIZE 5", b"RFC822.SIZE (5)")],
)
def test_what_is_told_amiss_of_one_message_is_done_without(change):
    found = read(b"1 2", {1: TOLD.replace(*change), 2: TOLD})
    assert [type(one) for one in found] == [Original, Original]


def test_a_server_that_goes_away_is_not_asked_message_by_message(monkeypatch):
    asked = []

    def gone(self, uids, items):
        asked.append(uids)
        raise IMAPClientAbortError("gone")

    monkeypatch.setattr(Server, "fetch", gone)
    with pytest.raises(CannotRead):
        read(b"1 2 3", {})
    assert len(asked) == 1


@pytest.mark.parametrize("line", [b"FLAGS (\\Seen", b"FLAGS (\\Seen) RFC822.SIZE"])
def test_a_message_whose_answer_makes_no_sense_is_told_and_the_rest_comes(line):
    found = read(b"1 2 3", {1: TOLD, 2: line, 3: TOLD})
    assert [one.uid for one in found if isinstance(one, Original)] == [1, 3]
    assert [one.name for one in found if isinstance(one, Unreadable)] == ["INBOX, UID 2"]


def test_a_message_that_is_gone_is_passed_over():
    assert [type(one) for one in read(b"1 2", {2: TOLD})] == [Known, Original]


def test_a_mailbox_whose_list_makes_no_sense_cannot_be_read():
    with pytest.raises(CannotRead):
        mailbox(b"one two", {})


class Listing:
    """A server with these mailboxes."""

    def __init__(self, *rows) -> None:
        self._rows = rows

    def list_folders(self):
        return list(self._rows)

    def list_sub_folders(self):
        return []

    def select_folder(self, name, readonly):
        return {b"UIDVALIDITY": b"none", b"UIDNEXT": 1} if name == "Strange" else {b"UIDVALIDITY": 7, b"UIDNEXT": 1}

    def search(self, _criteria):
        return []


def test_one_mailbox_that_is_told_amiss_keeps_no_other_back():
    server = IMAPServer(Listing(((), b"/", "Strange"), ((), b"\xff", "Work"), ((), b"", "Zoo")), "joe@there.test")
    found = list(server.mailboxes())
    assert [getattr(one, "levels", None) for one in found] == [["Strange"], ["Work"], ["Zoo"]]
    assert found[0].uid_validity is None
