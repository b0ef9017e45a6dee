"""Commands come to mailboxes by the session's places, and in no other way: read from the source of every command."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from twisted_mail_node.interfaces.store import IAccount
from twisted_mail_node.protocols import imap

FILES = sorted(Path(imap.__file__).parent.glob("*.py"))
# What of an account tells nothing of mailboxes.
HARMLESS = {"name"}


def past_the_places(source):
    """What a piece of code asks of the session's account by itself; "account" where it gives it away as a whole."""
    tree = ast.parse(source)
    asked = {node.value: node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return [
        asked.get(node, "account")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "account"
        and isinstance(node.value, ast.Name)
        and node.value.id == "session"
        and asked.get(node) not in HARMLESS
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_command_reaches_into_the_account_by_itself(path):
    assert past_the_places(path.read_text(encoding="utf-8")) == []


def test_one_that_did_would_be_found():
    assert [past_the_places(f"async def answer(session): await session.account.{method}('x')") for method in IAccount]
    assert past_the_places("account = session.account") == ["account"]
    assert past_the_places("session.account.mailbox('x')") == ["mailbox"]
    assert past_the_places("session.account.name") == []
