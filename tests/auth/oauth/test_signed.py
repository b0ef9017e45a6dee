"""Signed tokens: which hold, and which only look as if they did."""

from __future__ import annotations

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock

from twisted_mail_node.auth.oauth.keys import FRESH_SECONDS, PATIENCE_SECONDS, Keys
from twisted_mail_node.auth.oauth.signed import SignedTokens
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.testing.deferreds import result_of

from .signing import ISSUER, claims, ec_key, key_set, rsa_key, token


class Issuer:
    def __init__(self):
        self.saying, self.asked = key_set(), 0

    def fetch(self):
        self.asked += 1
        return self.saying if hasattr(self.saying, "addCallback") else succeed(self.saying)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def keys(issuer, clock):
    return Keys(issuer.fetch, clock)


@pytest.fixture
def signed(keys):
    return SignedTokens(
        keys, issuer=ISSUER, audience=["mail", "imap"], algorithms=["RS256", "ES256"], clock_skew_seconds=60
    )


def test_a_token_that_holds_tells_what_it_says(signed):
    assert result_of(signed.claims(token())) == claims()
    assert result_of(signed.claims(token(claims(aud=["x", "imap"]), ec_key(), "ES256", "two"))) == claims(
        aud=["x", "imap"]
    )


def test_clocks_may_differ_a_little(signed):
    now = int(time.time())
    assert result_of(signed.claims(token(claims(exp=now - 30, nbf=now + 30))))


def _unsigned():
    parts = ({"alg": "none", "typ": "JWT", "kid": "one"}, claims())
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, ""])


def _signed_with_the_public_key():
    import hashlib
    import hmac

    public = rsa_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    parts = ({"alg": "HS256", "typ": "JWT", "kid": "one"}, claims())
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    mac = hmac.digest(pem, ".".join(texts).encode(), hashlib.sha256)
    return ".".join([*texts, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()])


def _nested_without_end():
    return base64.urlsafe_b64encode(b'{"alg":"RS256","x":' + b"[" * 5500).rstrip(b"=").decode() + ".e30.x"


def test_a_key_for_an_algorithm_that_is_not_believed_signs_nothing(signed, issuer):
    import hashlib
    import hmac

    word = base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()
    issuer.saying = {"keys": [{"kty": "oct", "k": word, "kid": "shared"}]}
    parts = ({"alg": "RS256", "kid": "shared"}, claims())
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    mac = hmac.digest(b"s" * 32, ".".join(texts).encode(), hashlib.sha256)
    with pytest.raises(UnauthorizedLogin):
        result_of(signed.claims(".".join([*texts, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()])))


@pytest.mark.parametrize(
    "forged",
    [
        lambda: token(claims(iss="https://evil.test")),
        lambda: token(claims(iss=None)),
        lambda: token(claims(aud="calendar")),
        lambda: token(claims(aud=None)),
        lambda: token(claims(exp=1_000_000_000)),
        lambda: token(claims(exp=None)),
        lambda: token(claims(nbf=2_000_000_000)),
        lambda: token(key=rsa.generate_private_key(65537, 2048)),
        lambda: token(algorithm="RS512"),
        lambda: token(key_id="hidden"),
        lambda: token(key_id="unknown"),
        lambda: token(key_id=None),
        lambda: token(key_id="two"),
        lambda: token()[:-5],
        lambda: token().replace(".", ".A", 1),
        _unsigned,
        _nested_without_end,
        _signed_with_the_public_key,
        lambda: "a.b.c",
        lambda: "..",
        lambda: "\ud800.b.c",
    ],
)
def test_a_token_that_does_not_hold_is_refused(signed, forged):
    with pytest.raises(UnauthorizedLogin):
        result_of(signed.claims(forged()))


def test_who_hangs_up_while_keys_are_fetched_takes_them_from_nobody(signed, issuer):
    issuer.saying = fetching = Deferred()
    gone, waits = signed.claims(token()), signed.claims(token())
    gone.addErrback(lambda failure: failure.trap(CancelledError) and None)
    gone.cancel()
    fetching.callback(key_set())
    assert result_of(waits) == claims()
    assert result_of(signed.claims(token())) == claims()
    assert issuer.asked == 1


def test_a_key_of_the_tokens_own_is_not_believed(signed):
    own = rsa.generate_private_key(65537, 2048)
    with pytest.raises(UnauthorizedLogin):
        result_of(signed.claims(token(key=own, key_id="own", jku="https://evil.test/keys")))


# -- keys -----------------------------------------------------------------------------------------------------------


def test_keys_are_fetched_when_needed_and_kept(keys, issuer, clock):
    assert issuer.asked == 0
    for key_id in ("one", "two", "one"):
        assert result_of(keys.find(key_id)).key_id == key_id
    assert issuer.asked == 1
    clock.advance(FRESH_SECONDS)
    issuer.saying = key_set("two")
    assert result_of(keys.find("one")) is None
    assert issuer.asked == 2


def test_a_new_key_is_found_and_who_invents_keys_costs_little(keys, issuer, clock):
    issuer.saying = key_set("one")
    for _ in range(100):
        assert result_of(keys.find("two")) is None
    assert issuer.asked == 1
    issuer.saying = key_set()
    clock.advance(PATIENCE_SECONDS)
    assert result_of(keys.find("two")) is not None
    assert issuer.asked == 2


def test_the_only_key_needs_no_name(keys, issuer):
    issuer.saying = key_set("one")
    assert result_of(keys.find(None)).key_id == "one"


@pytest.mark.parametrize("saying", [{}, [], None, {"keys": 7}, {"keys": []}, "words"])
def test_what_is_no_key_set_tells_nothing(keys, issuer, saying):
    issuer.saying = saying
    with pytest.raises(TemporaryFailure):
        result_of(keys.find("one"))


def test_keys_known_before_hold_while_the_issuer_is_down(keys, issuer, clock):
    result_of(keys.find("one"))
    clock.advance(FRESH_SECONDS)
    issuer.saying = fail(TemporaryFailure("down"))
    assert result_of(keys.find("one")) is not None
