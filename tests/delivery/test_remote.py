"""Delivery to scripted servers on loopback: hosts in order, outcomes per recipient, reuse, TLS, AUTH."""

from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, fail, gatherResults, succeed
from twisted.internet.defer import Deferred as TwistedDeferred
from twisted.internet.ssl import PrivateCertificate
from zope.interface.verify import verifyObject

from twisted_mail_node.delivery.client import TimeLimits
from twisted_mail_node.delivery.pool import PoolLimits
from twisted_mail_node.delivery.remote import RemoteDelivery
from twisted_mail_node.delivery.tls import ClientTLS
from twisted_mail_node.interfaces.deferred import returns_deferred
from twisted_mail_node.interfaces.delivery import Route
from twisted_mail_node.interfaces.queue import IDelivery
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.mail.errors import NoSuchItem, PermanentFailure, TemporaryFailure, Unavailable
from twisted_mail_node.mail.mail_host import MailHost
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions, Return
from twisted_mail_node.mail.queue_item import Deferred, Delivered, Failed, ItemState, QueueItem
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.testing.certificates import issue
from twisted_mail_node.testing.fake_server import DROP, SILENCE, ScriptedServer

CONTENT = b"Subject: hi\r\n\r\n.dot\r\nend\r\n"
EVERYTHING = ("PIPELINING", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8")
STUFFED = b"Subject: hi\r\n\r\n..dot\r\nend\r\n"


class OpenBody:
    def __init__(self, content):
        self.content, self.size, self.closed = content, len(content), 0

    def read(self, offset, length):
        return succeed(self.content[offset : offset + length])

    def close(self):
        self.closed += 1


class Bodies:
    """The part of a queue store that delivery uses."""

    def __init__(self):
        self.contents = {1: CONTENT}
        self.opened = []

    @returns_deferred
    async def open_queued(self, body_id):
        if body_id not in self.contents:
            raise NoSuchItem("no such body")
        self.opened.append(OpenBody(self.contents[body_id]))
        return self.opened[-1]


class FixedRoutes:
    """One route for every domain, or an error."""

    def __init__(self, *hosts, tls="none", error=None, **login):
        self.hosts, self.tls, self.error, self.login, self.asked = hosts, tls, error, login, 0

    def destination(self, domain):
        return domain

    @returns_deferred
    async def route(self, domain):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Route(self.hosts, self.tls, **self.login)


def item(
    number=1, *, recipient="r", body_id=1, body_size=None, eight_bit=False, sender="s", body_type=BodyType.SEVEN_BIT
):
    return QueueItem(
        item_id=number,
        transaction_id=f"t{number}",
        body_id=body_id,
        body_size=len(CONTENT) if body_size is None else body_size,
        header_size=15,
        eight_bit=eight_bit,
        body_type=body_type,
        sender=Address(sender, "a.test") if sender else None,
        recipient=Address(recipient, "b.test"),
        original_recipient=None,
        state=ItemState.LEASED,
        created=0.0,
        due=0.0,
    )


def host(server, name="mx.b.test", *, preference=10, addresses=None):
    return MailHost(name, addresses or (server.interface,), preference, server.port)


class World:
    """Servers and deliveries of a test, all stopped at its end."""

    def __init__(self):
        self.servers, self.deliveries, self.bodies = [], [], Bodies()

    def server(self, start=True, **script):
        server = ScriptedServer(reactor, **script)
        server.start()
        if start:
            self.servers.append(server)
        return server

    def delivery(self, routes, *, tls=None, limits=None, ignored_extensions=(), **pool):
        made = RemoteDelivery(
            self.bodies,
            routes,
            reactor,
            hostname="me.test",
            tls=tls,
            time_limits=limits or TimeLimits(quit=0.2),
            pool_limits=PoolLimits(**pool),
            ignored_extensions=ignored_extensions,
        )
        self.deliveries.append(made)
        return made


@pytest.fixture
def world():
    made = World()
    yield made
    pytest_twisted.blockon(gatherResults([delivery.stop() for delivery in made.deliveries]))
    pytest_twisted.blockon(gatherResults([server.stop() for server in made.servers]))


def status(outcome):
    return type(outcome).__name__, None if isinstance(outcome, Delivered) else str(outcome.status)


def test_it_provides_the_door(world):
    verifyObject(IDelivery, world.delivery(FixedRoutes()))


@pytest_twisted.ensureDeferred
async def test_a_message_arrives_as_it_is_stored(world):
    server = world.server()
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item()])
    assert isinstance(outcome, Delivered)
    assert (outcome.reply, outcome.host) == ("250 2.0.0 taken", "mx.b.test")
    (taken,) = server.messages
    assert (taken.sender, taken.recipients, taken.content) == ("<s@a.test>", ["<r@b.test>"], STUFFED)
    assert world.bodies.opened[0].closed


