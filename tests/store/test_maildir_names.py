from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.errors import BadMailboxName
from twisted_mail_node.mail.mailbox_name import INBOX, checked
from twisted_mail_node.store.maildir.names import NewNames, account_folder, account_of, folder_of, mailbox_of


@pytest.mark.parametrize(
    ("mailbox", "folder"),
    [
        ("INBOX", b"."),
        ("Sent", b".Sent"),
        ("Lists/Entwürfe", b".Lists.Entw&APw-rfe"),
        ("Werk.1", b".Werk&AC4-1"),
        ("R&D/a b", b".R&-D.a b"),
        ("INBOX/below", b".INBOX.below"),
        ("日本", b".&ZeVnLA-"),
    ],
)
def test_a_mailbox_is_a_folder_of_maildir_plus_plus(mailbox, folder):
    assert folder_of(mailbox) == folder
    assert mailbox_of(folder) == (None if mailbox == INBOX else mailbox)


@pytest.mark.parametrize(
    "folder", [b".a&b", b".", b"..a", b".a.", b".\xff", b".&AGE-", b".inbox", b".a&AC8-b", b".a\x01"]
)
def test_a_folder_that_we_would_not_make_so_is_no_mailbox(folder):
    assert mailbox_of(folder) is None


def test_names_too_long_for_a_file_stay_apart():
    one, other = ("/".join(["y" * 200, "x" * 60, last]) for last in "ab")
    assert len(folder_of(one)) <= 240
    assert folder_of(one) != folder_of(other)
    assert mailbox_of(folder_of(one)) == "y" * 198 + "~" + folder_of(one)[-40:].decode()
    assert account_folder("x" * 300 + "@a") != account_folder("x" * 300 + "@b")


@given(st.text(min_size=1, max_size=40))
def test_every_mailbox_is_found_again_by_its_folder(name):
    try:
        name = checked(name)
    except BadMailboxName:
        return
    folder = folder_of(name)
    assert b"/" not in folder
    assert b"\0" not in folder
    if name != INBOX:
        assert mailbox_of(folder) == name or len(folder) == 240


@pytest.mark.parametrize(
    ("account", "folder"),
    [("joe@example.org", b"joe@example.org"), (".a/b%c@x", b"%2Ea%2Fb%25c@x"), ("ü@x", "ü@x".encode())],
)
def test_an_account_is_a_folder_by_its_name(account, folder):
    assert account_folder(account) == folder
    assert account_of(folder) == account


def test_an_account_is_not_told_by_a_folder_whose_name_is_cut_or_none_of_ours():
    assert account_of(account_folder("x" * 300)) is None
    assert account_of(b"joe%40x") is None
    assert account_of(b".mailnode") is None


def test_no_name_is_given_twice_and_each_tells_its_sizes():
    names = NewNames()
    given = [names.new(5), names.new(5), names.new(6, 5), names.new(None)]
    assert len({*given, NewNames().new(5)}) == 5
    assert given[0].endswith(b",S=5,W=5")
    assert given[2].endswith(b",S=5,W=6")
    assert b"=" not in given[3]
