"""SCRAM verifiers, by the examples of RFC 5802 §5 and RFC 7677 §3."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from twisted_mail_node.mail.scram import ScramHash, ScramVerifier

SHA_1 = (
    ScramHash.SHA_1,
    "QSXCR+Q6sek8bf92",
    b"n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
    b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,"
    b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
    "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
)
SHA_256 = (
    ScramHash.SHA_256,
    "W22ZaJ0SNY7soEsUEjb6gQ==",
    b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
)


@pytest.mark.parametrize(("hash", "salt", "message", "proof", "signature"), [SHA_1, SHA_256], ids=["SHA-1", "SHA-256"])
def test_the_examples_of_the_standards(hash, salt, message, proof, signature):
    verifier = ScramVerifier.from_password("pencil", hash, b64decode(salt), 4096)
    assert verifier.is_proven(message, b64decode(proof))
    assert b64encode(verifier.signature(message)).decode() == signature


def test_nothing_else_proves_anything():
    verifier = ScramVerifier.from_password("pencil", ScramHash.SHA_256, b64decode(SHA_256[1]), 4096)
    message, proof = SHA_256[2], b64decode(SHA_256[3])
    assert not verifier.is_proven(message + b"x", proof)
    assert not verifier.is_proven(message, proof[:-1])
    assert not verifier.is_proven(message, proof + b"\0")
    assert not verifier.is_proven(message, bytes(32))
    other = ScramVerifier.from_password("pencils", ScramHash.SHA_256, b64decode(SHA_256[1]), 4096)
    assert not other.is_proven(message, proof)


def test_passwords_are_prepared():
    made = [ScramVerifier.from_password(text, ScramHash.SHA_256, b"salt", 1) for text in ("\u2168", "IX", "I\u00adX")]
    assert made[0] == made[1] == made[2]
    with pytest.raises(ValueError, match="prohibited"):
        ScramVerifier.from_password("a\x07", ScramHash.SHA_256, b"salt", 1)


@pytest.mark.parametrize("hash", ScramHash)
def test_a_verifier_is_read_as_it_was_written(hash):
    verifier = ScramVerifier.from_password("pencil", hash, b"0123456789abcdef", 4096)
    assert ScramVerifier.parse(str(verifier)) == verifier
    assert str(verifier).startswith(f"SCRAM-{hash.value}$4096:MDEyMzQ1Njc4OWFiY2RlZg==$")


def test_a_verifier_of_another_program_is_read():
    # PostgreSQL's pg_authid.rolpassword for the password "pencil" and the salt of RFC 7677 §3.
    verifier = ScramVerifier.from_password("pencil", ScramHash.SHA_256, b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    stored, server = (b64encode(key).decode() for key in (verifier.stored_key, verifier.server_key))
    assert ScramVerifier.parse(f"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==${stored}:{server}") == verifier


def test_keys_are_not_shown():
    verifier = ScramVerifier.from_password("pencil", ScramHash.SHA_1, b"salt", 1)
    assert "key" not in repr(verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "SCRAM-SHA-512$4096:c2FsdA==$AAAA:AAAA",
        "SCRAM-SHA-256$0:c2FsdA==$AAAA:AAAA",
        "SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA",
        "SCRAM-SHA-1$4096:c2FsdA==$" + "A" * 27 + "=:" + "A" * 43 + "=",
        "SCRAM-SHA-1$4096:!$" + "A" * 27 + "=:" + "A" * 27 + "=",
        "SCRAM-SHA-1$99999999:c2FsdA==$" + "A" * 27 + "=:" + "A" * 27 + "=",
    ],
)
def test_what_is_no_verifier_is_refused(text):
    with pytest.raises(ValueError, match=r"not a SCRAM verifier|base64|padding"):
        ScramVerifier.parse(text)