@pytest_twisted.ensureDeferred
async def test_each_recipient_has_its_own_outcome(world):
    server = world.server(answers={"RCPT TO:<bad@": b"550 5.1.1 no such", "RCPT TO:<full@": b"452 4.2.2 full"})
    items = [item(1, recipient="bad"), item(2, recipient="good"), item(3, recipient="full")]
    bad, good, full = await world.delivery(FixedRoutes(host(server))).deliver(items)
    assert status(bad) == ("Failed", "5.1.1")
    assert isinstance(good, Delivered)
    assert status(full) == ("Deferred", "4.2.2")
    assert "RCPT TO:<bad@b.test>" in bad.transcript
    assert "Subject" not in bad.transcript
    assert len(server.messages) == 1


@pytest_twisted.ensureDeferred
async def test_a_large_body_flows_in_pieces(world):
    content = b"Subject: big\r\n\r\n" + b".0123456789abcdef\r\n" * 200_000
    world.bodies.contents[2] = content
    server = world.server()
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item(body_id=2, body_size=len(content))])
    assert isinstance(outcome, Delivered)
    assert server.messages[0].content == content.replace(b"\r\n.", b"\r\n..")


@pytest_twisted.ensureDeferred
async def test_a_server_may_refuse_a_large_body_before_its_end(world):
    content = b"x" * 78 + b"\r\n"
    world.bodies.contents[2] = content * 100_000
    server = world.server(answers={"CONTENT": b"552 5.3.4 too much"})
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item(body_id=2, body_size=8_000_000)])
    assert status(outcome) == ("Failed", "5.3.4")


@pytest.mark.parametrize("greeting", [b"554 5.7.1 no service", b"421 busy", b"garbage", DROP])
@pytest_twisted.ensureDeferred
async def test_the_next_host_is_asked_where_one_refuses_to_talk(world, greeting):
    first, second = world.server(greeting=greeting), world.server()
    routes = FixedRoutes(host(first, "one"), host(second, "two", preference=20))
    (outcome,) = await world.delivery(routes).deliver([item()])
    assert (type(outcome), outcome.host) == (Delivered, "two")


@pytest_twisted.ensureDeferred
async def test_the_next_address_is_tried_where_nobody_listens(world):
    server = world.server()
    routes = FixedRoutes(host(server, addresses=("::1", "127.0.0.2", "127.0.0.1")))
    (outcome,) = await world.delivery(routes).deliver([item()])
    assert isinstance(outcome, Delivered)


@pytest.mark.parametrize(
    ("greetings", "expected"),
    [
        ([b"554 5.7.1 no"], ("Failed", "5.7.1")),
        ([b"554 no"], ("Failed", "5.0.0")),
        ([b"554 5.7.1 no", b"421 4.3.2 busy"], ("Deferred", "4.3.2")),
        ([b"421 4.3.2 busy", b"554 5.7.1 no"], ("Deferred", "4.3.2")),
        ([b"354 what"], ("Deferred", "4.5.0")),
        ([DROP], ("Deferred", "4.4.2")),
    ],
)
@pytest_twisted.ensureDeferred
async def test_where_no_host_is_left_a_temporary_refusal_weighs_more(world, greetings, expected):
    hosts = [host(world.server(greeting=greeting), f"h{n}") for n, greeting in enumerate(greetings)]
    (outcome,) = await world.delivery(FixedRoutes(*hosts)).deliver([item()])
    assert status(outcome) == expected


