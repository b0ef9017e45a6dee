"""OAUTHBEARER, by the examples of RFC 7628 §4."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from twisted_mail_node.wire.sasl.outcomes import Accepted, Challenge, RefusalReason, Refused, TokenProposed
from twisted_mail_node.wire.sasl.server import SASLServer

MALFORMED = Refused(RefusalReason.MALFORMED)
# RFC 7628 §4.1, the line of its IMAP example.
EXAMPLE = (
    b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyI"
    b"HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
)
TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


def started(message):
    server = SASLServer(("OAUTHBEARER",))
    return server, server.start("OAUTHBEARER", message)


def test_the_example_of_the_standard_is_accepted():
    server = SASLServer(("OAUTHBEARER",))
    assert server.start_line("OAUTHBEARER", EXAMPLE) == TokenProposed("user@example.com", TOKEN)
    assert server.accept() == Accepted()
    assert not server.is_under_way


def test_without_initial_response_the_message_is_asked_for():
    server = SASLServer(("OAUTHBEARER",))
    assert server.start_line("OAUTHBEARER") == Challenge(b"")
    assert server.step_line(EXAMPLE) == TokenProposed("user@example.com", TOKEN)


@pytest.mark.parametrize("dummy", [b"AQ==", b"", b"eA=="])
def test_refusal_is_told_and_the_dummy_awaited(dummy):
    server, _ = started(b64decode(EXAMPLE))
    challenge = server.refuse("mail imap", "https://example.com/.well-known/openid-configuration")
    assert isinstance(challenge, Challenge)
    assert json.loads(challenge.data) == {
        "status": "invalid_token",
        "scope": "mail imap",
        "openid-configuration": "https://example.com/.well-known/openid-configuration",
    }
    assert server.step_line(dummy) == Refused(RefusalReason.DENIED)
    assert not server.is_under_way


def test_refusal_tells_what_is_known_only():
    server, _ = started(b64decode(EXAMPLE))
    assert server.refuse() == Challenge(b'{"status":"invalid_token"}')
    assert server.step_line(b"*") == Refused(RefusalReason.CANCELLED)


def test_empty_value_asks_where_tokens_are_to_be_had():
    assert started(b"n,,\1auth=\1\1")[1] == TokenProposed("", "")


@pytest.mark.parametrize(
    ("message", "token"),
    [
        (b"n,,\1auth=Bearer abc\1\1", "abc"),
        (b"y,,\1auth=bearer abc\1\1", "abc"),
        (b"n,,\1auth=BEARER   a.b-c_d~e+f/g== \1\1", "a.b-c_d~e+f/g=="),
        (b"n,,\1qs=x=y&z\1auth=Bearer abc\1mthd=POST\1\1", "abc"),
    ],
)
def test_token_is_taken_out(message, token):
    assert started(message)[1] == TokenProposed("", token)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\1",
        b"n,,",
        b"n,,\1",
        b"n,,\1\1",
        b"n,,auth=Bearer abc\1\1",
        b"n,,\1auth=Bearer abc\1",
        b"n,,\1auth=Bearer abc",
        b"n,,\1auth=Basic abc\1\1",
        b"n,,\1auth=Bearer\1\1",
        b"n,,\1auth=Bearer a b\1\1",
        b"n,,\1auth=Bearer a\xffb\1\1",
        b"n,,\1auth=Bearer abc\1auth=Bearer def\1\1",
        b"n,,\1host\1auth=Bearer abc\1\1",
        b"n,,\1auth=Bearer abc\1\1\1",
        b"n,,\1ho st=x\1auth=Bearer abc\1\1",
        b"n,a=\xff,\1auth=Bearer abc\1\1",
    ],
)
def test_what_is_no_message_is_malformed(message):
    assert started(message)[1] == MALFORMED


def test_it_binds_to_no_channel():
    assert started(b"p=tls-exporter,,\1auth=Bearer abc\1\1")[1] == Refused(RefusalReason.BINDING)


def test_token_is_not_in_the_repr():
    assert "vF9" not in repr(TokenProposed("joe", TOKEN))
