"""Verifiers for names that have none."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.scram import SALT_OCTETS, ScramHash
from twisted_mail_node.protocols.decoys import Decoys


@pytest.mark.parametrize("hash", ScramHash)
def test_a_name_has_the_same_one_each_time_and_it_looks_like_any(hash):
    made = Decoys(lambda: b"key").verifier("joe@a.test", hash, 4096)
    assert made == Decoys(lambda: b"key").verifier("joe@a.test", hash, 4096)
    assert (made.hash, made.iterations, len(made.salt)) == (hash, 4096, SALT_OCTETS)
    assert len(made.stored_key) == len(made.server_key) == hash.octets


def test_names_hashes_and_keys_have_their_own():
    decoys = Decoys(lambda: b"key")
    salts = {
        decoys.verifier("joe@a.test", ScramHash.SHA_256, 1).salt,
        decoys.verifier("joe@a.test", ScramHash.SHA_1, 1).salt,
        decoys.verifier("ann@a.test", ScramHash.SHA_256, 1).salt,
        Decoys(lambda: b"other").verifier("joe@a.test", ScramHash.SHA_256, 1).salt,
    }
    assert len(salts) == 4


def test_name_of_odd_characters_has_one():
    assert Decoys(lambda: b"key").verifier("j\ud800@a.test", ScramHash.SHA_256, 1).salt


def test_key_is_asked_for_once_and_not_before():
    asked = []
    decoys = Decoys(lambda: asked.append(1) or b"key")
    assert asked == []
    decoys.verifier("joe@a.test", ScramHash.SHA_256, 1)
    decoys.verifier("ann@a.test", ScramHash.SHA_256, 1)
    assert asked == [1]
