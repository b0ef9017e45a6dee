"""A store in memory as what moves mail knows one, and what can be seen in it afterwards."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.moving.importing import Import
from twisted_mail_node.node.control.mail import MailDesk
from twisted_mail_node.node.control.shelf import NodeShelf
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE = "joe@example.test"


class _Done:
    def __init__(self, answer):
        self._answer = answer

    def wait(self):
        return result_of(self._answer)


class DirectAccess:
    """Asks a desk in this very process."""

    def __init__(self, desk):
        self._desk = desk

    def begin(self, name, arguments, octets=b""):
        return _Done(Deferred.fromCoroutine(self._desk.perform(name, arguments, octets)))


class Seen(NamedTuple):
    """A message as others see it."""

    uid: int
    content: bytes
    flags: Flags
    date: tuple[int, int]
    guid: bytes


class Shop:
    """The store, a shelf on it, and accounts."""

    def __init__(self):
        self.store = MemoryStore(Clock())
        result_of(self.store.start())
        self.shelf = NodeShelf(DirectAccess(MailDesk(self.store)))
        self.account()

    def account(self, name=JOE, *mailboxes):
        result_of(self.store.create_account(name, mailboxes))
        return result_of(self.store.account(name))

    def mailbox(self, name="INBOX", account=JOE):
        return result_of(result_of(self.store.account(account)).mailbox(name))

    def bring(self, source, into="", account=JOE):
        """Import; gives the report."""
        bringing = Import(self.shelf, account, into, lambda name, amount: None, lambda amount, messages: None)
        bringing.run(source)
        return bringing.report

    def shelved(self, account=JOE):
        """The account's mailboxes by name."""
        return {mailbox.name: mailbox for mailbox in self.shelf.mailboxes(account)}

    def seen(self, name="INBOX", account=JOE):
        """The messages of a mailbox."""
        mailbox = self.shelved(account)[name]
        return [
            Seen(
                message.uid,
                b"".join(self.shelf.pieces(account, mailbox, message)),
                message.flags,
                tuple(message.internal_date),
                message.guid,
            )
            for message in self.shelf.messages(account, mailbox)
        ]

    def contents(self, name="INBOX", account=JOE):
        """The octets of a mailbox's messages."""
        return [message.content for message in self.seen(name, account)]


@pytest.fixture
def shop():
    """A store in memory with one account."""
    return Shop()
