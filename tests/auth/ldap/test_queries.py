"""Names put into filters and distinguished names."""

from __future__ import annotations

import pytest
from ldaptor.ldapfilter import parseFilter
from ldaptor.protocols import pureldap

from twisted_mail_node.auth.ldap.queries import (
    BadTemplate,
    FilterTemplate,
    check_name_template,
    distinguished_name,
    escaped,
    values_of,
)


def equality(attribute, value):
    return pureldap.LDAPFilter_equalityMatch(
        attributeDesc=pureldap.LDAPAttributeDescription(attribute), assertionValue=pureldap.LDAPAssertionValue(value)
    )


@pytest.mark.parametrize(
    "name",
    ["ann@a.test", "*@a.test", "a)(mail=*@a.test", "a\\2a@a.test", "a\0b@a.test", "jörg@例え.test", "{domain}@a.test"],
)
def test_a_name_stays_a_value_whatever_it_holds(name):
    filled = FilterTemplate("(mail={user})").filled(values_of(name))
    assert filled.toWire() == equality("mail", name.encode()).toWire()


def test_values_come_everywhere_in_a_filter():
    template = FilterTemplate("(&(objectClass=person)(|(uid={local})(mail={user}))(!(host=not-{domain}))(cn=*))")
    filled = template.filled(values_of("ann@a.test"))
    wanted = "(&(objectClass=person)(|(uid=ann)(mail=ann@a.test))(!(host=not-a.test))(cn=*))"
    assert filled.toWire() == parseFilter(wanted).toWire()
    assert template.filled(values_of("zoe@a.test")).toWire() != filled.toWire()


@pytest.mark.parametrize("text", ["", "mail={user}", "(mail={user}", "(mail={user})(uid=x)x", "(mail={name})"])
def test_what_is_no_filter_is_told(text):
    with pytest.raises(BadTemplate):
        FilterTemplate(text)


@pytest.mark.parametrize("text", ["(mail=ann@a.test)", "(&(objectClass=person)(o={domain}))"])
def test_a_filter_that_finds_the_same_entry_for_everybody_is_told(text):
    with pytest.raises(BadTemplate, match="the same entry for everybody"):
        FilterTemplate(text)


@pytest.mark.parametrize("text", ["(mail={user}*)", "(mail~={user})", "(mail:2.5.13.2:={user})"])
def test_a_place_where_no_value_would_come_is_told(text):
    with pytest.raises(BadTemplate, match='only values of "="'):
        FilterTemplate(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ann", "ann"),
        ("a,b", "a\\,b"),
        ('"+,;<>\\=', '\\"\\+\\,\\;\\<\\>\\\\\\='),
        ("#a", "\\#a"),
        (" a ", "\\ a\\ "),
        (" ", "\\ "),
        ("a\0b", "a\\00b"),
        ("jörg", "jörg"),
    ],
)
def test_a_value_in_a_distinguished_name_is_escaped(value, text):
    assert escaped(value) == text
    assert distinguished_name("uid={local},dc=a", {"local": value}) == f"uid={text},dc=a"


def test_a_distinguished_name_has_to_be_each_users_own():
    check_name_template("uid={local},ou={domain}")
    for template in ("uid=ann", "ou={domain}", "uid={name}"):
        with pytest.raises(BadTemplate):
            check_name_template(template)
