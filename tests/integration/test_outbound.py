"""From the queue to another node: runner, routes, resolver and delivery together, on real sockets."""

from itertools import count

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.names import dns

from twisted_mail_node.delivery.pool import PoolLimits
from twisted_mail_node.delivery.remote import RemoteDelivery
from twisted_mail_node.delivery.route import Routes
from twisted_mail_node.dns.resolver import MXResolver
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Recipient, Target
from twisted_mail_node.queue.bouncer import Bouncer
from twisted_mail_node.queue.runner import QueueRunner
from twisted_mail_node.queue.schedule import Schedule
from twisted_mail_node.store.memory.store import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.fake_server import ScriptedServer
from twisted_mail_node.testing.samples import outgoing, transaction
from twisted_mail_node.testing.zone import ZoneServer, a, mx

ANN = "ann@example.test"


class Outbound:
    """All that sends, with a name server and another node that both follow a script."""

    def __init__(self, store):
        self.store = store
        self.other = ScriptedServer(reactor)
        self.zone = ZoneServer(
            reactor,
            {
                "b.test": [mx(10, "mx.b.test")],
                "mx.b.test": [a("127.0.0.1")],
                "us.test": [mx(10, "us.example.test")],
                "us.example.test": [a("127.0.0.1")],
                "null.test": [mx(0, "")],
            },
        )
        self.commits = 0

    async def start(self):
        self.other.start()
        self.zone.start()
        await self.store.start()
        await self.store.create_account(ANN)
        settle = self.store.settle

        def counted(*args):
            self.commits += 1
            return settle(*args)

        self.store.settle = counted
        self.resolver = MXResolver(reactor, [self.zone.address])
        routes = Routes(self.resolver, hostname="us.example.test", port=self.other.port)
        self.delivery = RemoteDelivery(
            self.store, routes, reactor, hostname="us.example.test", pool_limits=PoolLimits(rest_seconds=0.0)
        )
        ids = count(1)
        bouncer = Bouncer(
            self.store,
            lambda address: succeed(Recipient(address, (Target(ANN),))),
            hostname="us.example.test",
            postmaster=Address.parse("postmaster@example.test"),
            new_id=lambda: f"report-{next(ids)}",
        )
        schedule = Schedule(intervals_seconds=(0.05,), then_every_seconds=0.05, jitter=0.0)
        self.runner = QueueRunner(self.store, self.delivery, reactor, "us", bouncer=bouncer, schedule=schedule)
        await self.runner.start()

    async def stop(self):
        await self.runner.stop()
        await self.delivery.stop()
        await self.resolver.stop()
        await self.other.stop()
        await self.zone.stop()
        await self.store.stop()

    async def put(self, *recipients, number=1):
        parts = [outgoing(recipient, sender=ANN) for recipient in recipients]
        await gatherResults([self.store.deliver(transaction(*parts, now=reactor.seconds())) for _ in range(number)])

    async def until(self, condition):
        while not await condition():
            turn = Deferred()
            reactor.callLater(0.005, turn.callback, None)
            await turn

    async def is_empty(self):
        return not await self.store.items()

    async def reports(self):
        inbox = await (await self.store.account(ANN)).mailbox("INBOX")
        out = []
        for uid in await inbox.uids():
            opened = await inbox.open_body(uid)
            out.append(await opened.read(0, opened.size))
        return out


@pytest.fixture(params=["memory", "sqlite"])
def outbound(request, tmp_path):
    in_memory = request.param == "memory"
    made = Outbound(MemoryStore(reactor) if in_memory else SQLiteStore(tmp_path / "mail.db", reactor=reactor))
    pytest_twisted.blockon(Deferred.fromCoroutine(made.start()))
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.stop()))


@pytest_twisted.ensureDeferred
async def test_a_thousand_messages_need_few_questions_connections_and_commits(outbound):
    await outbound.put("r@b.test", number=1000)
    await outbound.until(outbound.is_empty)
    assert len(outbound.other.messages) == 1000
    assert outbound.zone.asked["b.test", dns.MX] == 1
    assert outbound.zone.asked["mx.b.test", dns.A] == 1
    assert outbound.other.most_open <= 5
    assert outbound.commits < 500


@pytest_twisted.ensureDeferred
async def test_mail_arrives_after_the_other_node_is_back(outbound):
    await outbound.other.stop()
    await outbound.put("r@b.test")

    async def was_tried():
        (item,) = await outbound.store.items()
        return item.attempts > 1

    await outbound.until(was_tried)
    outbound.other.start()
    await outbound.until(outbound.is_empty)
    assert len(outbound.other.messages) == 1


@pytest_twisted.ensureDeferred
async def test_every_permanent_failure_comes_back_in_a_report(outbound):
    outbound.other.answers = {"RCPT TO:<nobody@": b"550 5.1.1 no such user"}
    await outbound.put("nobody@b.test", "r@b.test", "r@us.test", "r@null.test", "r@absent.test")
    await outbound.until(outbound.is_empty)
    told = b"".join(await outbound.reports())
    for status in (b"5.1.1", b"5.4.6", b"5.1.10", b"5.1.2"):
        assert b"\r\nStatus: " + status + b"\r\n" in told
    assert outbound.other.messages[0].recipients == ["<r@b.test>"]
