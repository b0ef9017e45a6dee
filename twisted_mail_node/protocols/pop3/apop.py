"""
APOP: a login by a digest over the greeting's timestamp and a secret that both sides have in plain.

Needs a checker that takes twisted.cred's IUsernameHashedPassword; ours keep hashes alone, so it is an application's.
Offered where a password may cross the line: what MD5 hides today is not hidden for long.

Source: RFC 1939 §7, RFC 6856 §2.2 (names and secrets beyond ASCII).
"""

from __future__ import annotations

from hashlib import md5
from hmac import compare_digest

from twisted.cred.credentials import IUsernameHashedPassword
from zope.interface import implementer

from ...mail.saslprep import prepared
from .session_parts import Parts


@implementer(IUsernameHashedPassword)
class Digest:
    """What a client has shown. `username` is the account's name in UTF-8."""

    def __init__(self, username: str, timestamp: bytes, digest: bytes) -> None:
        self.username = username.encode("utf-8")
        self._timestamp = timestamp
        self._digest = digest

    def checkPassword(self, password: bytes | str) -> bool:  # noqa: N802
        """See IUsernameHashedPassword; the secret is text, octets are UTF-8."""
        try:
            text = password if isinstance(password, str) else password.decode("utf-8")
            secret = prepared(text).encode("utf-8")
        except ValueError:
            return False
        expected = md5(self._timestamp + secret, usedforsecurity=False).hexdigest()
        return compare_digest(expected.encode("ascii"), self._digest)


def new_timestamp(parts: Parts) -> bytes | None:
    """What the greeting shows, different each time and shaped as a msg-id; None where APOP is not offered."""
    if not (parts.settings.apop and parts.plaintext_allowed and parts.authenticator.takes(IUsernameHashedPassword)):
        return None
    return b"<%b@%b>" % (parts.authenticator.new_nonce(), parts.settings.hostname.encode("ascii", "replace"))
