"""SCRAM's server side: the standards' examples, and everything that is a little different from them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest

from twisted_mail_node.mail.scram import ScramHash, ScramVerifier
from twisted_mail_node.wire.sasl.outcomes import (
    Accepted,
    Challenge,
    RefusalReason,
    Refused,
    ScramProposed,
    VerifierNeeded,
)
from twisted_mail_node.wire.sasl.server import SASLServer

MALFORMED = Refused(RefusalReason.MALFORMED)
BINDING = Refused(RefusalReason.BINDING)
BINDINGS = {"tls-exporter": bytes(range(32)), "tls-server-end-point": b"e" * 32}
PLAIN_ONLY = ("SCRAM-SHA-256",)
BOTH = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
SHA_256 = ScramHash.SHA_256
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
VERIFIER = ScramVerifier.from_password("pencil", SHA_256, SALT, 4096)


def begun(first=b"n,,n=user,r=abc", mechanism="SCRAM-SHA-256", offered=BOTH, verifier=VERIFIER):
    """An exchange up to the server's first message, and that message."""
    server = SASLServer(offered, bindings=BINDINGS, nonce=b"xyz")
    assert isinstance(server.start(mechanism, first), VerifierNeeded)
    challenge = server.go_on_with(verifier)
    assert isinstance(challenge, Challenge)
    return server, challenge.data


def final(bare, server_first, channel=b"n,,", nonce=b"abcxyz", password=b"pencil", more=b""):
    """The client's final message, computed here from RFC 5802 §3 alone."""
    without_proof = b"c=" + b64encode(channel) + b",r=" + nonce + more
    auth_message = b",".join((bare, server_first, without_proof))
    salted = hashlib.pbkdf2_hmac("sha256", password, SALT, 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), auth_message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return without_proof + b",p=" + b64encode(proof)


def is_proof(proposed, verifier=VERIFIER):
    return verifier.is_proven(proposed.auth_message, proposed.proof) and not proposed.flaw


@pytest.mark.parametrize(
    ("hash", "mechanism", "first", "nonce", "salt", "server_first", "last", "signature"),
    [
        (
            ScramHash.SHA_1,
            "SCRAM-SHA-1",  # RFC 5802 §5
            b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            b"3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            ScramHash.SHA_256,
            "SCRAM-SHA-256",  # RFC 7677 §3
            b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
    ids=["SHA-1", "SHA-256"],
)
def test_the_examples_of_the_standards(hash, mechanism, first, nonce, salt, server_first, last, signature):
    verifier = ScramVerifier.from_password("pencil", hash, b64decode(salt), 4096)
    server = SASLServer((mechanism,), nonce=nonce)
    assert server.start(mechanism) == Challenge(b"")
    assert server.step(first) == VerifierNeeded("user", hash)
    assert server.go_on_with(verifier) == Challenge(server_first)
    proposed = server.step(last)
    assert isinstance(proposed, ScramProposed)
    assert proposed.username == "user"
    assert is_proof(proposed, verifier)
    assert server.accept() == Challenge(signature)
    assert server.step(b"") == Accepted()
    assert not server.is_under_way


def test_bound_to_the_channel():
    for name, octets in BINDINGS.items():
        header = b"p=" + name.encode() + b",,"
        server, first = begun(header + b"n=user,r=abc", "SCRAM-SHA-256-PLUS")
        proposed = server.step(final(b"n=user,r=abc", first, header + octets))
        assert proposed.flaw == ""
        assert is_proof(proposed)


def test_identity_and_escaped_name():
    server = SASLServer(PLAIN_ONLY, nonce=b"xyz")
    needed = server.start("SCRAM-SHA-256", "n,a=ann,n=j=2Cö=3D,r=abc".encode())
    assert needed == VerifierNeeded("j,ö=", SHA_256, "ann")


def test_extensions_that_are_not_known_are_passed_over():
    bare = b"n=user,r=abc,x=1,Y=two"
    server, first = begun(b"n,," + bare)
    assert is_proof(server.step(final(bare, first, more=b",z=3,p=4")))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n=user,r=abc",
        b"n,,",
        b"n,,n=user",
        b"n,,r=abc,n=user",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a\x7f",
        b"n,,n=user,r=a b",
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=us\0er,r=abc",
        b"n,,m=must,n=user,r=abc",  # RFC 5802 §5.1: an extension that has to be known
        b"n,,n=user,r=abc,",
        b"n,,n=user,r=abc,junk",
        b"n,a=\xff,n=user,r=abc",
        b"n,,n=user,r=" + b"a" * 4096,
    ],
)
def test_first_message_that_is_none_is_malformed(message):
    server = SASLServer(BOTH, bindings=BINDINGS, nonce=b"xyz")
    assert server.start("SCRAM-SHA-256", message) == MALFORMED
    assert not server.is_under_way


