"""An issuer of tokens: its keys, and what it signs with them."""

from __future__ import annotations

import json
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://login.test"


@lru_cache
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


@lru_cache
def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


def key_set(*key_ids):
    """A JWK set with the RSA key as `one`, the elliptic one as `two`, an encryption key, and what nobody knows."""
    one = {**json.loads(RSAAlgorithm.to_jwk(rsa_key().public_key())), "kid": "one", "use": "sig", "alg": "RS256"}
    two = {**json.loads(ECAlgorithm.to_jwk(ec_key().public_key())), "kid": "two", "alg": "ES256"}
    hidden = {**one, "kid": "hidden", "use": "enc"}
    strange = {"kty": "strange", "kid": "strange"}
    keys = [one, two, hidden, strange]
    return {"keys": [key for key in keys if not key_ids or key["kid"] in key_ids]}


def claims(**more):
    said = {"iss": ISSUER, "aud": "mail", "exp": 2_000_000_000, "email": "joe@a.test", **more}
    return {name: value for name, value in said.items() if value is not None}


def token(said=None, key=None, algorithm="RS256", key_id="one", **header):
    headers = {**({"kid": key_id} if key_id else {}), **header}
    return jwt.encode(claims() if said is None else said, key or rsa_key(), algorithm, headers=headers)
