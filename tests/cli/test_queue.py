"""`mailnode queue` on the store itself."""

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.transaction import Body, Outgoing, Transaction
from twisted_mail_node.node.blocking import wait_for
from twisted_mail_node.node.config import load_config
from twisted_mail_node.node.control import operations
from twisted_mail_node.node.storage import make_storage


@pytest.fixture
def queued(mailnode, tmp_path):
    """`mailnode`, with two recipients of one message in the queue."""
    (tmp_path / "state").mkdir(0o700)
    content = b"Subject: hi\r\n\r\nbody\r\n"
    sender = Address("alice", "a.test")
    outgoing = [Outgoing(0, sender, Address(name, "far.test")) for name in ("bob", "carol")]

    async def deliver(reactor):
        storage = make_storage(load_config(), tmp_path / "state" / "mail.sqlite", reactor)
        await storage.store.start()
        body = Body(len(content), 15, content)
        await storage.store.deliver(Transaction("T1", reactor.seconds(), (body,), queue=tuple(outgoing)))
        await storage.store.stop()

    wait_for(deliver)
    return mailnode


def test_the_queue_is_listed_and_shown(queued):
    listed = queued.json("queue", "list")
    assert [(item["sender"], item["recipient"], item["state"]) for item in listed] == [
        ("alice@a.test", "bob@far.test", "due"),
        ("alice@a.test", "carol@far.test", "due"),
    ]
    assert "carol@far.test" in queued("queue", "list")
    shown = queued.json("queue", "show", str(listed[0]["id"]))
    assert shown.items() >= listed[0].items()
    assert {key: shown[key] for key in shown.keys() - listed[0].keys()} == {
        "original_recipient": None,
        "body_type": "7BIT",
        "lease_owner": None,
        "transcript": "",
    }
    assert "recipient: bob@far.test\n" in queued("queue", "show", str(listed[0]["id"]))


def test_items_are_tried_again_and_dropped(queued):
    first, second = (str(item["id"]) for item in queued.json("queue", "list"))
    assert queued("queue", "retry", first) == "1 to be tried now\n"
    assert queued.json("queue", "retry", "--all") == {"count": 2}
    assert queued("queue", "drop", first) == "1 removed\n"
    assert [item["id"] for item in queued.json("queue", "list")] == [int(second)]


def test_an_item_that_is_not_there_is_told(queued):
    assert queued("queue", "show", "999", status=1).startswith("Error: ")


def test_retry_wants_to_know_which(queued):
    assert "--all" in queued("queue", "retry", status=2)
    assert "--all" in queued("queue", "retry", "1", "--all", status=2)


def test_a_queue_of_several_pages_is_listed_whole(queued, monkeypatch):
    monkeypatch.setattr(operations, "QUEUE_PAGE", 1)
    assert [item["recipient"] for item in queued.json("queue", "list")] == ["bob@far.test", "carol@far.test"]