@pytest.mark.parametrize(
    ("mechanism", "header", "offered"),
    [
        ("SCRAM-SHA-256", b"y,,", BOTH),  # RFC 5802 §6: the offer of PLUS was taken out on the way
        ("SCRAM-SHA-256", b"p=tls-exporter,,", BOTH),
        ("SCRAM-SHA-256-PLUS", b"n,,", BOTH),
        ("SCRAM-SHA-256-PLUS", b"y,,", BOTH),
        ("SCRAM-SHA-256-PLUS", b"p=tls-unique,,", BOTH),
        ("SCRAM-SHA-256-PLUS", b"p=none,,", BOTH),
    ],
)
def test_binding_that_is_not_as_due_is_refused_before_anything_is_told(mechanism, header, offered):
    server = SASLServer(offered, bindings=BINDINGS, nonce=b"xyz")
    assert server.start(mechanism, header + b"n=user,r=abc") == BINDING
    assert server.step(b"more") == MALFORMED


def test_who_could_bind_may_say_so_where_we_can_not():
    server, first = begun(b"y,,n=user,r=abc", offered=PLAIN_ONLY)
    assert is_proof(server.step(final(b"n=user,r=abc", first, b"y,,")))


@pytest.mark.parametrize("nonce", [b"abc", b"xyz", b"abcxyzz", b"ABCXYZ", b"otherxyz"])
def test_another_nonce_proves_nothing(nonce):
    server, first = begun()
    proposed = server.step(final(b"n=user,r=abc", first, nonce=nonce))
    assert proposed.flaw == "another nonce"
    assert server.refuse() == Refused(RefusalReason.DENIED)


@pytest.mark.parametrize(
    "channel", [b"n", b"y,,", b"n,a=ann,", b"n,,x", b"p=tls-exporter,," + BINDINGS["tls-exporter"]]
)
def test_another_header_proves_nothing(channel):
    server, first = begun()
    assert server.step(final(b"n=user,r=abc", first, channel)).flaw == "another channel"


@pytest.mark.parametrize("octets", [b"", bytes(32), bytes(range(31)), BINDINGS["tls-server-end-point"]])
def test_another_channel_proves_nothing(octets):
    header = b"p=tls-exporter,,"
    server, first = begun(header + b"n=user,r=abc", "SCRAM-SHA-256-PLUS")
    assert server.step(final(b"n=user,r=abc", first, header + octets)).flaw == "another channel"


def test_message_of_an_earlier_exchange_proves_nothing():
    server, first = begun()
    replayed = final(b"n=user,r=abc", first)
    assert is_proof(server.step(replayed))
    server = SASLServer(BOTH, bindings=BINDINGS, nonce=b"new")
    server.start("SCRAM-SHA-256", b"n,,n=user,r=abc")
    server.go_on_with(VERIFIER)
    assert server.step(replayed).flaw == "another nonce"


def test_proof_of_another_user_or_password_is_none():
    other = ScramVerifier.from_password("other", SHA_256, SALT, 4096)
    server, first = begun(verifier=other)
    proposed = server.step(final(b"n=user,r=abc", first))
    assert proposed.flaw == ""
    assert not is_proof(proposed, other)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"c=biws,r=abcxyz",
        b"c=biws,r=abcxyz,p=",
        b"c=biws,p=AAAA,r=abcxyz",
        b"r=abcxyz,c=biws,p=AAAA",
        b"c=biw,r=abcxyz,p=AAAA",
        b"c=biws,r=abcxyz,p=AAA",
        b"c=biws,r=abcxyz,p=AAAA\0",
        b"c=biws,r=abcxyz,p=AAAA,",
        b"c=biws,r=abcxyz,p=AAAA\r\n",
        b"e=other-error",
        b"c=biws,r=abcxyz,p=" + b"A" * 4096,
    ],
)
def test_final_message_that_is_none_is_malformed(message):
    server, _ = begun()
    assert server.step(message) == MALFORMED
    assert not server.is_under_way


def test_every_truncation_of_a_final_message_is_malformed_or_no_proof():
    server, first = begun()
    message = final(b"n=user,r=abc", first)
    for length in range(len(message)):
        server, first = begun()
        outcome = server.step(message[:length])
        assert outcome == MALFORMED or not is_proof(outcome)


def test_answer_to_the_signature_has_to_be_empty():
    server, first = begun()
    server.step(final(b"n=user,r=abc", first))
    server.accept()
    assert server.step(b"x") == MALFORMED
    assert server.step(b"") == MALFORMED


def test_first_message_again_in_place_of_the_final_one():
    server, _ = begun()
    assert server.step(b"n,,n=user,r=abc") == MALFORMED


def test_nothing_is_read_before_the_verifier_is_there():
    server = SASLServer(BOTH, bindings=BINDINGS, nonce=b"xyz")
    assert server.start("SCRAM-SHA-256", b"n,,n=user,r=abc") == VerifierNeeded("user", SHA_256)
    assert server.step(b"c=biws,r=abcxyz,p=AAAA") == MALFORMED


def test_proof_and_signature_are_not_in_the_repr():
    server, first = begun()
    assert "b'" not in repr(server.step(final(b"n=user,r=abc", first)))
