"""What the listeners of a node share, and what is told of settings that come to nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import Portal
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.offering import Offering
from twisted_mail_node.store.memory import MemoryStore

LISTEN = [{"service": "pop3", "endpoint": f"tcp:{port}:interface=127.0.0.1", "tls": "none"} for port in (1110, 1111)]


def offering(tmp_path, checker, **pop3):
    clock = Clock()
    config = parse_config(
        {
            "hostname": "mx.example.test",
            "state_dir": str(tmp_path),
            "domain": [{"name": "example.test"}],
            "listen": LISTEN,
            "pop3": pop3,
        }
    )
    doors = SimpleNamespace(store=MemoryStore(clock))
    made = Offering(config, clock, doors, Portal(None, [checker]), None, None, lambda: b"key")
    return [made.factory(listen) for listen in config.listen]


@pytest.fixture
def plain():
    return InMemoryUsernamePasswordDatabaseDontUse()


def test_settings_of_pop3_reach_its_listeners_which_count_logins_together(tmp_path, plain):
    one, other = offering(tmp_path, plain, login_delay="90 s", language="ja", utf8_headers="refuse", apop=True)
    assert one._login_delay is other._login_delay
    assert one._login_delay.seconds == 90
    settings = one._settings
    assert (settings.language, settings.utf8_headers, settings.apop) == ("ja", "refuse", True)


@pytest.mark.parametrize("kept", ["plain", "hashes"])
def test_apop_that_nobody_can_check_is_told_of(tmp_path, plain, kept):
    if kept == "hashes":
        plain.credentialInterfaces = (IUsernamePassword,)
    with capturedLogs() as logged:
        offering(tmp_path, plain, apop=True)
    told = [event for event in logged if "APOP is not offered" in event.get("log_format", "")]
    assert len(told) == (kept == "hashes")
