"""Hashes of other systems, made by their own programs or told by their standards."""

from __future__ import annotations

import pytest

from twisted_mail_node.auth.old_hashes import can_verify, is_old_hash, verify_old

# Each of "secret", by libxcrypt 4.4.33.
HASHES = {
    "yescrypt": "$y$j9T$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.",
    "sha512": "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
    "sha256": "$5$rounds=1000$salt$CCvcOM6b7TEJDPb37Aec/9UpOg4QhPNAxPpL9ZzjTB7",
    "bcrypt": "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
}


@pytest.mark.parametrize("scheme", HASHES)
def test_the_password_is_known_and_no_other(scheme):
    assert can_verify()
    assert is_old_hash(HASHES[scheme])
    assert verify_old(HASHES[scheme], b"secret")
    for wrong in (b"Secret", b"", b"secret\0more"):
        assert not verify_old(HASHES[scheme], wrong)


@pytest.mark.parametrize(
    "text",
    [
        "$1$salt$ez2vlPGdaLYkJam5pWs/Y1",  # MD5
        "abJnggxhB/yWI",  # DES
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$bm8",
        "secret",
        "*",
        "",
        "$6$",
        "$6$salt$short\n",
    ],
)
def test_what_is_weak_or_no_hash_is_not_believed(text):
    assert not is_old_hash(text)


def test_what_libcrypt_cannot_compute_is_no_password():
    assert not verify_old("$2b$99$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", b"secret")
