"""The dialogues in tests/transcripts/pop3, whole and in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from twisted_mail_node.testing.transcripts import needs_of, run_transcript

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts" / "pop3"
SETTINGS = {
    "a login delay of 60 seconds": {"login_delay_seconds": 60},
    "APOP with the timestamp of the standard": {
        "apop": True,
        "hostname": "dbc.mtview.ca.us",
        "nonce": b"1896.697170952",
    },
}
ONE = b"Subject: one\r\n\r\nfirst line\r\n.a dot\r\nlast line\r\n"
TWO = b"Subject: two\r\n\r\nanother body\r\n"


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000_000])
@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path, piece, server_of):
    needs = needs_of(path)
    settings = {name: value for need in needs for name, value in SETTINGS.get(need, {}).items()}
    server = server_of(tls_context=object(), **settings)
    for need in needs:
        match need:
            case "two small messages":
                server.deliver(ONE, TWO)
            case "a peer elsewhere":
                server.host = "192.0.2.1"
            case need if need in SETTINGS:
                pass
            case _:
                raise AssertionError(f"nobody knows how to give {need!r}")
    run_transcript(path, server, piece)
