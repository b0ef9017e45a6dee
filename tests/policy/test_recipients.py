"""Where addresses of ours lead. Sources: RFC 5321 §3.9.1, §4.5.1; RFC 5233."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.verdict import Accept, Reject
from twisted_mail_node.policy import Recipients, RecipientSettings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

DOMAINS = ("a.test", "b.test")


@pytest.fixture
def directory():
    store = MemoryStore(Clock())
    result_of(store.start())
    for name in ("joe@a.test", "ann@a.test", "odd+name@a.test", "postmaster@a.test", "root@b.test"):
        result_of(store.add_user(name, "hash"))
    aliases = {
        "all@a.test": ["joe@a.test", "ann@a.test", "carol@c.test"],
        "chain@a.test": ["link@b.test"],
        "link@b.test": ["joe@a.test"],
        "away@a.test": ["away@c.test"],
        "ann@b.test": ["ann+b@a.test"],
        "circle@a.test": ["back@a.test"],
        "back@a.test": ["circle@a.test"],
        "half@a.test": ["circle@a.test", "joe@a.test"],
        "dead@a.test": ["nobody@a.test"],
        "twice@a.test": ["joe@a.test", "JOE@a.test", "joe+x@a.test"],
        "self@a.test": ["self@a.test"],
        "@b.test": ["joe@a.test"],
    }
    for source, targets in aliases.items():
        result_of(store.set_alias(source, [Address.parse(target) for target in targets]))
    return store


def leads(directory, text, **settings):
    recipients = Recipients(directory, RecipientSettings(domains=DOMAINS, **settings))
    address = Address("postmaster", "") if text == "postmaster" else Address.parse(text)
    verdict = result_of(recipients.resolve(address))
    if isinstance(verdict, Reject):
        return f"{verdict.code} {verdict.status}"
    assert verdict.recipient.address == address
    return [target.account for target in verdict.recipient.targets] + [str(one) for one in verdict.recipient.forwards]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("joe@a.test", ["joe@a.test"]),
        ("JOE@a.test", ["joe@a.test"]),
        ("joe+detail@a.test", ["joe@a.test"]),
        ("odd+name@a.test", ["odd+name@a.test"]),
        ("+joe@a.test", "550 5.1.1"),
        ("nobody@a.test", "550 5.1.1"),
        ("joe@c.test", "550 5.1.1"),
        ("all@a.test", ["joe@a.test", "ann@a.test", "carol@c.test"]),
        ("all+detail@a.test", ["joe@a.test", "ann@a.test", "carol@c.test"]),
        ("chain@a.test", ["joe@a.test"]),
        ("away@a.test", ["away@c.test"]),
        ("ann@b.test", ["ann@a.test"]),
        ("circle@a.test", "550 5.4.6"),
        ("half@a.test", ["joe@a.test"]),
        ("dead@a.test", "550 5.1.1"),
        ("twice@a.test", ["joe@a.test"]),
        ("self@a.test", "550 5.4.6"),
        ("anything@b.test", ["joe@a.test"]),
        ("root@b.test", ["root@b.test"]),
        ("postmaster@a.test", ["postmaster@a.test"]),
        ("PostMaster@a.test", ["postmaster@a.test"]),
        ("postmaster", ["postmaster@a.test"]),
    ],
)
def test_an_address_leads_where_the_directory_says(directory, text, expected):
    assert leads(directory, text) == expected


def test_postmaster_is_there_at_each_domain(directory):
    assert leads(directory, "postmaster@b.test", postmaster="root@b.test") == ["root@b.test"]
    assert leads(directory, "postmaster@a.test", postmaster="root@b.test") == ["postmaster@a.test"]
    assert leads(directory, "Postmaster+x@b.test", postmaster="root@b.test") == ["root@b.test"]


def test_an_alias_that_names_itself_keeps_a_copy(directory):
    result_of(directory.set_alias("joe@a.test", [Address("joe", "a.test"), Address("joe", "c.test")]))
    assert leads(directory, "joe@a.test") == ["joe@a.test", "joe@c.test"]
    assert leads(directory, "joe+x@a.test") == ["joe@a.test", "joe@c.test"]


def test_an_alias_goes_before_the_user_of_its_name(directory):
    result_of(directory.set_alias("joe@a.test", [Address("joe", "c.test")]))
    assert leads(directory, "joe@a.test") == ["joe@c.test"]


def test_aliases_are_followed_so_far_and_no_further(directory):
    for number in range(12):
        result_of(directory.set_alias(f"s{number}@a.test", [Address(f"s{number + 1}", "a.test")]))
    result_of(directory.set_alias("s12@a.test", [Address("joe", "a.test")]))
    assert leads(directory, "s0@a.test") == "550 5.4.6"
    assert leads(directory, "s8@a.test") == ["joe@a.test"]
    result_of(directory.set_alias("wide@a.test", [Address(f"x{number}", "c.test") for number in range(50)]))
    assert len(leads(directory, "wide@a.test", max_leads=20)) == 19


class Counting:
    """A directory that counts questions, and answers when told to."""

    def __init__(self):
        self.version, self.asked, self.waiting = 1, 0, None

    def alias(self, source):
        self.asked += 1
        return succeed(())

    def password_hash(self, name):
        self.asked += 1
        return self.waiting or succeed("hash" if name == "joe@a.test" else None)


def test_answers_are_remembered_until_the_directory_changes():
    directory = Counting()
    recipients = Recipients(directory, RecipientSettings(domains=DOMAINS, max_remembered=2))
    joe, bob = Address("joe", "a.test"), Address("bob", "a.test")
    result_of(recipients.resolve(joe))
    result_of(recipients.resolve(bob))
    asked = directory.asked
    assert isinstance(result_of(recipients.resolve(joe)), Accept)
    assert isinstance(result_of(recipients.resolve(bob)), Reject)
    assert directory.asked == asked
    directory.version += 1
    result_of(recipients.resolve(joe))
    assert directory.asked > asked


def test_what_is_remembered_is_bounded():
    directory = Counting()
    recipients = Recipients(directory, RecipientSettings(domains=DOMAINS, max_remembered=3))
    for number in range(10):
        result_of(recipients.resolve(Address(f"x{number}", "a.test")))
    assert len(recipients._remembered) == 3


def test_an_answer_that_was_overtaken_by_a_change_is_not_remembered():
    directory = Counting()
    directory.waiting = Deferred()
    recipients = Recipients(directory, RecipientSettings(domains=DOMAINS))
    asked = recipients.resolve(Address("joe", "a.test"))
    directory.version += 1
    waiting, directory.waiting = directory.waiting, None
    waiting.callback("hash")
    assert isinstance(result_of(asked), Accept)
    assert not recipients._remembered