@pytest_twisted.ensureDeferred
async def test_nobody_listening_is_temporary_and_not_tried_again_at_once(world):
    server = world.server(start=False)
    await server.stop()
    routes = FixedRoutes(host(server))
    delivery = world.delivery(routes)
    (outcome,) = await delivery.deliver([item()])
    assert status(outcome) == ("Deferred", "4.4.1")
    assert outcome.host == ""
    (again,) = await delivery.deliver([item(2)])
    assert again == outcome
    assert routes.asked == 1


@pytest_twisted.ensureDeferred
async def test_a_destination_is_tried_again_after_its_rest(world):
    server = world.server(start=False)
    await server.stop()
    delivery = world.delivery(FixedRoutes(host(server)), rest_seconds=0.0)
    assert isinstance((await delivery.deliver([item()]))[0], Deferred)
    world.servers.append(server)
    server.start()
    assert isinstance((await delivery.deliver([item()]))[0], Delivered)


@pytest_twisted.ensureDeferred
async def test_a_destination_does_not_rest_where_a_real_try_is_asked_for(world):
    server = world.server(start=False)
    await server.stop()
    delivery = world.delivery(FixedRoutes(host(server)))
    assert isinstance((await delivery.deliver([item()]))[0], Deferred)
    world.servers.append(server)
    server.start()
    delivery.forget_failures()
    assert isinstance((await delivery.deliver([item()]))[0], Delivered)


@pytest_twisted.ensureDeferred
async def test_those_told_to_come_later_are_offered_to_the_next_host(world):
    first = world.server(answers={"RCPT TO:<b@": b"450 4.2.0 later", "RCPT TO:<c@": b"550 5.1.1 no"})
    second = world.server()
    routes = FixedRoutes(host(first, "one"), host(second, "two"))
    items = [item(n, recipient=name) for n, name in enumerate("abc")]
    a, b, c = await world.delivery(routes).deliver(items)
    assert (a.host, b.host, c.host) == ("one", "two", "one")
    assert [type(o) for o in (a, b, c)] == [Delivered, Delivered, Failed]
    assert second.messages[0].recipients == ["<b@b.test>"]


@pytest_twisted.ensureDeferred
async def test_what_a_host_said_stays_where_the_next_cannot_be_reached(world):
    first, gone = world.server(answers={"MAIL": b"451 4.7.1 greylisted"}), world.server(start=False)
    await gone.stop()
    routes = FixedRoutes(host(first, "one"), host(gone, "two"))
    (outcome,) = await world.delivery(routes).deliver([item()])
    assert (status(outcome), outcome.host) == (("Deferred", "4.7.1"), "one")


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest_twisted.ensureDeferred
async def test_a_connection_lost_before_the_content_moves_on_to_the_next_host(world, stage):
    first, second = world.server(answers={stage: DROP}), world.server()
    (outcome,) = await world.delivery(FixedRoutes(host(first, "one"), host(second, "two"))).deliver([item()])
    assert outcome.host == "two"


@pytest_twisted.ensureDeferred
async def test_a_connection_lost_after_the_final_dot_is_deferred_and_no_other_host_is_asked(world):
    first, second = world.server(answers={"END": DROP}), world.server()
    (outcome,) = await world.delivery(FixedRoutes(host(first, "one"), host(second, "two"))).deliver([item()])
    assert status(outcome) == ("Deferred", "4.4.2")
    assert not second.connections


@pytest_twisted.ensureDeferred
async def test_421_in_mid_session_defers_and_the_next_message_gets_a_new_connection(world):
    server = world.server(answers={"MAIL": [b"250 ok", b"421 4.3.2 enough", b"250 ok"]})
    delivery = world.delivery(FixedRoutes(host(server)))
    assert isinstance((await delivery.deliver([item(1)]))[0], Delivered)
    assert isinstance((await delivery.deliver([item(2)]))[0], Delivered)
    assert server.connections == 2


@pytest_twisted.ensureDeferred
async def test_421_on_a_fresh_connection_is_an_outcome(world):
    server = world.server(answers={"RCPT": b"421 4.3.2 enough"})
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item(1)])
    assert status(outcome) == ("Deferred", "4.3.2")


