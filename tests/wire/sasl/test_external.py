"""EXTERNAL."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.sasl.outcomes import Accepted, CertificateProposed, Challenge, RefusalReason, Refused
from twisted_mail_node.wire.sasl.server import SASLServer


@pytest.mark.parametrize(("message", "identity"), [(b"", ""), (b"joe@x", "joe@x"), ("jö@x".encode(), "jö@x")])
def test_identity_with_and_without_a_challenge(message, identity):
    server = SASLServer(("EXTERNAL",))
    assert server.start("EXTERNAL", message) == CertificateProposed(identity)
    assert server.start("EXTERNAL") == Challenge(b"")
    assert server.step(message) == CertificateProposed(identity)
    assert server.accept() == Accepted()


@pytest.mark.parametrize("message", [b"\xff", b"a\0b", b"a\r\n", b"a" * 641])
def test_what_is_no_identity_is_malformed(message):
    assert SASLServer(("EXTERNAL",)).start("EXTERNAL", message) == Refused(RefusalReason.MALFORMED)
