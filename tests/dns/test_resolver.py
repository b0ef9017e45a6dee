"""The resolver against a real name server on loopback."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, gatherResults
from twisted.names import dns
from zope.interface.verify import verifyObject

from twisted_mail_node.dns.resolver import MXResolver
from twisted_mail_node.interfaces.dns import IMXResolver
from twisted_mail_node.mail.errors import PermanentFailure, TemporaryFailure, Unavailable
from twisted_mail_node.testing.zone import ZoneServer, a, aaaa, cname, mx

ZONE = {
    "a.test": [mx(20, "second.a.test"), mx(10, "first.a.test")],
    "first.a.test": [a("192.0.2.1"), aaaa("2001:db8::1"), a("192.0.2.2")],
    "second.a.test": [a("192.0.2.3")],
    "implicit.test": [a("192.0.2.4")],
    "null.test": [mx(0, "")],
    "almost-null.test": [mx(0, ""), mx(5, "second.a.test")],
    "alias.test": [cname("a.test")],
    "alias-implicit.test": [cname("implicit.test")],
    "mx-alias.test": [mx(10, "aliased.mx-alias.test")],
    "aliased.mx-alias.test": [cname("first.a.test")],
    "loop.test": [cname("pool.test")],
    "pool.test": [cname("loop.test")],
    "self-loop.test": [cname("self-loop.test")],
    "many.test": [mx(n, f"h{n}.many.test") for n in range(50)],
    **{f"h{n}.many.test": [a("192.0.2.9")] for n in range(50)},
    "crowd.test": [a(f"192.0.2.{n}") for n in range(100)] + [aaaa("2001:db8::2")],
    "nothing.test": [dns.Record_TXT(b"only words", ttl=60)],
    "lost.test": [mx(10, "gone.lost.test")],
    "literal.test": [mx(10, "192.0.2.1")],
    "half.test": [mx(10, "gone.half.test"), mx(20, "second.a.test")],
    "xn--r8jz45g.xn--zckzah": [mx(10, "second.a.test")],
    "nowhere.test": [a("0.0.0.0"), aaaa("::")],
    "odd.test": [mx(10, "a b.odd.test"), mx(20, "second.a.test")],
    "short.test": [a("192.0.2.1", ttl=0)],
}


@pytest.fixture
def zone():
    server = ZoneServer(reactor, ZONE)
    server.start()
    yield server
    pytest_twisted.blockon(server.stop())


@pytest.fixture
def resolver(zone):
    made = resolver_for(zone.address)
    yield made
    pytest_twisted.blockon(made.stop())


def resolver_for(*servers, rounds=(5.0,)):
    return MXResolver(reactor, servers, rounds_seconds=rounds, shuffle=lambda group: None)


async def names(resolver, domain):
    return [host.name for host in await resolver.mail_hosts(domain)]


async def failure_of(resolver, domain):
    with pytest.raises((PermanentFailure, TemporaryFailure)) as caught:
        await resolver.mail_hosts(domain)
    return str(caught.value.status)


def test_it_provides_the_door():
    verifyObject(IMXResolver, MXResolver(reactor))


@pytest_twisted.ensureDeferred
async def test_hosts_come_by_preference_with_both_families_of_addresses(resolver):
    first, second = await resolver.mail_hosts("a.test")
    assert (first.name, first.preference) == ("first.a.test", 10)
    assert set(first.addresses) == {"2001:db8::1", "192.0.2.1", "192.0.2.2"}
    assert first.addresses[0] == "2001:db8::1"
    assert (second.name, second.addresses) == ("second.a.test", ("192.0.2.3",))


@pytest_twisted.ensureDeferred
async def test_answers_are_asked_for_once(zone, resolver):
    await gatherResults([resolver.mail_hosts("a.test") for _ in range(20)])
    await resolver.mail_hosts("A.Test.")
    assert zone.asked["a.test", dns.MX] == 1
    assert zone.asked["first.a.test", dns.A] == 1


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("implicit.test", ["implicit.test"]),
        ("almost-null.test", ["second.a.test"]),
        ("alias.test", ["first.a.test", "second.a.test"]),
        ("alias-implicit.test", ["implicit.test"]),
        ("mx-alias.test", ["aliased.mx-alias.test"]),
        ("例え.テスト", ["second.a.test"]),
        ("[192.0.2.7]", ["[192.0.2.7]"]),
        ("[IPv6:2001:db8::7]", ["[IPv6:2001:db8::7]"]),
        ("short.test", ["short.test"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_other_ways_to_a_host(resolver, domain, expected):
    assert await names(resolver, domain) == expected


@pytest.mark.parametrize(
    ("domain", "status"),
    [
        ("absent.test", "5.1.2"),
        ("no name.test", "5.1.2"),
        ("[192.0.2.7", "5.1.2"),
        ("null.test", "5.1.10"),
        ("nothing.test", "5.4.4"),
        ("lost.test", "5.4.4"),
        ("nowhere.test", "5.4.4"),
        ("literal.test", "5.4.4"),
        ("loop.test", "4.4.3"),
        ("self-loop.test", "4.4.3"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_ways_that_end(resolver, domain, status):
    assert await failure_of(resolver, domain) == status


@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_cut_is_asked_for_over_tcp_and_hosts_are_bounded(zone, resolver):
    found = await resolver.mail_hosts("many.test")
    assert [host.name for host in found] == [f"h{n}.many.test" for n in range(12)]
    assert zone.asked["many.test", dns.MX] == 2


@pytest_twisted.ensureDeferred
async def test_addresses_are_bounded_and_no_family_is_left_out(resolver):
    addresses = await resolver.addresses("crowd.test")
    assert len(addresses) == 8
    assert "2001:db8::2" in addresses


@pytest_twisted.ensureDeferred
async def test_a_host_without_addresses_keeps_its_place(resolver):
    first, second = await resolver.mail_hosts("half.test")
    assert (first.name, first.addresses) == ("gone.half.test", ())
    assert second.addresses == ("192.0.2.3",)


@pytest_twisted.ensureDeferred
async def test_a_servers_failure_is_temporary_and_remembered(zone, resolver):
    zone.faults["a.test"] = "servfail"
    assert await failure_of(resolver, "a.test") == "4.4.3"
    zone.faults.clear()
    assert await failure_of(resolver, "a.test") == "4.4.3"
    assert zone.asked["a.test", dns.MX] == 1


@pytest_twisted.ensureDeferred
async def test_addresses_that_nobody_tells_are_a_temporary_failure(zone, resolver):
    zone.faults["second.a.test"] = "servfail"
    zone.faults["first.a.test"] = "servfail"
    assert await failure_of(resolver, "a.test") == "4.4.3"


@pytest_twisted.ensureDeferred
async def test_one_family_is_enough(zone, resolver):
    zone.faults["first.a.test", dns.AAAA] = "servfail"
    assert set(await resolver.addresses("first.a.test")) == {"192.0.2.1", "192.0.2.2"}


@pytest_twisted.ensureDeferred
async def test_silence_is_a_temporary_failure(zone):
    zone.faults["a.test"] = "silence"
    resolver = resolver_for(zone.address, rounds=(0.05, 0.05))
    assert await failure_of(resolver, "a.test") == "4.4.3"
    assert zone.asked["a.test", dns.MX] == 2
    await resolver.stop()


@pytest.mark.parametrize("fault", ["servfail", "silence", "nobody"])
@pytest_twisted.ensureDeferred
async def test_another_server_is_asked_where_the_first_gives_no_answer(zone, fault):
    broken = ZoneServer(reactor, ZONE)
    broken.start()
    broken.faults["a.test"] = fault
    if fault == "nobody":
        await broken.stop()
    resolver = resolver_for(broken.address, zone.address, rounds=(0.5,))
    assert await names(resolver, "a.test") == ["first.a.test", "second.a.test"]
    await resolver.stop()
    if fault != "nobody":
        await broken.stop()


@pytest_twisted.ensureDeferred
async def test_localhost_is_known_without_asking(zone, resolver):
    assert await resolver.addresses("localhost") == ("127.0.0.1", "::1")
    assert not zone.asked


@pytest_twisted.ensureDeferred
async def test_an_address_is_its_own_answer(resolver):
    assert await resolver.addresses("192.0.2.5") == ("192.0.2.5",)


@pytest_twisted.ensureDeferred
async def test_stop_ends_a_lookup_and_leaves_no_socket(zone):
    zone.faults["a.test"] = "silence"
    resolver = resolver_for(zone.address)
    before = set(reactor.getReaders())
    waiting = resolver.mail_hosts("a.test")
    assert set(reactor.getReaders()) - before
    await resolver.stop()
    with pytest.raises(Unavailable):
        await waiting
    assert not set(reactor.getReaders()) - before
    with pytest.raises(Unavailable):
        await resolver.addresses("a.test")


@pytest_twisted.ensureDeferred
async def test_a_caller_who_gives_up_leaves_the_others_waiting(zone, resolver):
    one, other = resolver.mail_hosts("a.test"), resolver.mail_hosts("a.test")
    one.cancel()
    with pytest.raises(CancelledError):
        await one
    assert [host.name for host in await other] == ["first.a.test", "second.a.test"]


@pytest.mark.parametrize(
    ("host", "status"), [("gone.test", "5.1.2"), ("nothing.test", "5.4.4"), ("loop.test", "4.4.3"), ("a..b", "5.1.2")]
)
@pytest_twisted.ensureDeferred
async def test_addresses_that_are_not_found(resolver, host, status):
    with pytest.raises((PermanentFailure, TemporaryFailure)) as caught:
        await resolver.addresses(host)
    assert str(caught.value.status) == status


@pytest_twisted.ensureDeferred
async def test_the_address_of_a_literal_needs_no_question(zone, resolver):
    assert await resolver.addresses("[IPv6:2001:db8::7]") == ("2001:db8::7",)
    assert not zone.asked


@pytest_twisted.ensureDeferred
async def test_an_mx_record_with_a_name_that_is_none_leaves_the_others(resolver):
    first, second = await resolver.mail_hosts("odd.test")
    assert first.addresses == ()
    assert second.addresses == ("192.0.2.3",)


@pytest_twisted.ensureDeferred
async def test_without_servers_given_the_systems_files_are_read(tmp_path):
    hosts, resolv_conf = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("192.0.2.8 near.test\n")
    resolv_conf.write_text("nameserver 127.0.0.1\n")
    resolver = MXResolver(reactor, hosts_file=hosts, resolv_conf=resolv_conf)
    assert await resolver.addresses("near.test") == ("192.0.2.8",)
    assert resolver._current_servers() == resolver._current_servers() == [("127.0.0.1", 53)]
    await resolver.stop()