@pytest_twisted.ensureDeferred
async def test_a_kept_connection_that_the_server_dropped_is_no_failure(world):
    server = world.server(answers={"MAIL": [b"250 ok", DROP, b"250 ok"]})
    delivery = world.delivery(FixedRoutes(host(server)))
    for number in range(2):
        assert isinstance((await delivery.deliver([item(number)]))[0], Delivered)
    assert len(server.messages) == 2


@pytest_twisted.ensureDeferred
async def test_a_thousand_messages_share_few_connections_and_one_route_each(world):
    server = world.server()
    routes = FixedRoutes(host(server))
    delivery = world.delivery(routes, connections=3, messages_per_connection=400)
    outcomes = await gatherResults([delivery.deliver([item(n)]) for n in range(1000)])
    assert all(isinstance(outcome, Delivered) for (outcome,) in outcomes)
    assert len(server.messages) == 1000
    assert server.most_open <= 3
    assert routes.asked == server.connections <= 4


@pytest_twisted.ensureDeferred
async def test_a_connection_is_closed_after_so_many_messages_and_when_idle(world):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)), messages_per_connection=1)
    for number in range(2):
        await delivery.deliver([item(number)])
    assert server.connections == 2
    assert server.commands.count("QUIT") >= 1


@pytest_twisted.ensureDeferred
async def test_more_recipients_than_fit_go_in_several_transactions(world):
    server = world.server()
    outcomes = await world.delivery(FixedRoutes(host(server))).deliver([item(n, recipient=f"r{n}") for n in range(250)])
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert [len(taken.recipients) for taken in server.messages] == [100, 100, 50]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("needs", "refusal"),
    [
        ({"eight_bit": True}, "5.6.3"),
        ({"body_type": BodyType.BINARY_MIME}, "5.6.1"),
        ({"sender": "ä"}, "5.6.7"),
        ({"recipient": "ä"}, "5.6.7"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_host_does_not_take_goes_to_the_next_one_or_fails(world, needs, refusal):
    lacking, able = world.server(extensions=()), world.server(extensions=EVERYTHING)
    alone, both = FixedRoutes(host(lacking)), FixedRoutes(host(lacking), host(able, "mx2.b.test", preference=20))
    delivery = world.delivery(alone)
    (outcome,) = await delivery.deliver([item(**needs)])
    assert status(outcome) == ("Failed", refusal)
    assert outcome.host == "mx.b.test"
    assert isinstance((await delivery.deliver([item()]))[0], Delivered)
    assert lacking.connections == 1
    (outcome,) = await world.delivery(both).deliver([item(**needs)])
    assert (type(outcome), outcome.host) == (Delivered, "mx2.b.test")
    assert len(lacking.messages) == len(able.messages) == 1


@pytest_twisted.ensureDeferred
async def test_a_host_that_cannot_be_reached_does_not_change_that(world):
    lacking, gone = world.server(extensions=()), world.server()
    await gone.stop()
    routes = FixedRoutes(host(lacking), host(gone, "mx2.b.test", preference=20))
    (outcome,) = await world.delivery(routes).deliver([item(eight_bit=True)])
    assert status(outcome) == ("Failed", "5.6.3")


@pytest_twisted.ensureDeferred
async def test_a_message_above_the_size_of_a_host_fails_at_once(world):
    server = world.server(extensions=("SIZE 10",))
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item()])
    assert status(outcome) == ("Failed", "5.3.4")


@pytest_twisted.ensureDeferred
async def test_an_address_beyond_ascii_fails_alone(world):
    server = world.server()
    bad, good = await world.delivery(FixedRoutes(host(server))).deliver([item(1, recipient="ä"), item(2)])
    assert status(bad) == ("Failed", "5.6.7")
    assert isinstance(good, Delivered)


@pytest_twisted.ensureDeferred
async def test_an_address_that_cannot_be_written_fails_alone(world):
    server = world.server()
    bad, good = await world.delivery(FixedRoutes(host(server))).deliver([item(1, recipient="a\n"), item(2)])
    assert status(bad) == ("Failed", "5.1.3")
    assert isinstance(good, Delivered)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("Subject: hä\r\n\r\n".encode(), ("Failed", "5.6.9")), ("Subject: hi\r\n\r\nä\r\n".encode(), ("Delivered", None))],
)
@pytest_twisted.ensureDeferred
async def test_smtputf8_is_needed_for_a_header_and_not_for_a_text(world, content, expected):
    """RFC 6531 §3.2."""
    server = world.server()
    world.bodies.contents[2] = content
    asked = replace(
        item(body_id=2, body_size=len(content), eight_bit=True),
        options=MailOptions(smtputf8=True),
        header_size=content.index(b"\r\n\r\n") + 4,
    )
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([asked])
    assert status(outcome) == expected
    assert all(body.closed == 1 for body in world.bodies.opened)


