"""Sizes, durations, endpoints, as written and as meant."""

from pathlib import Path

import pytest

from twisted_mail_node.node.config import ConfigError, parse_config
from twisted_mail_node.node.config.endpoint import STATE_DIR_MARK, resolved_endpoint, split_endpoint


@pytest.mark.parametrize(
    ("text", "octets"),
    [('"50 MiB"', 50 * 2**20), ('"64kB"', 64000), ('"1.5 KiB"', 1536), ("1000", 1000), ('"12"', 12), ('"1 GB"', 10**9)],
)
def test_a_size_may_be_written_with_a_unit(text, octets):
    assert parse_config(f"[limits]\nmax_message_size = {text}").limits.max_message_size == octets


@pytest.mark.parametrize(
    ("text", "seconds"),
    [('"30 s"', 30), ('"10 minutes"', 600), ('"1.5 h"', 5400), ('"5 days"', 432000), ("90", 90), ('"1 week"', 604800)],
)
def test_a_duration_may_be_written_with_a_unit(text, seconds):
    assert parse_config(f"[queue]\ngive_up_after = {text}").queue.give_up_after == seconds


@pytest.mark.parametrize("uri", ["", "mailto:postmaster@example.org", "tel:+81-3-1234-5678", "https://a.test/"])
def test_the_administrator_is_reached_by_a_uri(uri):
    assert parse_config(f'[imap]\nadmin = "{uri}"').imap.admin == uri


@pytest.mark.parametrize("text", ["postmaster@example.org", "mailto:", "9:x", "mailto:joe doe"])
def test_anything_else_does_not_lead_to_the_administrator(text):
    with pytest.raises(ConfigError, match="a URI such as"):
        parse_config(f'[imap]\nadmin = "{text}"')


def test_an_endpoint_survives_being_taken_apart():
    for text in (
        "tcp:25",
        "tcp6:0:interface=\\:\\:1",
        "haproxy:tcp:25:interface=127.0.0.1",
        "systemd:domain=INET:index=0",
    ):
        assert str(split_endpoint(text)) == text


def test_a_unix_path_starts_from_the_folder_or_the_state_folder():
    state, base = Path("/var/state"), Path("/etc/node")
    assert resolved_endpoint("unix:a.sock:mode=600", state, base).inner_text() == "unix:/etc/node/a.sock:mode=600"
    assert resolved_endpoint("unix:address={state_dir}/a.sock", state, base).path == "/var/state/a.sock"
    assert resolved_endpoint("unix:{state_dir}/a.sock", Path(STATE_DIR_MARK), base).path == "{state_dir}/a.sock"


def test_a_path_with_a_colon_is_escaped():
    assert resolved_endpoint(r"unix:/a\:b.sock", Path("/"), Path("/")).inner_text() == r"unix:/a\:b.sock"
