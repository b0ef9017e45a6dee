from __future__ import annotations

import io

import pytest
from rich.console import Console

from twisted_mail_node.cli import journey as module
from twisted_mail_node.cli.journey import Journey, tell_each


@pytest.fixture
def clock(monkeypatch):
    """The time, in a list of one."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_where_nobody_looks_a_line_is_written_now_and_then(clock, capsys):
    with Journey(quiet=False) as journey:
        journey.begin("INBOX", 1000)
        for _ in range(4):
            clock[0] += 5
            journey.advance(100, 50)
    assert capsys.readouterr().err.splitlines() == [
        "INBOX: 20%, 100 messages, 10/s, 40 s left",
        "INBOX: 40%, 200 messages, 10/s, 30 s left",
    ]
    assert journey.seconds == 20


def test_an_empty_mailbox_is_no_mistake(clock, capsys):
    with Journey(quiet=False) as journey:
        clock[0] += 20
        journey.begin("INBOX", 0)
        journey.advance(0, 0)
    assert capsys.readouterr().err == "INBOX: 0%, 0 messages, 0/s, 0 s left\n"


def test_quiet_is_quiet(clock, capsys):
    with Journey(quiet=True) as journey:
        journey.begin("INBOX", 10)
        clock[0] += 100
        journey.advance(5, 5)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_there_is_a_bar(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(module, "Console", lambda **options: console)
    with Journey(quiet=False) as journey:
        journey.begin("Lists/[b]Twisted", 10)
        journey.advance(5, 4000)
    shown = screen.getvalue()
    assert "Lists/[b]Twisted" in shown
    assert "50%" in shown
    assert "4,000 messages" in shown


def test_messages_are_told_by_name_up_to_a_number(capsys):
    tell_each("left out", [(f"message {number}", "broken") for number in range(30)], 1030)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["left out: 1,030", "  message 0: broken"]
    assert lines[-1] == "  and 1,010 more"
    assert len(lines) == 22
    tell_each("left out", [], 0)
    assert capsys.readouterr().err == ""