@pytest_twisted.ensureDeferred
async def test_a_header_that_cannot_be_read_is_a_local_error(world, logged_failures):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)))
    asked = replace(item(body_id=7, eight_bit=True), options=MailOptions(smtputf8=True))
    (outcome,) = await delivery.deliver([asked])
    assert status(outcome) == ("Deferred", "4.3.0")
    assert logged_failures.pop().check(NoSuchItem)
    assert isinstance((await delivery.deliver([item()]))[0], Delivered)
    assert server.connections == 1


@pytest.mark.parametrize("extensions", [("PIPELINING", "CHUNKING", "8BITMIME"), ("CHUNKING", "8BITMIME")])
@pytest_twisted.ensureDeferred
async def test_a_large_message_goes_in_chunks(world, extensions):
    server = world.server(extensions=extensions)
    content = b"Subject: hi\r\n\r\n" + b".line\r\n" * 20_000
    world.bodies.contents[2] = content
    delivery = world.delivery(FixedRoutes(host(server)))
    for _ in range(2):
        (outcome,) = await delivery.deliver([item(body_id=2, body_size=len(content))])
        assert isinstance(outcome, Delivered)
    assert [(taken.content == content, taken.chunks) for taken in server.messages] == [(True, 3), (True, 3)]
    assert server.connections == 1
    assert not [command for command in server.commands if command in ("DATA", "RSET")]


@pytest.mark.parametrize("extensions", [("PIPELINING", "CHUNKING"), ("CHUNKING",)])
@pytest_twisted.ensureDeferred
async def test_a_chunk_that_is_not_taken_ends_the_message_and_not_the_connection(world, extensions):
    server = world.server(extensions=extensions, answers={"BDAT": [b"452 4.3.1 full", b"250 ok"], "END": b"250 ok"})
    content = b"Subject: hi\r\n\r\n" + b"line\r\n" * 200_000
    world.bodies.contents[2] = content
    delivery = world.delivery(FixedRoutes(host(server)))
    (outcome,) = await delivery.deliver([item(body_id=2, body_size=len(content))])
    assert status(outcome) == ("Deferred", "4.3.1")
    assert all(body.closed == 1 for body in world.bodies.opened)
    assert isinstance((await delivery.deliver([item()]))[0], Delivered)
    assert server.connections == 1
    assert "RSET" in server.commands


@pytest_twisted.ensureDeferred
async def test_what_is_to_be_ignored_is_not_made_use_of(world):
    server = world.server(extensions=("CHUNKING", "dsn", "PIPELINING"))
    delivery = world.delivery(FixedRoutes(host(server)), ignored_extensions=("CHUNKING", "DSN"))
    (outcome,) = await delivery.deliver([item()])
    assert not outcome.reports
    assert server.messages[0].content == STUFFED


@pytest.mark.parametrize(("extensions", "reports"), [(("DSN",), True), ((), False)])
@pytest_twisted.ensureDeferred
async def test_what_was_asked_for_goes_on_to_a_host_that_reports(world, extensions, reports):
    """RFC 3461 §5.2.1: an alias is told as the original recipient where the client told none."""
    server = world.server(extensions=extensions)
    asked = replace(
        item(1),
        options=MailOptions(ret=Return.FULL, envelope_id="e1"),
        recipient_options=RecipientOptions(notify=Notify.SUCCESS),
        original_recipient=Address("alias+x", "a.test"),
    )
    plain = replace(item(2, recipient="q"), options=asked.options)
    outcomes = await world.delivery(FixedRoutes(host(server))).deliver([asked, plain])
    assert [outcome.reports for outcome in outcomes] == [reports, reports]
    told = [command for command in server.commands if command.startswith(("MAIL", "RCPT"))]
    assert told == (
        [
            "MAIL FROM:<s@a.test> RET=FULL ENVID=e1",
            "RCPT TO:<r@b.test> NOTIFY=SUCCESS ORCPT=rfc822;alias+2Bx@a.test",
            "RCPT TO:<q@b.test>",
        ]
        if reports
        else ["MAIL FROM:<s@a.test>", "RCPT TO:<r@b.test>", "RCPT TO:<q@b.test>"]
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermanentFailure("no", EnhancedStatus(5, 1, 2)), ("Failed", "5.1.2")),
        (TemporaryFailure("no", EnhancedStatus(4, 4, 3)), ("Deferred", "4.4.3")),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_route_that_is_not_found_is_an_outcome(world, error, expected):
    (outcome,) = await world.delivery(FixedRoutes(error=error)).deliver([item()])
    assert status(outcome) == expected


