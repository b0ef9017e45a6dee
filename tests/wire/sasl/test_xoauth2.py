"""XOAUTH2, by the example on Google's page about it."""

from __future__ import annotations

import json

import pytest

from twisted_mail_node.wire.sasl.outcomes import (
    Accepted,
    Challenge,
    RefusalReason,
    Refused,
    TokenProposed,
    TokenRefusal,
)
from twisted_mail_node.wire.sasl.server import SASLServer

EXAMPLE = b"user=someuser@example.com\1auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1"
PROPOSED = TokenProposed("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", TokenRefusal.XOAUTH2)


def test_the_example_is_accepted():
    server = SASLServer(("XOAUTH2",))
    assert server.start("XOAUTH2") == Challenge(b"")
    assert server.step(EXAMPLE) == PROPOSED
    assert server.accept() == Accepted()


def test_refusal_is_told_and_an_answer_awaited():
    server = SASLServer(("XOAUTH2",))
    assert server.start("XOAUTH2", EXAMPLE) == PROPOSED
    challenge = server.refuse("https://mail.example.com/", "https://example.com/issuer")
    assert isinstance(challenge, Challenge)
    assert json.loads(challenge.data) == {"status": "401", "schemes": "bearer", "scope": "https://mail.example.com/"}
    assert server.step(b"") == Refused(RefusalReason.DENIED)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\1\1",
        EXAMPLE[:-1],
        EXAMPLE + b"\1",
        b"auth=Bearer abc\1\1",
        b"user=\1auth=Bearer abc\1\1",
        b"user=joe\1auth=\1\1",
        b"user=joe\1\1",
        b"user=j\xff\1auth=Bearer abc\1\1",
        b"user=joe\1user=ann\1auth=Bearer abc\1\1",
    ],
)
def test_what_is_no_message_is_malformed(message):
    assert SASLServer(("XOAUTH2",)).start("XOAUTH2", message) == Refused(RefusalReason.MALFORMED)
