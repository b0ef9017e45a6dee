"""The rules for MX records and for names."""

import pytest

from twisted_mail_node.dns.mx import MXRecord, literal_address, order_hosts, question_name
from twisted_mail_node.mail.errors import PermanentFailure


def hosts(*records, shuffle=lambda group: None, **more):
    return [record.exchange for record in order_hosts("x.test", [MXRecord(*r) for r in records], shuffle, **more)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([(20, "b"), (10, "a")], ["a", "b"]),
        ([(0, "a")], ["a"]),
        ([(10, "a"), (5, "a"), (7, "b")], ["a", "b"]),  # a host counts where it is preferred
        ([(0, ""), (10, "a")], ["a"]),  # a null MX among others is disregarded
        ([(5, "192.0.2.1"), (10, "a")], ["a"]),  # an exchange is no address
        ([(5, "2001:db8::1"), (10, "a")], ["a"]),
    ],
)
def test_hosts_come_by_preference_without_what_is_no_host(records, expected):
    assert hosts(*records) == expected


def test_equal_preferences_are_shuffled_among_themselves_only():
    order = hosts((10, "c"), (5, "a"), (5, "b"), (10, "d"), (1, "z"), shuffle=lambda group: group.reverse())
    assert order == ["z", "b", "a", "d", "c"]


def test_only_so_many_hosts_are_tried_and_the_preferred_ones_stay():
    assert hosts(*((n, f"h{n}") for n in reversed(range(50))), limit=3) == ["h0", "h1", "h2"]


@pytest.mark.parametrize("records", [[(0, "")], [(10, "")], [(0, ""), (5, "")]])
def test_a_null_mx_alone_means_that_the_domain_takes_no_mail(records):
    with pytest.raises(PermanentFailure) as caught:
        hosts(*records)
    assert str(caught.value.status) == "5.1.10"


def test_records_that_name_no_host_are_a_permanent_failure():
    with pytest.raises(PermanentFailure) as caught:
        hosts((5, "192.0.2.1"))
    assert str(caught.value.status) == "5.4.4"


@pytest.mark.parametrize(
    ("domain", "address"),
    [
        ("[192.0.2.1]", "192.0.2.1"),
        ("[IPv6:2001:db8::0:1]", "2001:db8::1"),
        ("[ipv6:::1]", "::1"),
        ("x.test", None),
    ],
)
def test_address_literals_give_their_address(domain, address):
    assert literal_address(domain) == address


@pytest.mark.parametrize(
    "domain",
    ["[192.0.2.1", "[]", "[2001:db8::1]", "[IPv6:192.0.2.1]", "[x.test]", "[192.0.2.256]", "[0.0.0.0]", "[IPv6:::]"],
)
def test_brackets_without_an_address_are_refused(domain):
    with pytest.raises(PermanentFailure) as caught:
        literal_address(domain)
    assert str(caught.value.status) == "5.1.2"


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("X.Test.", "x.test"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("a_b.test", "a_b.test"),
        ("xn--r8jz45g.test",) * 2,
    ],
)
def test_names_become_a_labels_in_lower_case(domain, name):
    assert question_name(domain) == name


@pytest.mark.parametrize(
    "domain", ["", ".", "a..test", "a b.test", "a" * 64 + ".test", "a." * 127 + "test", "\u0378.test"]
)
def test_what_dns_cannot_hold_is_no_such_domain(domain):
    with pytest.raises(PermanentFailure) as caught:
        question_name(domain)
    assert str(caught.value.status) == "5.1.2"