@pytest.mark.parametrize(
    ("script", "step"),
    [
        ({"greeting": SILENCE}, "greeting"),
        ({"answers": {"DATA": SILENCE}, "extensions": ()}, "data"),
        ({"answers": {"END": SILENCE}}, "end"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_silent_server_is_left_when_its_time_is_over(world, script, step):
    limits = TimeLimits(**{step: 0.05})
    (outcome,) = await world.delivery(FixedRoutes(host(world.server(**script))), limits=limits).deliver([item()])
    assert status(outcome) == ("Deferred", "4.4.2")
    assert step in outcome.reply


@pytest_twisted.ensureDeferred
async def test_a_body_that_cannot_be_read_defers_and_sends_nothing(world, logged_failures):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)))
    (outcome,) = await delivery.deliver([item(body_id=9)])
    assert isinstance(outcome, Deferred)
    assert not server.messages
    assert logged_failures.pop().check(NoSuchItem)


@pytest_twisted.ensureDeferred
async def test_a_body_whose_store_cannot_be_reached_is_sent_later(world):
    server = world.server()
    world.bodies.open_queued = lambda body_id: fail(Unavailable("not reached"))
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item()])
    assert isinstance(outcome, Deferred)
    assert not server.messages


@pytest_twisted.ensureDeferred
async def test_a_body_shorter_than_told_is_never_ended(world, logged_failures):
    server = world.server()
    opened = OpenBody(CONTENT)
    opened.size = 1000
    world.bodies.open_queued = lambda body_id: succeed(opened)
    (outcome,) = await world.delivery(FixedRoutes(host(server))).deliver([item()])
    assert isinstance(outcome, Deferred)
    assert not server.messages
    assert logged_failures.pop().check(EOFError)


@pytest_twisted.ensureDeferred
async def test_stop_closes_kept_connections_and_nothing_is_sent_after_it(world):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)))
    await delivery.deliver([item()])
    assert server.open_now
    await delivery.stop()
    assert server.commands[-1] == "QUIT"
    (outcome,) = await delivery.deliver([item(2)])
    assert status(outcome) == ("Deferred", "4.3.2")


@pytest_twisted.ensureDeferred
async def test_stop_waits_for_a_transaction_under_way(world):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)))
    under_way = delivery.deliver([item()])
    await delivery.stop()
    assert isinstance((await under_way)[0], Delivered | Deferred)


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_is_closed_after_its_time(world):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)), idle_seconds=0.01)
    await delivery.deliver([item()])
    while server.open_now:
        turn = TwistedDeferred()
        reactor.callLater(0.005, turn.callback, None)
        await turn
    assert server.commands[-1] == "QUIT"
    assert isinstance((await delivery.deliver([item(2)]))[0], Delivered)
    assert server.connections == 2


@pytest_twisted.ensureDeferred
async def test_what_waits_for_a_place_when_delivery_stops_is_deferred(world):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)), connections=1)
    first, second = delivery.deliver([item(1)]), delivery.deliver([item(2)])
    await delivery.stop()
    assert isinstance((await first)[0], Delivered | Deferred)
    assert status((await second)[0]) == ("Deferred", "4.3.2")


