"""The dialogues in tests/transcripts/pop3, whole and in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from twisted_mail_node.testing.transcripts import needs_of, run_transcript, steps_of

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts" / "pop3"
ALL = sorted(TRANSCRIPTS.glob("*.txt"))
SETTINGS = {
    "a login delay of 60 seconds": {"login_delay_seconds": 60},
    "a refusal of headers beyond ASCII": {"utf8_headers": "refuse"},
    "APOP with the timestamp of the standard": {
        "apop": True,
        "hostname": "dbc.mtview.ca.us",
        "nonce": b"1896.697170952",
    },
}
IN_UTF8 = "From: Jürgen <jürgen@example.test>\r\nSubject: Grüße\r\n\r\nSchöne Grüße!\r\n".encode()
ONE = b"Subject: one\r\n\r\nfirst line\r\n.a dot\r\nlast line\r\n"
TWO = b"Subject: two\r\n\r\nanother body\r\n"


def server_for(path, server_of, **store):
    """A server with what the transcript needs."""
    needs = needs_of(path)
    settings = {name: value for need in needs for name, value in SETTINGS.get(need, {}).items()}
    server = server_of(tls_context=object(), **settings, **store)
    for need in needs:
        match need:
            case "two small messages":
                server.deliver(ONE, TWO)
            case "a message in UTF-8":
                server.deliver(IN_UTF8)
            case "a peer elsewhere":
                server.host = "192.0.2.1"
            case need if need in SETTINGS:
                pass
            case _:
                raise AssertionError(f"nobody knows how to give {need!r}")
    return server


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000_000])
@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_transcript(path, piece, server_of):
    run_transcript(path, server_for(path, server_of), piece)


@pytest.mark.parametrize("topic", ["session", "one_at_a_time", "utf8"])
def test_transcript_on_every_backend(topic, server_of, lasting):
    path = TRANSCRIPTS / f"{topic}.txt"
    server = server_for(path, server_of, **lasting)
    run_transcript(path, server, 1_000_000)


def said_by_clients(path):
    """What each connection's client sends; nothing, where time passes, TLS begins or somebody leaves."""
    said = {}
    for step in steps_of(path):
        if step.kind in ("advance", "tls", "drop"):
            return {}
        if step.kind == "C:":
            said.setdefault(step.connection, []).append(step.text.encode() + b"\r\n")
    return said if all("${" not in step.text for step in steps_of(path)) else {}


@pytest.mark.parametrize("path", [path for path in ALL if said_by_clients(path)], ids=lambda path: path.stem)
def test_everything_at_once_is_answered_as_one_by_one(path, server_of):
    one_by_one, at_once = server_for(path, server_of), server_for(path, server_of)
    for name, lines in said_by_clients(path).items():
        patient, hasty = one_by_one(name), at_once(name)
        answers = b"".join([patient.take(), *map(patient.say, lines)])
        assert hasty.take() + hasty.say(b"".join(lines)) == answers
