"""ENABLE: only what is offered, and each once. RFC 5161 §3.1"""

from __future__ import annotations

import pytest

from twisted_mail_node.protocols.imap import capability


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    monkeypatch.setattr(capability, "OFFERED", ("IMAP4rev1", "CONDSTORE", "QRESYNC", lambda session: ("X=1", "Y")))


def test_each_is_enabled_once_and_nothing_that_is_not_offered(server):
    line = server.logged_in()
    assert line.ask("ENABLE UIDONLY condstore X-GOOD") == b"* ENABLED CONDSTORE\r\n"
    assert line.ask("ENABLE CONDSTORE UTF8=ACCEPT") == b"* ENABLED\r\n"
    assert line.ask("ENABLE CONDSTORE QRESYNC") == b"* ENABLED QRESYNC\r\n"


def test_what_depends_on_the_session_is_told_in_its_place(server):
    assert server.logged_in().ask("CAPABILITY") == b"* CAPABILITY IMAP4rev1 CONDSTORE QRESYNC X=1 Y\r\n"