@pytest_twisted.ensureDeferred
async def test_cancelling_drops_the_connection_and_frees_the_place(world):
    server = world.server(answers={"MAIL": [SILENCE, b"250 ok"]}, extensions=())
    delivery = world.delivery(FixedRoutes(host(server)), connections=1)
    first = delivery.deliver([item(1)])
    while "MAIL FROM:<s@a.test>" not in server.commands:
        turn = TwistedDeferred()
        reactor.callLater(0.005, turn.callback, None)
        await turn
    first.cancel()
    with pytest.raises(CancelledError):
        await first
    assert isinstance((await delivery.deliver([item(2)]))[0], Delivered)
    assert server.connections == 2


@pytest_twisted.ensureDeferred
async def test_cancelling_while_connecting_is_just_that(world):
    delivery = world.delivery(FixedRoutes(host(world.server())))
    connecting = delivery.deliver([item()])
    connecting.cancel()
    with pytest.raises(CancelledError):
        await connecting
    assert isinstance((await delivery.deliver([item()]))[0], Delivered)


# -- TLS and AUTH


@pytest.fixture(scope="module")
def authority():
    return issue("ca.test")


@pytest.fixture
def server_tls(authority):
    issued = issue("mx.b.test", issuer=authority)
    return PrivateCertificate.loadPEM(issued.pem + issued.key_pem).options()


