"""The dialogues of tests/transcripts/smtp, whole and cut small."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.address import IPv4Address

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.mail.host import is_loopback
from twisted_mail_node.protocols.smtp.settings import EXTENSIONS
from twisted_mail_node.testing.connections import MemoryTransport
from twisted_mail_node.testing.transcripts import needs_of, run_transcript
from twisted_mail_node.wire.smtp.offer import Extension

TRANSCRIPTS = sorted((Path(__file__).parents[2] / "transcripts" / "smtp").glob("*.txt"))


LITTLE_PATIENCE = {
    "greeting_delay_seconds": 2.0,
    "errors_before_delay": 1,
    "max_errors": 4,
    "max_idle_commands": 4,
    "max_messages": 2,
}


@pytest.mark.parametrize("piece", [1, 2, 7, 10_000])
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(site, path, piece):
    needs, settings = needs_of(path), {}
    wanted = {extension for extension in Extension if extension.value in needs}
    unwanted = {extension for extension in Extension if f"no {extension.value}" in needs}
    settings["extensions"] = (EXTENSIONS | wanted) - unwanted
    if "telling" in needs:
        settings |= {"policy": site.telling_policy(), "expand": "everyone"}
    for word in ("xclient", "xforward"):
        if word in needs:
            settings[f"trusted_for_{word}"] = is_loopback
    if "lmtp" in needs:
        settings["service"] = Service.LMTP
    if "auth" in needs:
        settings |= {"service": Service.SUBMISSION, "auth": "required"}
    if "starttls" in needs:
        settings["tls_context"] = object()
    if "little patience" in needs:
        settings |= LITTLE_PATIENCE
    if "far" in needs:
        far = IPv4Address("TCP", "192.0.2.9", 40000)
        settings["transport"] = lambda name: MemoryTransport(far)
    connections = site.connections(**settings)
    run_transcript(path, connections, piece)
    connections.drop_all()
    assert site.clock.getDelayedCalls() == []
