"""The SASL exchange: mechanisms, base64, bounds."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.scram import ScramHash, ScramVerifier
from twisted_mail_node.wire.errors import MisuseError
from twisted_mail_node.wire.sasl.encoding import MAX_LINE_OCTETS, decode_initial, decode_response
from twisted_mail_node.wire.sasl.mechanisms import DEFAULT, MECHANISMS
from twisted_mail_node.wire.sasl.outcomes import (
    Accepted,
    Challenge,
    Claim,
    Proposed,
    RefusalReason,
    Refused,
    VerifierNeeded,
)
from twisted_mail_node.wire.sasl.server import SASLServer

ALL = ("PLAIN", "LOGIN")
MALFORMED = Refused(RefusalReason.MALFORMED)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (b"\0joe\0secret", Proposed("joe", "secret")),
        (b"joe\0joe\0secret", Proposed("joe", "secret", "joe")),
        ("\0jö@x\0geheim€".encode(), Proposed("jö@x", "geheim€")),
        (b"ann\0joe\0secret", Proposed("joe", "secret", "ann")),
        (b"", MALFORMED),
        (b"joe\0secret", MALFORMED),
        (b"\0joe\0sec\0ret", MALFORMED),
        (b"\0\0secret", MALFORMED),
        (b"\0joe\0", MALFORMED),
        (b"\0j\xff\0secret", MALFORMED),
        (b"\0joe\0sec\xe9", MALFORMED),
        (b"\xff\0joe\0secret", MALFORMED),
        (b"\0joe\r\n\0secret", MALFORMED),
        (b"\0" + b"a" * 641 + b"\0secret", MALFORMED),
        (b"\0joe\0" + b"a" * 1025, MALFORMED),
        (b"\0joe\0" + b"a" * 1024, Proposed("joe", "a" * 1024)),
        (b"x" * 100_000, MALFORMED),
    ],
)
def test_plain_message_with_and_without_a_challenge(message, outcome):
    server = SASLServer(ALL)
    assert server.start("plain", message) == outcome
    assert server.start("PLAIN") == Challenge(b"")
    assert server.is_under_way
    assert server.step(message) == outcome
    assert server.is_under_way == isinstance(outcome, Proposed)


def test_login_asks_for_name_and_password():
    server = SASLServer(ALL)
    assert server.start_line("LOGIN") == Challenge(b"Username:")
    assert server.step_line(b64encode(b"joe")) == Challenge(b"Password:")
    assert server.step_line(b64encode(b"secret")) == Proposed("joe", "secret")


def test_login_takes_the_name_as_initial_response():
    server = SASLServer(ALL)
    outcome = server.start_line("login", b64encode(b"joe"))
    assert isinstance(outcome, Challenge)
    assert outcome.wire == b"UGFzc3dvcmQ6"
    assert server.step(b"secret") == Proposed("joe", "secret")


@pytest.mark.parametrize("answers", [[b""], [b"j\xff"], [b"joe", b""], [b"joe", b"s\0"], [b"j" * 641]])
def test_login_refuses_what_is_no_text(answers):
    server = SASLServer(ALL)
    outcome = server.start("LOGIN")
    for answer in answers:
        outcome = server.step(answer)
    assert outcome == MALFORMED
    assert server.step(b"more") == MALFORMED


@pytest.mark.parametrize("name", ["", "CRAM-MD5", "PLAIN ", "PLA\0IN", "x" * 1000])
def test_unknown_mechanism_is_refused_whatever_its_argument(name):
    server = SASLServer(ALL)
    assert server.start(name) == Refused(RefusalReason.UNKNOWN_MECHANISM)
    assert server.start_line(name, b"!!") == Refused(RefusalReason.UNKNOWN_MECHANISM)


def test_mechanism_that_is_not_offered_is_unknown():
    assert SASLServer(()).start("PLAIN", b"\0a\0b") == Refused(RefusalReason.UNKNOWN_MECHANISM)


def test_star_cancels_and_ends_the_exchange():
    server = SASLServer(ALL)
    server.start("PLAIN")
    assert server.step_line(b"*") == Refused(RefusalReason.CANCELLED)
    assert not server.is_under_way


def test_equals_sign_is_an_empty_initial_response():
    assert decode_initial(b"=") == b""
    assert SASLServer(ALL).start_line("PLAIN", b"=") == MALFORMED
    assert SASLServer(ALL).start_line("LOGIN", b"=") == Challenge(b"Username:")


@pytest.mark.parametrize(
    "line", [b"AGEAYg", b"AGEAYg===", b"AG EAYg==", b"AGEAYg==\r", b"====", b"\xff", b"AGE*Yg==", b"="]
)
def test_only_strict_base64_is_decoded(line):
    assert decode_response(line) == MALFORMED


def test_initial_response_may_not_be_an_empty_word():
    assert decode_initial(b"") == MALFORMED


def test_line_above_the_limit_is_malformed():
    assert decode_response(b"A" * (MAX_LINE_OCTETS + 4)) == MALFORMED


def test_empty_line_is_an_empty_response():
    assert decode_response(b"") == b""


def test_what_was_proposed_is_accepted():
    server = SASLServer(ALL)
    server.start("PLAIN", b"\0joe\0secret")
    assert server.is_under_way
    assert server.accept() == Accepted()
    assert not server.is_under_way


def test_what_was_proposed_is_refused():
    server = SASLServer(ALL)
    server.start("PLAIN", b"\0joe\0secret")
    assert server.refuse() == Refused(RefusalReason.DENIED)
    assert not server.is_under_way


def test_nobody_goes_on_while_a_proposal_is_looked_at():
    server = SASLServer(ALL)
    server.start("LOGIN", b"joe")
    server.step(b"secret")
    assert server.step(b"better") == MALFORMED
    with pytest.raises(MisuseError):
        server.accept()


def test_only_what_was_proposed_is_accepted_or_refused():
    server = SASLServer(ALL)
    server.start("PLAIN")
    with pytest.raises(MisuseError):
        server.accept()
    with pytest.raises(MisuseError):
        server.refuse()


def test_verifier_that_nobody_needs_is_misuse():
    server = SASLServer(ALL)
    server.start("PLAIN")
    verifier = ScramVerifier.from_password("secret", ScramHash.SHA_256, b"salt", 1)
    with pytest.raises(MisuseError):
        server.go_on_with(verifier)


def test_every_mechanism_can_be_begun_and_those_on_sha_1_only_if_asked_for():
    for name in MECHANISMS:
        assert isinstance(SASLServer((name,)).start(name), Challenge)
    assert set(MECHANISMS) - set(DEFAULT) == {"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"}
    assert not {"ANONYMOUS", "CRAM-MD5", "DIGEST-MD5"} & set(MECHANISMS)


def test_password_is_not_in_the_repr():
    assert "secret" not in repr(Proposed("joe", "secret"))


VERIFIER = ScramVerifier.from_password("secret", ScramHash.SHA_256, b"salt", 1)
PIECES = st.sampled_from(
    [b"n", b"y", b"p=tls-exporter", b",", b",,", b"a=joe", b"n=joe", b"r=x", b"c=biws", b"p=AAAA", b"m=x", b"=2C", b"=",
     b"user=joe", b"\1", b"auth=Bearer abc", b"\0", b"joe", "jö".encode()]
)  # fmt: skip
MESSAGES = st.one_of(st.binary(max_size=40), st.lists(PIECES, max_size=8).map(b"".join))


@given(st.sampled_from(list(MECHANISMS)), st.lists(MESSAGES, max_size=4))
def test_garbage_gives_only_outcomes(mechanism, messages):
    server = SASLServer(tuple(MECHANISMS), bindings={"tls-exporter": b"x" * 32}, nonce=b"y")
    outcome = server.start(mechanism)
    for message in messages:
        if isinstance(outcome, VerifierNeeded):
            outcome = server.go_on_with(VERIFIER)
        elif isinstance(outcome, Claim):
            outcome = server.refuse()
        outcome = server.step(message) if len(message) % 2 else server.step_line(b64encode(message))
        assert isinstance(outcome, Challenge | Claim | Refused | VerifierNeeded)
        assert server.is_under_way != isinstance(outcome, Refused)