@pytest.fixture
def trusting(authority, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return ClientTLS(path)


@pytest.mark.parametrize("policy", ["may", "encrypt", "verify"])
@pytest_twisted.ensureDeferred
async def test_tls_is_used_where_it_is_offered(world, server_tls, trusting, policy):
    server = world.server(tls=server_tls)
    delivery = world.delivery(FixedRoutes(host(server), tls=policy), tls=trusting)
    for number in range(2):
        (outcome,) = await delivery.deliver([item(number)])
        assert isinstance(outcome, Delivered)
    assert all(taken.tls for taken in server.messages)
    assert (server.connections, server.commands.count("EHLO me.test")) == (1, 2)


@pytest_twisted.ensureDeferred
async def test_a_large_body_flows_over_tls(world, server_tls):
    content = b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 60_000
    world.bodies.contents[2] = content
    server = world.server(tls=server_tls)
    delivery = world.delivery(FixedRoutes(host(server), tls="may"))
    (outcome,) = await delivery.deliver([item(body_id=2, body_size=len(content))])
    assert isinstance(outcome, Delivered)
    assert server.messages[0].content == content


@pytest_twisted.ensureDeferred
async def test_no_tls_is_asked_for_under_none(world, server_tls):
    server = world.server(tls=server_tls)
    await world.delivery(FixedRoutes(host(server), tls="none")).deliver([item()])
    assert "STARTTLS" not in server.commands


@pytest_twisted.ensureDeferred
async def test_verify_refuses_another_hosts_certificate(world, server_tls, trusting):
    server = world.server(tls=server_tls)
    routes = FixedRoutes(host(server, "other.b.test"), tls="verify")
    (outcome,) = await world.delivery(routes, tls=trusting).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.5")
    assert "other.b.test" in outcome.reply
    assert not server.messages


@pytest_twisted.ensureDeferred
async def test_verify_refuses_a_certificate_that_nobody_trusts(world, server_tls):
    server = world.server(tls=server_tls)
    (outcome,) = await world.delivery(FixedRoutes(host(server), tls="verify"), tls=ClientTLS()).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.5")
    assert "TLS" in outcome.reply


@pytest.mark.parametrize("policy", ["encrypt", "verify"])
@pytest_twisted.ensureDeferred
async def test_a_host_without_tls_gets_nothing_where_tls_is_required(world, policy):
    server = world.server()
    (outcome,) = await world.delivery(FixedRoutes(host(server), tls=policy)).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.4")
    assert not server.messages


@pytest_twisted.ensureDeferred
async def test_under_may_broken_tls_is_done_without_and_remembered(world):
    server = world.server(tls=DROP)
    delivery = world.delivery(FixedRoutes(host(server), tls="may"), messages_per_connection=1)
    for number in range(2):
        (outcome,) = await delivery.deliver([item(number)])
        assert isinstance(outcome, Delivered)
    assert server.commands.count("STARTTLS") == 1
    assert server.connections == 3


@pytest_twisted.ensureDeferred
async def test_under_encrypt_broken_tls_is_a_temporary_failure(world):
    server = world.server(tls=DROP)
    (outcome,) = await world.delivery(FixedRoutes(host(server), tls="encrypt")).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.5")


@pytest.mark.parametrize(("policy", "expected"), [("may", "Delivered"), ("encrypt", "Deferred")])
@pytest_twisted.ensureDeferred
async def test_starttls_refused_in_words(world, server_tls, policy, expected):
    server = world.server(tls=server_tls, answers={"STARTTLS": b"454 4.7.0 not now"})
    (outcome,) = await world.delivery(FixedRoutes(host(server), tls=policy)).deliver([item()])
    assert type(outcome).__name__ == expected
    assert server.connections == 1


@pytest_twisted.ensureDeferred
async def test_a_smarthost_is_logged_in_to_over_tls(world, server_tls, trusting):
    server = world.server(tls=server_tls, extensions=("AUTH PLAIN",), answers={"AUTH": b"235 2.7.0 ok"})
    routes = FixedRoutes(host(server), tls="verify", username="joe", password="secret")
    (outcome,) = await world.delivery(routes, tls=trusting).deliver([item()])
    assert isinstance(outcome, Delivered)
    assert "AUTH PLAIN AGpvZQBzZWNyZXQ=" in server.commands


@pytest_twisted.ensureDeferred
async def test_a_refused_login_is_temporary(world):
    server = world.server(extensions=("AUTH PLAIN",), answers={"AUTH": b"535 5.7.8 no"})
    routes = FixedRoutes(host(server), tls="none", username="joe", password="secret")
    (outcome,) = await world.delivery(routes).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.8")
    assert "AGpv" not in outcome.transcript


@pytest_twisted.ensureDeferred
async def test_no_password_goes_out_in_plain_by_chance(world):
    server = world.server(extensions=("AUTH PLAIN",))
    routes = FixedRoutes(host(server), tls="may", username="joe", password="secret")
    (outcome,) = await world.delivery(routes).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.11")
    assert not any(command.startswith("AUTH") for command in server.commands)


@pytest.mark.parametrize(
    "content", [None, b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
@pytest_twisted.ensureDeferred
async def test_trusted_certificates_that_cannot_be_read_are_our_fault_and_temporary(
    world, server_tls, tmp_path, content, logged_failures
):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    server = world.server(tls=server_tls)
    (outcome,) = await world.delivery(FixedRoutes(host(server), tls="verify"), tls=ClientTLS(path)).deliver([item()])
    assert status(outcome) == ("Deferred", "4.3.0")
    assert str(path) not in outcome.reply
    assert str(path) in logged_failures.pop().getErrorMessage()


@pytest_twisted.ensureDeferred
async def test_an_address_is_checked_against_the_addresses_of_a_certificate(world, server_tls, trusting):
    server = world.server(tls=server_tls)
    routes = FixedRoutes(host(server, "127.0.0.1"), tls="verify")
    (outcome,) = await world.delivery(routes, tls=trusting).deliver([item()])
    assert status(outcome) == ("Deferred", "4.7.5")


@pytest_twisted.ensureDeferred
async def test_no_line_is_kept_where_there_are_many_in_all_and_nobody_waits_for_it(world):
    server = world.server()
    delivery = world.delivery(FixedRoutes(host(server)), connections=1, connections_in_all=2)

    def to(domain):
        return delivery.deliver([replace(item(), recipient=Address("r", domain))])

    for domain in ("a.test", "b.test", "a.test", "c.test", "a.test", "b.test"):
        (outcome,) = await to(domain)
        assert isinstance(outcome, Delivered)
    assert server.connections == 3
    await gatherResults([to("c.test"), to("c.test"), to("c.test")])
    assert server.connections == 4


@pytest_twisted.ensureDeferred
async def test_a_host_that_does_not_answer_quit_holds_up_no_stop(world):
    server = world.server(answers={"QUIT": SILENCE})
    delivery = world.delivery(FixedRoutes(host(server)), limits=TimeLimits(quit=60.0))
    await delivery.deliver([item()])
    began = reactor.seconds()
    await delivery.stop()
    assert reactor.seconds() - began < 2.0
    assert "QUIT" in server.commands
