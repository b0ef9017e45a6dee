"""Routes: MX hosts without ourselves, and the smarthost."""

import pytest
from twisted.internet.defer import fail, succeed
from zope.interface.verify import verifyObject

from twisted_mail_node.delivery.route import Routes, Smarthost, is_bindable
from twisted_mail_node.interfaces.delivery import IRoutes
from twisted_mail_node.mail.errors import MailError, PermanentFailure, TemporaryFailure
from twisted_mail_node.mail.mail_host import MailHost


class Resolver:
    def __init__(self, *hosts, error=None):
        self.hosts, self.error = hosts, error

    def mail_hosts(self, domain):
        return fail(self.error) if self.error else succeed(self.hosts)

    def addresses(self, host):
        return fail(self.error) if self.error else succeed(self.hosts[0].addresses)


def host(name, preference, *addresses):
    return MailHost(name, addresses, preference)


A, B, C = host("a", 10, "192.0.2.1"), host("b", 20, "192.0.2.2", "2001:db8::2"), host("c", 30, "192.0.2.3")


def routed(routes, domain="x.test"):
    out = []
    routes.route(domain).addBoth(out.append)
    return getattr(out[0], "value", out[0])


def names(*hosts, **settings):
    route = routed(Routes(Resolver(*hosts), **{"hostname": "me.test", **settings}))
    return [h.name for h in route.hosts] if not isinstance(route, MailError) else str(route.status)


def test_it_provides_the_door():
    verifyObject(IRoutes, Routes(Resolver(A), hostname="me.test"))


def test_the_hosts_of_the_domain_with_the_port_where_others_listen():
    route = routed(Routes(Resolver(A, B), hostname="me.test", port=2525))
    assert [(h.name, h.port) for h in route.hosts] == [("a", 2525), ("b", 2525)]
    assert route.tls == "may"


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [("me.test", ["a", "b", "c"]), ("c", ["a", "b"]), ("B.", ["a"]), ("a", "5.4.6")],
)
def test_a_host_of_our_name_and_all_that_are_not_better_are_dropped(hostname, expected):
    assert names(A, B, C, hostname=hostname) == expected


def test_hosts_as_good_as_ourselves_are_dropped_too():
    assert names(A, host("b1", 20, "192.0.2.9"), B, hostname="b") == ["a"]


def test_a_host_of_our_name_counts_though_it_has_no_address():
    assert names(host("me.test", 5), A) == "5.4.6"


@pytest.mark.parametrize(
    ("listening", "expected"),
    [
        ([("192.0.2.2", 25)], ["a"]),
        ([("2001:db8::2", 25)], ["a"]),
        ([("192.0.2.2", 2525)], ["a", "b", "c"]),  # another port is another server
        ([("192.0.2.77", 25)], ["a", "b", "c"]),
        ([("0.0.0.0", 25)], ["a", "b"]),
        ([("::", 25)], ["a", "b"]),
        ([("127.0.0.1", 25), ("0.0.0.0", 587)], ["a", "b", "c"]),
    ],
)
def test_an_address_and_port_where_we_listen_is_ourselves(listening, expected):
    settings = {"listening": lambda: listening, "is_own_address": lambda address: address == "192.0.2.3"}
    assert names(A, B, C, **settings) == expected


def test_loopback_is_not_special():
    assert names(host("l", 10, "127.0.0.1"), listening=lambda: [("127.0.0.2", 25)]) == ["l"]


def test_an_address_of_this_machine_can_be_bound():
    assert is_bindable("127.0.0.1")
    assert not is_bindable("192.0.2.1")


def test_what_the_resolver_fails_with_goes_through():
    error = PermanentFailure("no such domain")
    assert routed(Routes(Resolver(error=error), hostname="me.test")) is error


def test_a_smarthost_takes_everything():
    smarthost = Smarthost.parse("Relay.test:587", "encrypt", "joe", "secret")
    routes = Routes(Resolver(A), hostname="me.test", smarthost=smarthost)
    route = routed(routes)
    assert [(h.name, h.port, h.addresses) for h in route.hosts] == [("relay.test", 587, ("192.0.2.1",))]
    assert (route.tls, route.username, route.password) == ("encrypt", "joe", "secret")
    assert routes.destination("x.test") == routes.destination("y.test") == "relay.test:587"


def test_no_mail_is_returned_for_a_smarthost_that_is_not_found_or_is_ourselves():
    smarthost = Smarthost.parse("relay.test:25")
    failed = routed(Routes(Resolver(error=PermanentFailure("no")), hostname="me.test", smarthost=smarthost))
    assert isinstance(failed, TemporaryFailure)
    settings = {"smarthost": smarthost, "listening": lambda: [("192.0.2.1", 25)]}
    assert isinstance(routed(Routes(Resolver(A), hostname="me.test", **settings)), TemporaryFailure)


def test_destinations_are_domains():
    assert Routes(Resolver(), hostname="me.test").destination("x.test") == "x.test"


@pytest.mark.parametrize(("text", "expected"), [("h:25", ("h", 25)), ("[::1]:587", ("::1", 587))])
def test_smarthosts_are_read(text, expected):
    smarthost = Smarthost.parse(text)
    assert (smarthost.host, smarthost.port, smarthost.tls) == (*expected, "verify")


@pytest.mark.parametrize("text", ["", "h", ":25", "h:", "h:0", "h:70000", "h:x"])
def test_what_is_no_smarthost_is_refused(text):
    with pytest.raises(ValueError, match="not a smarthost"):
        Smarthost.parse(text)


def test_an_unknown_tls_policy_is_refused():
    with pytest.raises(ValueError, match="not a smarthost"):
        Smarthost.parse("h:25", "always")
