"""What the configuration says reaches the sessions."""

from __future__ import annotations

import dataclasses

from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.smtp_settings import smtp_settings
from twisted_mail_node.protocols.smtp.settings import EXTENSIONS
from twisted_mail_node.wire.smtp.offer import Extension, Offer

SMTP = {
    "greeting_delay": 3,
    "hello_timeout": 4,
    "idle_timeout": 5,
    "content_timeout": 6,
    "min_content_rate": 7,
    "max_recipients": 8,
    "max_recipient_domains": 16,
    "expand": "everyone",
    "max_refused_recipients": 9,
    "max_messages": 10,
    "max_commands": 11,
    "max_idle_commands": 12,
    "max_errors": 13,
    "errors_before_delay": 14,
    "error_delay": 15,
}


def settings(service="smtp", submission=(), **smtp):
    raw = {"smtp": SMTP | smtp, "submission": dict(submission), "listen": [{"service": service, "endpoint": "tcp:0"}]}
    raw["limits"] = {"trusted_networks": ["192.0.2.0/24"]}
    config = parse_config(raw)
    return smtp_settings(config, config.listeners()[0])


def test_each_limit_and_time_is_handed_on():
    told = settings()
    shown = {
        name.removesuffix("_seconds"): value for name, value in dataclasses.asdict(told).items() if name != "hostname"
    }
    shown["idle_timeout"] = shown["command_timeout"]
    assert {name: shown[name] for name in SMTP} == SMTP


def test_what_is_withheld_is_not_offered_and_binary_content_needs_chunks():
    assert settings().extensions == EXTENSIONS
    withheld = settings(withheld_extensions=["CHUNKING", "DSN"]).extensions
    assert withheld == EXTENSIONS - {Extension.CHUNKING, Extension.DSN}
    offer = Offer(extensions=withheld)
    assert [extension for extension in EXTENSIONS if offer.has(extension)] == [Extension.SMTPUTF8]


def test_nobody_has_longer_for_hello_than_for_any_other_command():
    assert settings(hello_timeout=60).hello_timeout_seconds == 5


def test_submission_and_lmtp_greet_at_once():
    assert settings("submission").greeting_delay_seconds == settings("lmtp").greeting_delay_seconds == 0


def test_submission_mends_newlines_where_others_refuse_them():
    assert [settings(service).bare_newlines for service in ("smtp", "lmtp", "submission")] == [
        *("refuse", "refuse"),
        "normalise",
    ]
    assert settings("submission", {"bare_newlines": "refuse"}, bare_newlines="normalise").bare_newlines == "refuse"
    assert settings("lmtp", {"bare_newlines": "refuse"}, bare_newlines="normalise").bare_newlines == "normalise"


def test_trusted_networks_and_unix_sockets_are_trusted():
    trusted = settings().trusted
    assert [trusted(host) for host in ("192.0.2.9", "::ffff:192.0.2.9", "", "198.51.100.1", "2001:db8::1")] == [
        *(True, True, True),
        *(False, False),
    ]
