"""What people read in a report."""

from __future__ import annotations

import email
import email.policy

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.report import Action, Told
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.queue.reports.words import words_part


def text(*told, more=0, is_whole=False):
    part = words_part("mx.a.test", told, more, is_whole=is_whole)
    return email.message_from_bytes(part, policy=email.policy.default).get_content()


def test_recipients_stand_under_what_became_of_them():
    told = text(
        Told(Address("d", "a.test"), Action.DELIVERED),
        Told(Address("f", "b.test"), Action.FAILED, EnhancedStatus(5, 1, 1), "550 no", "mx.b.test"),
        Told(Address("r", "c.test"), Action.RELAYED, reply="250 ok", host="mx.c.test"),
        Told(Address("e", "a.test"), Action.EXPANDED),
    )
    found = [
        told.index(words)
        for words in (
            "could not be delivered",
            "<f@b.test>",
            "The host mx.b.test said: 550 no",
            "was delivered into the mailboxes",
            "<d@a.test>",
            "was handed on",
            "<r@c.test>",
            "The host mx.c.test said: 250 ok",
            "passed on to several addresses",
            "<e@a.test>",
        )
    ]
    assert found == sorted(found)


def test_it_says_what_is_attached():
    failed = Told(Address("f", "b.test"), Action.FAILED, EnhancedStatus(5, 1, 1))
    assert "Its header is attached." in text(failed)
    assert "The message is attached." in text(failed, is_whole=True)


def test_a_success_without_words_is_told_by_its_name_alone():
    assert text(Told(Address("d", "a.test"), Action.DELIVERED)).rstrip().endswith("<d@a.test>")
