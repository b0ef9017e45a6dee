"""The operator's operations on the memory store."""

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from twisted_mail_node.mail.errors import AccountExists
from twisted_mail_node.mail.scram import ScramHash, ScramVerifier
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.control.operations import Operations, Refusal
from twisted_mail_node.node.first_start import make_postmaster
from twisted_mail_node.store.memory import MemoryStore


class Plain:
    def hash(self, password):
        return succeed(f"hash of {password}")


class Desk:
    """Operations on a store of its own; a refusal is raised."""

    def __init__(self, **settings):
        self.store, self.changed = MemoryStore(Clock()), []
        self.store.start()
        config = parse_config({"domain": [{"name": "a.test"}, {"name": "例え.test"}], **settings})
        self.operations = Operations(config, self.store, self.store, Plain(), lambda: 0.0, self.changed.append)

    def __call__(self, operation, **arguments):
        outcome = []
        self.operations.perform(operation, arguments).addBoth(outcome.append)
        if hasattr(outcome[0], "raiseException"):
            outcome[0].raiseException()
        return outcome[0]

    def value(self, deferred):
        outcome = []
        deferred.addBoth(outcome.append)
        return outcome[0]


def test_a_user_gets_the_configured_mailboxes():
    desk = Desk(imap={"new_mailboxes": ["Sent", "Lists"]})
    desk("user.add", name="alice@a.test", password="x")
    account = desk.value(desk.store.account("alice@a.test"))
    made = {info.name: info.special_use for info in desk.value(account.mailboxes())}
    assert made == {"INBOX": None, "Lists": None, "Sent": "\\Sent"}


def test_a_domain_may_be_written_in_its_own_letters():
    desk = Desk()
    assert desk("user.add", name="jo@例え.test", password="x") == {"name": "jo@xn--r8jz45g.test"}
    assert desk("user.passwd", name="jo@XN--r8jz45g.test", password="y") == {"name": "jo@xn--r8jz45g.test"}


def test_whose_password_changes_or_who_goes_is_told():
    desk = Desk()
    desk("user.add", name="alice@a.test", password="x")
    assert desk.changed == []
    desk("user.passwd", name="alice@a.test", password="y")
    desk("user.remove", name="alice@a.test")
    assert desk.changed == ["alice@a.test", "alice@a.test"]


def test_the_nodes_own_postmaster_is_nobody_until_it_is_added():
    desk = Desk()
    desk.value(desk.operations.perform("user.list", {}))
    for _ in range(2):
        desk.value(Deferred.fromCoroutine(make_postmaster(desk.store, "postmaster@a.test", ())))
    assert desk("user.list") == []
    assert desk("user.check", names=["postmaster@a.test"]) == []
    assert desk("domain.list")[0] == {"name": "a.test", "users": 0, "aliases": 0}
    for operation, arguments in (("user.passwd", {"password": "x"}), ("user.remove", {})):
        with pytest.raises(Refusal, match="there is no user postmaster@"):
            desk(operation, name="postmaster@a.test", **arguments)
    desk("user.add", name="postmaster@a.test", password="x")
    assert desk("user.list") == [{"name": "postmaster@a.test", "scram": False}]
    assert desk.value(desk.store.password_hash("postmaster@a.test")) == "hash of x"


def test_an_import_in_which_one_fails_takes_back_the_others():
    desk = Desk()
    add_user = desk.store.add_user

    def failing(name, *rest):
        if name == "c@a.test":
            raise AccountExists("somebody was faster")
        return add_user(name, *rest)

    desk.store.add_user = failing
    with pytest.raises(Refusal, match="somebody was faster"):
        desk("user.import", users=[["b@a.test", "x"], ["c@a.test", "x"], ["d@a.test", "x"]])
    assert desk("user.list") == []


def test_the_list_of_users_tells_who_has_verifiers():
    desk = Desk()
    for name in ("ann@a.test", "joe@a.test"):
        desk("user.add", name=name, password="x")
    verifier = ScramVerifier.from_password("x", ScramHash.SHA_256, b"salt", 4096)
    desk.value(desk.store.keep_verifiers("joe@a.test", "hash of x", [verifier]))
    assert desk("user.list") == [{"name": "ann@a.test", "scram": False}, {"name": "joe@a.test", "scram": True}]


@pytest.mark.parametrize(
    ("operation", "arguments", "told"),
    [
        ("user.fly", {}, "does not know the operation user.fly"),
        ("user.add", {}, "not the arguments that this operation takes"),
        ("user.add", {"name": 3, "password": "x"}, "not the arguments that this operation takes"),
        ("user.add", {"name": "a@a.test", "password": 3}, "an empty password is no password"),
        ("user.add", {"name": "a@" + "é" * 70 + ".test", "password": "x"}, "its domain can't be"),
        ("alias.add", {"source": "a@a.test", "targets": []}, "an alias leads to one address at least"),
        ("queue.show", {"id": 1}, "no such item"),
    ],
)
def test_what_cannot_be_done_is_refused(operation, arguments, told):
    with pytest.raises(Refusal, match=told):
        Desk()(operation, **arguments)
