"""`mailnode alias` and `mailnode domain` on the store itself."""

import pytest


def test_an_alias_leads_to_one_or_several(mailnode):
    assert mailnode("alias", "add", "Info@a.test", "alice@a.test") == "info@a.test leads to alice@a.test\n"
    answer = mailnode.json("alias", "add", "info@a.test", "Bob@far.test", "alice@a.test")
    assert answer == {"source": "info@a.test", "targets": ["alice@a.test", "Bob@far.test"]}
    assert mailnode.json("alias", "list") == [answer]
    assert "alice@a.test, Bob@far.test" in mailnode("alias", "list")


def test_a_catch_all_is_an_alias_of_the_domain(mailnode):
    assert mailnode("alias", "add", "@B.test", "alice@a.test") == "@b.test leads to alice@a.test\n"


def test_an_alias_is_removed_in_part_or_as_a_whole(mailnode):
    mailnode("alias", "add", "info@a.test", "x@a.test", "y@a.test")
    assert mailnode("alias", "remove", "info@a.test", "x@a.test") == "info@a.test leads to y@a.test\n"
    assert mailnode("alias", "remove", "info@a.test") == "info@a.test leads nowhere any more\n"
    assert mailnode.json("alias", "list") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "info@c.test", "x@a.test"], "c.test is not a domain of this node, which has: a.test, b.test"),
        (["add", "@c.test", "x@a.test"], "c.test is not a domain of this node, which has: a.test, b.test"),
        (["add", "info@a.test", "x"], "not a mail address: 'x' (expected NAME@DOMAIN)"),
        (["remove", "none@a.test"], "there is no alias none@a.test"),
        (["remove", "info@a.test", "z@a.test"], "info@a.test does not lead to z@a.test"),
    ],
)
def test_what_cannot_be_done_is_told(mailnode, arguments, told):
    mailnode("alias", "add", "info@a.test", "x@a.test")
    assert mailnode("alias", *arguments, status=1) == f"Error: {told}\n"


def test_domains_are_listed_with_what_they_have(mailnode):
    mailnode("user", "add", "alice@a.test", "--generate")
    mailnode("alias", "add", "@b.test", "alice@a.test")
    assert mailnode.json("domain", "list") == [
        {"name": "a.test", "users": 1, "aliases": 0},
        {"name": "b.test", "users": 0, "aliases": 1},
    ]
    assert mailnode("domain", "list").splitlines()[0].split() == ["domain", "users", "aliases"]
