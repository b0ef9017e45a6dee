from __future__ import annotations

import pytest

from twisted_mail_node.mail.errors import BadMailboxName, MailboxExists, NoSuchMailbox
from twisted_mail_node.mail.mailbox_name import (
    canonical,
    checked,
    is_below,
    listing_key,
    parents,
    plan_create,
    plan_rename,
)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("inbox", "INBOX"),
        ("InBoX/Lists", "INBOX/Lists"),
        ("inboxes", "inboxes"),
        ("Work/inbox", "Work/inbox"),
        ("ınbox", "ınbox"),
        ("Entwu\u0308rfe", "Entw\u00fcrfe"),
        ("", ""),
    ],
)
def test_a_name_has_one_spelling(name, kept):
    assert canonical(name) == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "a\0b",
        "a\r\nb",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "a\ud800b",
        "a" * 256,
        "é" * 128,
        "/".join(["a" * 200] * 5),
        "/".join("a" * 51),
    ],
)
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(BadMailboxName):
        checked(name)


@pytest.mark.parametrize("name", ["a", "a/b", "a" * 255, "é" * 127, "/".join("a" * 50), "a b & *%", "受信/箱", "."])
def test_other_names_are_allowed(name):
    assert checked(name) == name


def test_parents_come_outermost_first():
    assert parents("a/b/c") == ("a", "a/b")
    assert parents("a") == ()


def test_below_means_another_level():
    assert is_below("a/b/c", "a")
    assert not is_below("ab", "a")
    assert not is_below("a", "a")


def test_inbox_is_listed_first():
    assert sorted(["b", "INBOX/x", "A", "INBOX"], key=listing_key) == ["INBOX", "A", "INBOX/x", "b"]


def test_creating_makes_missing_parents():
    assert plan_create({"INBOX", "a"}, "a/b/c") == ("a/b", "a/b/c")


def test_creating_what_exists_is_refused():
    with pytest.raises(MailboxExists):
        plan_create({"INBOX"}, "inbox")


def test_a_rename_takes_the_tree_along():
    plan = plan_rename({"INBOX", "a", "a/b", "a/b/c", "ab"}, "a", "x/y")
    assert plan.created == ("x",)
    assert plan.moved == {"a": "x/y", "a/b": "x/y/b", "a/b/c": "x/y/b/c"}


def test_a_rename_upwards_frees_names_before_it_takes_them():
    plan = plan_rename({"INBOX", "a/b", "a/b/b", "a/b/b/b"}, "a/b", "a")
    taken = {"a/b", "a/b/b", "a/b/b/b"}
    for old, new in plan.moved.items():
        assert new not in taken
        taken.remove(old)
        taken.add(new)
    assert taken == {"a", "a/b", "a/b/b"}


def test_renaming_inbox_makes_the_new_mailbox_and_moves_no_name():
    plan = plan_rename({"INBOX", "INBOX/x"}, "inbox", "old/mail")
    assert plan == (("old", "old/mail"), {})


@pytest.mark.parametrize(
    ("name", "new_name", "error"),
    [
        ("b", "c", NoSuchMailbox),
        ("a", "a", MailboxExists),
        ("a", "inbox", MailboxExists),
        ("a", "a/deeper", BadMailboxName),
        ("a", "", BadMailboxName),
        ("a", "x", MailboxExists),
        ("a", "y" * 256, BadMailboxName),
        ("INBOX", "a", MailboxExists),
        ("deep", "deeper/" + "/".join("d" * 48), BadMailboxName),
    ],
)
def test_a_rename_that_cannot_be_is_refused(name, new_name, error):
    with pytest.raises(error):
        plan_rename({"INBOX", "a", "a/b", "x/b", "deep", "deep/er", "deep/er/est"}, name, new_name)
