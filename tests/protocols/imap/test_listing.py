"""Which names a LIST gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import succeed

from twisted_mail_node.mail.changes import MailboxInfo
from twisted_mail_node.mail.errors import NoSuchMailbox, TemporaryFailure
from twisted_mail_node.protocols.imap.listing import Tree
from twisted_mail_node.store.memory.doors import MemoryAccount
from twisted_mail_node.wire.imap.commands import ListSelection
from twisted_mail_node.wire.imap.list_pattern import ListPattern

SUBSCRIBED, SPECIAL_USE = ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE
RECURSIVE = ListSelection.RECURSIVE_MATCH

names = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)
mailboxes = st.dictionaries(names, st.sampled_from([None, "\\Sent"]), max_size=8)
patterns = st.lists(st.text("ab/%*", min_size=1, max_size=4), min_size=1, max_size=2)
selections = st.frozensets(st.sampled_from((SUBSCRIBED, SPECIAL_USE, RECURSIVE, ListSelection.REMOTE)))


def below(name, others):
    return [other for other in others if other.startswith(name + "/")]


@given(mailboxes, st.frozensets(names), patterns, selections)
def test_a_name_is_listed_for_what_it_is_or_for_what_is_below_it(uses, subscribed, texts, selection):
    tree = Tree([MailboxInfo(1, name, 1, use) for name, use in uses.items()], subscribed)
    made = [ListPattern(text) for text in texts]
    universe = {"/".join(name.split("/")[:depth]) for name in (*uses, *subscribed) for depth in (1, 2, 3)}

    def matches(name):
        return any(pattern.matches(name) for pattern in made)

    def meets(name):
        there = name in uses or bool(below(name, uses)) if SUBSCRIBED not in selection else name in subscribed
        return there and (SPECIAL_USE not in selection or bool(uses.get(name)))

    told = list(tree.listed(made, selection))
    expected = {}
    for name in universe:
        inside = [other for other in below(name, universe) if meets(other)] if RECURSIVE in selection else []
        if matches(name) and (meets(name) or any(not matches(other) for other in inside)):
            expected[name] = bool(inside)
    criteria = tuple(each.value for each in (SUBSCRIBED, SPECIAL_USE) if each in selection)
    assert {found.name: found.child_info for found in told} == {
        name: criteria if stands else () for name, stands in expected.items()
    }
    assert len(told) == len(expected)
    for found in told:
        assert found.selected == meets(found.name)
        assert found.has_children == bool(below(found.name, uses))
        assert (found.info is not None) == (found.name in uses)
        assert found.subscribed == (found.name in subscribed)


class _Failing:
    """A mailbox of which nothing can be told."""

    def __init__(self, error):
        self.error = error

    async def status(self):
        raise self.error


def test_a_mailbox_that_is_gone_when_its_status_is_asked_cannot_be_selected(server_of, monkeypatch):
    line = server_of().logged_in()
    gone = _Failing(NoSuchMailbox("gone"))
    monkeypatch.setattr(MemoryAccount, "mailbox", lambda self, name: succeed(gone))
    assert line.ask('LIST "" Sent RETURN (STATUS (MESSAGES))') == (
        b'* LIST (\\NonExistent \\HasNoChildren \\Sent) "/" Sent\r\n'
    )


def test_a_status_that_cannot_be_told_is_left_out(server_of, monkeypatch):
    line = server_of().logged_in()
    unreadable = _Failing(TemporaryFailure("disk"))
    monkeypatch.setattr(MemoryAccount, "mailbox", lambda self, name: succeed(unreadable))
    assert line.ask('LIST "" Sent RETURN (STATUS (MESSAGES))') == b'* LIST (\\HasNoChildren \\Sent) "/" Sent\r\n'
